"""A wire around another one: a base for those that alter some of what passes."""

from twisted_mail.interfaces import Peer, TlsInfo, Wire


class WireWrapper:
    """Passes everything on to the wire ``wrapped``. Fulfils ``interfaces.Wire``."""

    __slots__ = ("wrapped",)

    def __init__(self, wrapped: Wire) -> None:
        self.wrapped = wrapped

    @property
    def peer(self) -> Peer:
        """Return who is at the other end."""
        return self.wrapped.peer

    @property
    def tls_info(self) -> TlsInfo | None:
        """Return the TLS of the connection, if it is on."""
        return self.wrapped.tls_info

    @property
    def may_start_tls(self) -> bool:
        """Return whether TLS can begin."""
        return self.wrapped.may_start_tls

    @property
    def takes_passwords(self) -> bool:
        """Return whether a password may cross."""
        return self.wrapped.takes_passwords

    @property
    def woke_at(self) -> float:
        """Return when the session's turn began."""
        return self.wrapped.woke_at

    @property
    def has_unread(self) -> bool:
        """Return whether bytes have come that were not read."""
        return self.wrapped.has_unread

    def belongs_to(self, account: str) -> bool:
        """Count the connection as one of an account."""
        return self.wrapped.belongs_to(account)

    def hold(self, octets: int) -> None:
        """Count what the session keeps."""
        self.wrapped.hold(octets)

    def has_hung_up(self) -> bool:
        """Return whether the peer will send no more."""
        return self.wrapped.has_hung_up()

    def write(self, data: bytes) -> None:
        """Take bytes to send."""
        self.wrapped.write(data)

    async def drain(self) -> None:
        """Send what was written."""
        await self.wrapped.drain()

    async def read(self, timeout: float) -> bytes:
        """Return the bytes that came."""
        return await self.wrapped.read(timeout)

    def wake(self) -> None:
        """Make a read return."""
        self.wrapped.wake()

    async def yield_to_others(self) -> None:
        """Let other connections go first."""
        await self.wrapped.yield_to_others()

    async def start_tls(self) -> None:
        """Speak TLS from the next byte on."""
        await self.wrapped.start_tls()

    def close(self) -> None:
        """Send what was written and close."""
        self.wrapped.close()
