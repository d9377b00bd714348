"""Events in words, for people: each is one line."""

from collections.abc import Mapping
from typing import Any

from twisted_mail.control.output import count

Event = Mapping[str, Any]
WIDE = 600  # characters of a line

_REPORTED = ("failed", "delayed", "delivered", "relayed", "expanded")


def event_text(event: Event) -> str:
    """Return an event in one line, without its time: what happened, to whom, who said what."""
    name = str(event["event"])
    say = _WORDS.get(name, _recipient)
    text = say(event)
    line = f"{name:<9} {text}".rstrip()
    return line if len(line) <= WIDE else f"{line[:WIDE]}..."


def clock(event: Event) -> str:
    """Return the time of day of an event, in UTC."""
    return str(event["time"])[11:23]


def day(event: Event) -> str:
    """Return the day of an event."""
    return str(event["time"])[:10]


def _get(event: Event, key: str) -> str:
    """Return a field as text: files may have been altered by anybody."""
    value = event.get(key, "")
    if isinstance(value, list):
        return ", ".join(f"<{one}>" for one in value)
    return str(value)


def _received(event: Event) -> str:
    account, tls = _get(event, "account"), _get(event, "tls")
    parts = [
        f"from {_get(event, 'address')}",
        f"account {account}" if account else "",
        "without TLS" if tls == "none" else tls,
    ]
    return f"<{_get(event, 'from')}> to {_get(event, 'to')}, " + ", ".join(filter(None, parts))


def _accepted(event: Event) -> str:
    return f"into the queue, for {_get(event, 'to')}"


def _refused(event: Event) -> str:
    return f"{_get(event, 'address')} by {_get(event, 'service')}: {_get(event, 'text')}"


def _judged(event: Event) -> str:
    reason = _get(event, "text")
    said = f"{_get(event, 'decision')} by {_get(event, 'filter')} at {_get(event, 'stage')}"
    return said + (f": {reason}" if reason else "")


def _stored(event: Event) -> str:
    accounts = event.get("accounts", [])
    named = ", ".join(map(str, accounts)) if isinstance(accounts, list) else str(accounts)
    return f"in the mailbox {_get(event, 'mailbox')} of {named}"


def _moderated(event: Event) -> str:
    reason = _get(event, "text")
    return f"by {_get(event, 'list')}: {_get(event, 'result')}" + (f": {reason}" if reason else "")


def _expanded(event: Event) -> str:
    jobs = event.get("jobs", [])
    made = count(len(jobs), "message") if isinstance(jobs, list) else "messages"
    return f"<{_get(event, 'to')}> into {made} for {_get(event, 'recipients')} members"


def _reported(event: Event) -> str:
    report = _get(event, "report")
    about = [f"{one} {_get(event, one)}" for one in _REPORTED if event.get(one)]
    if report == "none":
        return f"to nobody: {'; '.join(about)}"
    return f"to <{_get(event, 'to')}> in {report}: {'; '.join(about)}"


def _tried(event: Event) -> str:
    until = _get(event, "until")
    return f"{_where(event)}{_said(event)}" + (f"; it rests until {until}" if until else "")


def _recipient(event: Event) -> str:
    """Return the words for events about one recipient."""
    original, by = _get(event, "for"), _get(event, "by")
    who = f"<{_get(event, 'to')}>" + (f" (for <{original}>)" if original else "")
    following = _get(event, "next")
    tail = f"; next try {following}" if following else ""
    return who + (f" by {by}" if by else "") + _said(event) + tail


def _word(event: Event) -> str:
    about = " ".join(filter(None, (_get(event, "suspension"), _get(event, "selection"))))
    return f"{_get(event, 'act')} by {_get(event, 'by')}: {about or 'everything'}"


def _where(event: Event) -> str:
    return _get(event, "site") or _get(event, "destination")


def _said(event: Event) -> str:
    """Return what the other side said, to which command, who it is, and how it was reached."""
    words = " ".join(filter(None, (_get(event, one) for one in ("code", "enhanced", "text"))))
    if not words:
        return ""
    address, host, tls = _get(event, "address"), _get(event, "host"), _get(event, "tls")
    command, failure = _get(event, "command"), _get(event, "tls_failure")
    parts = [
        f"in answer to {command}" if command and command != "." else "",
        "by " + " ".join(filter(None, (host, address and f"[{address}]"))) if host else "",
        "without TLS" if tls == "none" else tls,
        failure,
    ]
    more = ", ".join(filter(None, parts))
    return f": {words}" + (f" ({more})" if more else "")


_WORDS = {
    "received": _received,
    "accepted": _accepted,
    "refused": _refused,
    "judged": _judged,
    "stored": _stored,
    "moderated": _moderated,
    "expanded": _expanded,
    "reported": _reported,
    "tried": _tried,
    "word": _word,
}
