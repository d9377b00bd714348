"""Times, attempts and waiting in words, and as JSON."""

from datetime import UTC, datetime
from typing import Any

from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.wait_reason import WaitKind, WaitReason

_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
_LAST = datetime.max.replace(tzinfo=UTC)


def span(seconds: float) -> str:
    """Return a span of time in its two largest units: ``2 d 3 h``, ``45 s``."""
    left = max(0, round(seconds))
    parts: list[str] = []
    for name, size in _UNITS:
        number, left = divmod(left, size)
        if number or (name == "s" and not parts):
            parts.append(f"{number} {name}")
        if len(parts) == 2 or (parts and not number):
            break
    return " ".join(parts)


def instant(seconds: float) -> datetime:
    """Return a time since 1970 in UTC; for what no calendar has, the last that one has."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return _LAST


def stamp(seconds: float) -> str | None:
    """Return a time as JSON has it; None for 0."""
    return instant(seconds).isoformat(timespec="seconds") if seconds else None


def clock_time(seconds: float) -> str:
    """Return a time for people: day, hour and minute, in UTC."""
    return f"{instant(seconds):%Y-%m-%d %H:%M} UTC"


def when(seconds: float, now: float) -> str:
    """Return a time, and how far it is away."""
    if seconds > now:
        return f"{clock_time(seconds)}, in {span(seconds - now)}"
    return f"{clock_time(seconds)}, {span(now - seconds)} ago"


# ---------------------------------------------------------------- attempts


def said(attempt: Attempt) -> str:
    """Return what came of an attempt, in one line: the code, and the words."""
    outcome = attempt.outcome
    return " ".join(filter(None, (str(outcome.code), outcome.enhanced, outcome.text)))


def circumstances(attempt: Attempt) -> str:
    """Return what was answered, by whom, and how they were connected."""
    who = " ".join(filter(None, (attempt.host, attempt.address and f"[{attempt.address}]")))
    parts = [
        f"in answer to {attempt.command}" if attempt.command else "",
        f"by {who}" if who else "",
        f"from {attempt.source}" if attempt.source else "",
        _tls(attempt),
        f"class {attempt.reply_class.value}" if not attempt.outcome.is_success else "",
    ]
    return ", ".join(filter(None, parts))


_PROVEN = {"name": ", its name proven", "dane": ", proven by its TLSA records"}


def _tls(attempt: Attempt) -> str:
    if attempt.tls:
        return attempt.tls + _PROVEN.get(attempt.proven, "")
    was_spoken_to = attempt.address and (attempt.is_reply or attempt.use)
    why = f" ({attempt.tls_failure})" if attempt.tls_failure else ""
    return f"without TLS{why}" if was_spoken_to else ""


def attempt_data(attempt: Attempt | None) -> dict[str, Any] | None:
    """Return an attempt as JSON has it."""
    if attempt is None:
        return None
    outcome = attempt.outcome
    return {
        "at": stamp(attempt.at),
        "code": outcome.code,
        "enhanced": outcome.enhanced,
        "text": outcome.text,
        "command": attempt.command,
        "class": attempt.reply_class.value,
        "host": attempt.host,
        "address": attempt.address,
        "source": attempt.source,
        "tls": attempt.tls,
        "tls_failure": attempt.tls_failure,
        "demanded": attempt.demanded,
        "proven": attempt.proven,
        "use": attempt.use,
        "phases": dict(attempt.phases),
        "output": attempt.output,
        "dialogue": attempt.dialogue,
    }


# ---------------------------------------------------------------- waiting


def waits_for(reason: WaitReason, now: float) -> str:
    """Return what is waited for, in words."""
    until = f" until {when(reason.until, now)}" if reason.until else ""
    text = reason.text
    match reason.kind:
        case WaitKind.WORD:
            return f"a word ({text or 'held'}){until}"
        case WaitKind.TIME:
            return f"its time: {when(reason.until, now)}"
        case WaitKind.SITE:
            because = f", because {text}" if text else ""
            what = f"the site {reason.site}" if reason.site else "its domain"
            return f"{what}, which rests{until}{because}"
        case WaitKind.SUSPENSION:
            return f"a word: {text}{until or ' until it is resumed'}"
        case WaitKind.LIMIT:
            return f"a limit: {text}{until}"
        case WaitKind.UNDER_WAY:
            return "nothing: it is being tried now"
        case WaitKind.REPORT:
            return f"its report: {text}"
        case WaitKind.SERVER:
            return "the server, which does not run"
    return f"its turn{': ' + text if text else ''}"


def reason_data(reason: WaitReason) -> dict[str, Any]:
    """Return what is waited for as JSON has it."""
    return {
        "kind": reason.kind.value,
        "until": stamp(reason.until),
        "text": reason.text,
        "site": reason.site,
    }
