"""The message of a kept dialogue, made again from its commands; its content is made up."""

import re
from collections.abc import Sequence

from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.envelope import DsnRequest, MailParameters
from twisted_mail.mail.journey.dialogue import WE, SpokenLine
from twisted_mail.mail.message import Blob, MemoryBlob, Message
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, Transaction
from twisted_mail.mail.queued.target import RemoteTarget

MAX_SIZE = 32 * 1024 * 1024  # octets of a message that is made up
HELLO = b"Subject: Hi\r\n\r\nHello\r\n"  # tests/dialogues/messages/hello.eml

_COMMAND = re.compile(r"(MAIL FROM|RCPT TO):<(.*?)>((?: .*)?)")
_CONTENT = re.compile(r"\(([0-9]{1,12}) octets of content\)")
_LINE = b"x" * 70 + b"\r\n"


class Unplayable(Exception):
    """A kept dialogue that cannot be played, and why."""


class MemoryWriter:
    """Fulfils ``interfaces.BlobWriter`` in memory, for a copy that the host needs."""

    def __init__(self) -> None:
        self._data = b""

    @property
    def size(self) -> int:
        """Return the octets written so far."""
        return len(self._data)

    async def write(self, data: bytes) -> None:
        """Take octets."""
        self._data += data

    async def finish(self) -> Blob:
        """Return all that was written."""
        return MemoryBlob(self._data)

    def discard(self) -> None:
        """Forget what was written."""
        self._data = b""


def commands(lines: Sequence[SpokenLine], verb: str) -> list[tuple[str, dict[str, str]]]:
    """Return address and parameters of each MAIL or RCPT."""
    found = [_COMMAND.fullmatch(one.text) for one in lines if one.side == WE]
    return [(one[2], _parameters(one[3])) for one in found if one is not None and one[1] == verb]


def _parameters(text: str) -> dict[str, str]:
    pairs = [one.partition("=") for one in text.split()]
    return {name: value for name, _, value in pairs}


def kept_message(lines: Sequence[SpokenLine], content: bytes = b"") -> Transaction:
    """Return what was to be handed on. Raises Unplayable."""
    mails = commands(lines, "MAIL FROM")
    if not mails:
        return _transaction(NULL, {}, [], content or HELLO)
    sender, asked = mails[-1]
    recipients = commands(lines, "RCPT TO")
    try:
        owed = [(parse(address), parameters) for address, parameters in recipients]
        return _transaction(
            parse(sender) if sender else NULL, asked, owed, content or _content(lines, asked)
        )
    except ValueError as error:
        raise Unplayable(f"an address cannot be read: {error}") from None


def _transaction(
    sender: Address,
    asked: dict[str, str],
    owed: Sequence[tuple[Address, dict[str, str]]],
    content: bytes,
) -> Transaction:
    parameters = MailParameters(
        body="8BITMIME" if asked.get("BODY") == "8BITMIME" else "7BIT",
        is_utf8="SMTPUTF8" in asked,
        requires_tls="REQUIRETLS" in asked,
        returns="FULL" if asked.get("RET") == "FULL" else "HDRS" if "RET" in asked else "",
        envid=asked.get("ENVID", ""),
    )
    job = QueuedJob("replayed", 0.0, sender, mail_parameters=parameters, size=len(content))
    everyone = [
        OwedRecipient(number, RemoteTarget(address), _request(wishes))
        for number, (address, wishes) in enumerate(owed, 1)
    ] or [OwedRecipient(1, RemoteTarget(parse("nobody@example.invalid")))]
    return Transaction(job, tuple(everyone), Message(MemoryBlob(content)))


def _request(wishes: dict[str, str]) -> DsnRequest:
    events = None
    if "NOTIFY" in wishes:
        named = wishes["NOTIFY"].split(",")
        events = frozenset(one for one in ("SUCCESS", "FAILURE", "DELAY") if one in named)
    return DsnRequest(events, wishes.get("ORCPT", ""))


def _content(lines: Sequence[SpokenLine], asked: dict[str, str]) -> bytes:
    """Return a message of the size that was announced."""
    sizes = [int(one[1]) for one in map(_CONTENT.fullmatch, (one.text for one in lines)) if one]
    size = int(asked["SIZE"]) if asked.get("SIZE", "").isdecimal() else (sizes or [len(HELLO)])[0]
    if size > MAX_SIZE:
        raise Unplayable(f"a message of {size} octets is too large to be made up")
    head = b"Subject: x\r\n\r\n" + (
        "\u00e9\r\n".encode() if asked.get("BODY") == "8BITMIME" else b""
    )
    missing = max(size - len(head), 0)
    body = _LINE * (missing // len(_LINE))
    left = missing - len(body)
    return head + body + (b"x" * (left - 2) + b"\r\n" if left >= 2 else b"x" * left)
