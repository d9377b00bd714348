"""Values of the queue as JSON has them, and back. What is usual is left out.

Keys are short, for there may be millions; each stands in one pair of functions.
"""

from collections.abc import Mapping
from typing import Any

from twisted_mail.mail.address import NULL, Address
from twisted_mail.mail.envelope import (
    DEFAULT_DSN_REQUEST,
    NO_MAIL_PARAMETERS,
    DeliverBy,
    DsnRequest,
    FutureRelease,
    MailParameters,
)
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.target import AccountTarget, RemoteTarget, Target
from twisted_mail.mail.route import ListTarget, ProgramTarget

Json = dict[str, Any]


def write_address(address: Address) -> str:
    """Return an address as ``read_address`` reads it: the local part as it is, without quotes."""
    return f"{address.local}@{address.domain}"


def read_address(text: str) -> Address:
    """Read an address: a domain has no ``@``."""
    local, _, domain = text.rpartition("@")
    return Address(local, domain) if text != "@" else NULL


# ---------------------------------------------------------------- targets


def write_target(target: Target) -> list[str]:
    """Return what a recipient leads to: a letter for its kind first."""
    match target:
        case RemoteTarget():
            return ["r", write_address(target.recipient)]
        case AccountTarget():
            return ["a", write_address(target.recipient), target.account, target.detail]
        case ProgramTarget():
            return ["p", write_address(target.recipient), target.program, target.detail]
    return ["l", target.list, target.role.value, target.detail]


def read_target(data: list[str]) -> Target:
    """Read what a recipient leads to. Raises ValueError."""
    match data:
        case ["r", address]:
            return RemoteTarget(read_address(address))
        case ["a", address, account, detail]:
            return AccountTarget(account, read_address(address), detail)
        case ["p", address, program, detail]:
            return ProgramTarget(program, read_address(address), detail)
        case ["l", name, role, detail]:
            return ListTarget(name, ListRole(role), detail)
    raise ValueError("there is no such target")


# ---------------------------------------------------------------- what senders ask for


def write_dsn_request(request: DsnRequest) -> list[Any]:
    """Return which reports are asked for."""
    events = None if request.events is None else sorted(request.events)
    return [events, request.original]


def read_dsn_request(data: list[Any] | None) -> DsnRequest:
    """Read which reports are asked for."""
    if data is None:
        return DEFAULT_DSN_REQUEST
    return DsnRequest(None if data[0] is None else frozenset(data[0]), data[1])


def write_mail_parameters(asked: MailParameters) -> Json:
    """Return what the parameters of MAIL asked for."""
    release, by = asked.future_release, asked.deliver_by
    data: Json = {
        "z": asked.size,
        "b": "" if asked.body == "7BIT" else asked.body,
        "8": asked.is_utf8,
        "t": asked.requires_tls,
        "o": "" if asked.originator.is_null else write_address(asked.originator),
        "r": asked.returns,
        "e": asked.envid,
        "f": release and [release.until, release.request],
        "d": by and [by.deadline, by.is_returned, by.is_traced],
        "p": asked.priority,
    }
    return {key: value for key, value in data.items() if value}


def read_mail_parameters(data: Mapping[str, Any] | None) -> MailParameters:
    """Read what the parameters of MAIL asked for."""
    if not data:
        return NO_MAIL_PARAMETERS
    release, by, get = data.get("f"), data.get("d"), data.get
    return MailParameters(
        get("z", 0),
        get("b", "7BIT"),
        get("8", False),
        get("t", False),
        read_address(data["o"]) if "o" in data else NULL,
        get("r", ""),
        get("e", ""),
        FutureRelease(*release) if release else None,
        DeliverBy(*by) if by else None,
        get("p", 0),
    )


# ---------------------------------------------------------------- attempts


def write_attempt(attempt: Attempt) -> Json:
    """Return how an attempt ended."""
    outcome = attempt.outcome
    data: Json = {
        "o": [outcome.code, outcome.enhanced, outcome.text],
        "a": attempt.at,
        "r": "" if attempt.reply_class is ReplyClass.OTHER else attempt.reply_class.value,
        "h": attempt.host,
        "i": attempt.address,
        "s": attempt.source,
        "c": attempt.command,
        "t": attempt.tls,
        "u": attempt.use,
        "w": attempt.output,
        "p": dict(attempt.phases),
        "q": attempt.is_reply,
        "k": sorted(attempt.keywords),
        "f": attempt.tls_failure,
        "d": attempt.dialogue,
        "n": attempt.demanded,
        "v": attempt.proven,
    }
    return {key: value for key, value in data.items() if value}


def read_attempt(data: Mapping[str, Any] | None) -> Attempt | None:
    """Read how an attempt ended."""
    if data is None:
        return None
    get = data.get
    return Attempt(
        Outcome(*data["o"]),
        get("a", 0.0),
        ReplyClass(get("r", "other")),
        get("h", ""),
        get("i", ""),
        get("s", ""),
        get("c", ""),
        get("t", ""),
        get("u", 0),
        get("w", ""),
        get("p", {}),
        get("q", False),
        frozenset(get("k", ())),
        get("f", ""),
        dialogue=get("d", ""),
        demanded=get("n", ""),
        proven=get("v", ""),
    )
