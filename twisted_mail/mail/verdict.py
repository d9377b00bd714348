"""Verdicts: what a filter decided about mail that wants to come in, and why.

A filter is asked at stages of an SMTP conversation. Its verdict may also alter the message by edits: they
apply to what is passed on, and the message itself stays as it is.
"""

from dataclasses import dataclass
from enum import Enum

from twisted_mail.mail.address import Address
from twisted_mail.mail.mime.safe_fields import phrase
from twisted_mail.mail.outcome import Outcome

MAX_REASON = 200  # characters of a reason that are shown


class FilterStage(Enum):
    """When a filter is asked: the moments at which an SMTP server may refuse (RFC 5321)."""

    CONNECT = "connect"  # before the greeting
    HELLO = "hello"
    SENDER = "sender"
    RECIPIENT = "recipient"  # for each, before it is accepted
    MESSAGE = "message"  # when its last octet has come


class Decision(Enum):
    """What is to be done with the mail, the mildest first."""

    ACCEPT = "accept"
    QUARANTINE = "quarantine"  # accepted, and put into the junk mailbox
    DISCARD = "discard"  # accepted, and dropped
    DEFER = "defer"  # not now
    REFUSE = "refuse"


# ---------------------------------------------------------------- edits


@dataclass(frozen=True, slots=True)
class AddField:
    """Put a header field before the others, or with ``at_end`` after them.

    ``value`` is what follows the colon and its space; it may be folded, with CRLF before the white space.
    A ``place`` from 1 on is its position among the message's fields, after our trace.
    """

    name: str
    value: str
    at_end: bool = False
    place: int = 0


@dataclass(frozen=True, slots=True)
class ChangeField:
    """Give the n-th field of a name (from 1) another value; None removes it.

    Our own trace does not count. If there are fewer, a field with the value is added at the end.
    """

    name: str
    number: int
    value: str | None


@dataclass(frozen=True, slots=True)
class ChangeBody:
    """Replace the message's body by another, with CRLF line ends."""

    body: bytes


@dataclass(frozen=True, slots=True)
class ChangeSender:
    """Send on with another envelope sender."""

    sender: Address


@dataclass(frozen=True, slots=True)
class AddRecipient:
    """Send to one more recipient."""

    recipient: Address


@dataclass(frozen=True, slots=True)
class DropRecipient:
    """Do not send to this recipient."""

    recipient: Address


Edit = AddField | ChangeField | ChangeBody | ChangeSender | AddRecipient | DropRecipient


# ---------------------------------------------------------------- verdicts


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one filter decided.

    ``reason`` is for the log and for the header of the message, a few words of printable ASCII;
    ``outcome`` is the reply of a refusal, if it is not to be the usual one. After a verdict that
    ``is_final`` no further filter is asked at this stage.
    """

    decision: Decision = Decision.ACCEPT
    reason: str = ""
    outcome: Outcome | None = None
    is_final: bool = False
    edits: tuple[Edit, ...] = ()

    @property
    def is_refusal(self) -> bool:
        """True when the mail is refused, temporarily or permanently."""
        return self.decision in (Decision.DEFER, Decision.REFUSE)

    @property
    def printable_reason(self) -> str:
        """Return the reason as one line of printable ASCII, whatever a filter has put there."""
        return phrase(self.reason, MAX_REASON)

    @property
    def answer(self) -> Outcome:
        """Return the reply of a refusal."""
        if self.outcome is not None:
            return self.outcome
        if self.decision is Decision.DEFER:
            return Outcome(450, "4.7.1", "Not now, for reasons of policy; try again later")
        return Outcome(550, "5.7.1", "Refused for reasons of policy")


ACCEPT = Verdict()


def refuse(reason: str, outcome: Outcome | None = None) -> Verdict:
    """Return the verdict that mail may not come in."""
    return Verdict(Decision.REFUSE, reason, outcome)


def defer(reason: str, outcome: Outcome | None = None) -> Verdict:
    """Return the verdict that mail may not come in now."""
    return Verdict(Decision.DEFER, reason, outcome)
