"""How one try to hand a message on went."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from twisted_mail.mail.outcome import Outcome


class ReplyClass(Enum):
    """What a failure is about. It decides pauses and words, and never makes a 5xx a retry."""

    MAILBOX = "mailbox"  # there is no such recipient, or it is closed
    FULL = "full"
    POLICY = "policy"
    REPUTATION = "reputation"
    GREYLIST = "greylist"
    RATE = "rate"
    CONTENT = "content"
    SIZE = "size"
    TLS = "tls"
    DNS = "dns"
    NETWORK = "network"
    CONFIGURATION = "configuration"
    OTHER = "other"


_OPENING = frozenset(("", "EHLO", "HELO", "LHLO", "STARTTLS", "AUTH"))  # "": the greeting
_NO_SERVICE = 521  # RFC 7504 §3


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a try for one recipient ended, when it ended, and what the other side said.

    ``outcome`` counts: its code, enhanced code and text are the other side's, or ours where it said
    nothing. ``at`` is in seconds since 1970. ``host`` and ``address`` are those of the other side, with
    the port behind a colon where it is not 25; ``source`` is our own address. ``command`` is what
    was answered, without its octets of content: ``RCPT TO:<bob@example.org>``, or the empty text for a
    greeting. ``tls`` has version and cipher suite, or is empty. ``phases`` has seconds by name
    (``dns``, ``connect``, ``tls``, ``envelope``, ``content``). ``use`` is the how-manieth message of its
    connection this was. ``output`` is what a program wrote, for the log alone. ``is_reply``: the outcome
    is the other side's reply, and not ours. ``keywords`` has those of DSN and DELIVERBY that it offers,
    so that what was asked was passed on. ``tls_failure`` says why a message went in clear although the
    host offers TLS. ``dialogue`` is the id of what was said, where that is kept. ``demanded`` is what was
    demanded of TLS and whence (``verify/mta-sts``), ``proven`` what the host has proven: ``nothing``,
    ``encrypted``, ``name`` or ``dane``; empty where it did not come to that.
    """

    outcome: Outcome
    at: float
    reply_class: ReplyClass = ReplyClass.OTHER
    host: str = ""
    address: str = ""
    source: str = ""
    command: str = ""
    tls: str = ""
    use: int = 0
    output: str = ""
    phases: Mapping[str, float] = field(default_factory=dict, hash=False)
    is_reply: bool = False
    keywords: frozenset[str] = frozenset()
    tls_failure: str = ""
    dialogue: str = ""
    demanded: str = ""
    proven: str = ""

    @property
    def is_for_now(self) -> bool:
        """Return whether it is no last word on the recipient: temporary, or said before any mail was.

        A greeting of 554 and a login that is refused (535) keep their codes, and speak for one host and
        for now; but 521 is a host's last word.
        """
        is_opening = self.command.partition(" ")[0] in _OPENING
        is_of_host = self.is_reply and is_opening and self.outcome.code != _NO_SERVICE
        return self.outcome.is_temporary or is_of_host
