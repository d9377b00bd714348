"""A wire laid over another, for what differs from it."""

from twisted_mail.interfaces import Peer, Privacy, Wire


class Overlay:
    """Passes everything on to the wire ``under`` it. Fulfils ``interfaces.Wire``."""

    __slots__ = ("under",)

    def __init__(self, under: Wire) -> None:
        self.under = under

    @property
    def peer(self) -> Peer:
        """Say who is at the other end."""
        return self.under.peer

    @property
    def privacy(self) -> Privacy | None:
        """Return the TLS of the connection, if it is on."""
        return self.under.privacy

    @property
    def may_start_tls(self) -> bool:
        """Say whether TLS can begin."""
        return self.under.may_start_tls

    @property
    def takes_passwords(self) -> bool:
        """Say whether a password may cross."""
        return self.under.takes_passwords

    @property
    def has_unread(self) -> bool:
        """Say whether bytes have come that were not read."""
        return self.under.has_unread

    def write(self, data: bytes) -> None:
        """Take bytes to send."""
        self.under.write(data)

    async def drain(self) -> None:
        """Send what was written."""
        await self.under.drain()

    async def read(self, timeout: float) -> bytes:
        """Return the bytes that came."""
        return await self.under.read(timeout)

    def nudge(self) -> None:
        """Make a read return."""
        self.under.nudge()

    async def turn(self) -> None:
        """Let other connections go first."""
        await self.under.turn()

    async def start_tls(self) -> None:
        """Speak TLS from the next byte on."""
        await self.under.start_tls()

    def close(self) -> None:
        """Send what was written and close."""
        self.under.close()
