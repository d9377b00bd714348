"""What the client's side of SMTP is given: where to go, what to demand, how long to wait."""

from dataclasses import dataclass, fields

from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.trust import ANY_HOST, Demand

SMTP_PORT = 25


@dataclass(frozen=True, slots=True)
class NextHop:
    """A host and one of its addresses.

    ``host`` is its name, for TLS (RFC 6066 §3) and for the log; ``address`` is numeric, or the path of a
    UNIX socket. ``source`` is the address of ours to connect from, or empty.
    """

    host: str
    address: str
    port: int = SMTP_PORT
    source: str = ""

    @property
    def shown_address(self) -> str:
        """Return the address as attempts have it: with the port where it is not 25."""
        if self.address.startswith("/") or self.port == SMTP_PORT:
            return self.address
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DialogueTimes:
    """How long is waited for another host, in seconds.

    The times are those of RFC 5321 §4.5.3.2: for a whole reply, however its octets come, and ``block``
    for each 64 KiB of content that the other side takes. A message has ``message`` seconds in all, and
    one more for each ``slowest`` octets.
    """

    connect: float = 30.0
    handshake: float = 30.0
    greeting: float = 300.0
    hello: float = 300.0
    auth: float = 60.0
    mail: float = 300.0
    recipient: float = 300.0
    data: float = 120.0
    block: float = 180.0
    end: float = 600.0
    quit: float = 2.0
    message: float = 1800.0
    slowest: int = 1024

    def __post_init__(self) -> None:
        short = [one.name for one in fields(DialogueTimes) if getattr(self, one.name) <= 0]
        if short:
            raise ValueError(f"{', '.join(short)} must be more than 0")


@dataclass(frozen=True, slots=True)
class DialogueLimits(DialogueTimes):
    """How long is waited, and how much is done over one connection.

    ``max_recipients`` is for one mail transaction, ``max_messages`` and ``max_age`` (seconds) for a
    connection, which waits ``idle`` seconds for more.
    """

    max_recipients: int = 100
    max_messages: int = 100
    max_age: float = 300.0
    idle: float = 5.0


def within_times(
    times: DialogueTimes, max_recipients: int, max_messages: int, max_age: float, idle: float
) -> DialogueLimits:
    """Return limits with these times."""
    return DialogueLimits(
        **{one.name: getattr(times, one.name) for one in fields(DialogueTimes)},
        max_recipients=max_recipients,
        max_messages=max_messages,
        max_age=max_age,
        idle=idle,
    )


DEFAULT_TIMES = DialogueTimes()
DEFAULT_LIMITS = DialogueLimits()


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How to speak to a next hop. ``hostname`` is our name, as EHLO has it.

    ``demand`` is what is demanded of TLS. A
    ``login`` never crosses a connection in clear, nor one to a host that has not proven its name
    unless ``trusts_unproven``. What is signed and has 8 bits is sent as it is to a host that does
    not offer 8BITMIME where ``sends_signed_8bit``, and else refused.
    """

    hostname: str
    is_lmtp: bool = False
    demand: Demand = ANY_HOST
    is_tls_implicit: bool = False
    login: Credentials | None = None
    trusts_unproven: bool = False
    sends_signed_8bit: bool = True
    limits: DialogueLimits = DEFAULT_LIMITS
