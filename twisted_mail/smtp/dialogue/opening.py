"""The beginning of a dialogue: greeting, EHLO, TLS, login (RFC 5321 §3.1, §3.2, RFC 3207, RFC 4954)."""

from twisted_mail.interfaces import HostWire, TlsFailed
from twisted_mail.mail.journey.dialogue import THEY, WE
from twisted_mail.mail.trust import TlsLevel
from twisted_mail.smtp.dialogue import endings, login
from twisted_mail.smtp.dialogue.capabilities import (
    NOTHING_OFFERED,
    Capabilities,
    parse_capabilities,
)
from twisted_mail.smtp.dialogue.command_channel import CommandChannel
from twisted_mail.smtp.dialogue.replies import Reply
from twisted_mail.smtp.dialogue.settings import ClientSettings

READY = 220

_NO_TLS = "TLS is required, and the host does not offer it"
_EARLY = "The host sent octets in clear that were to come under TLS"


class Opening:
    """The beginning of one dialogue. ``tls_failure`` says why STARTTLS was refused, if it was.

    ``is_esmtp`` is what the greeting says of itself; the time of
    the handshake is noted in ``phases``. ``says_helo`` is for a host that broke off at EHLO.
    """

    __slots__ = (
        "_channel",
        "_phases",
        "_settings",
        "_wire",
        "is_esmtp",
        "says_helo",
        "tls_failure",
    )

    def __init__(
        self,
        wire: HostWire,
        channel: CommandChannel,
        settings: ClientSettings,
        phases: dict[str, float],
        says_helo: bool = False,
    ) -> None:
        self._wire = wire
        self._channel = channel
        self._settings = settings
        self._phases = phases
        self.says_helo = says_helo
        self.is_esmtp = True
        self.tls_failure = ""

    async def run(self) -> Capabilities:
        """Go as far as MAIL is allowed; return what the host offers then. Raises DialogueEnded."""
        settings = self._settings
        if settings.is_tls_implicit:
            await self._handshake()
        await self._greeting()
        offered = await self._hello()
        if not settings.is_tls_implicit:
            offered = await self._secured(offered)
        if settings.login is not None:
            await login.log_in(self._channel, self._wire, settings, offered.login)
        return offered

    async def _greeting(self) -> None:
        """Wait for the greeting. One that is negative is this host's, and not the domain's."""
        reply = await self._channel.reply(self._settings.limits.greeting, "")
        if reply.code // 100 != 2:
            raise endings.refused(reply, "")
        self.is_esmtp = b"ESMTP" in b" ".join(reply.lines).upper()

    # ------------------------------------------------------------ EHLO

    async def _hello(self) -> Capabilities:
        """Say who we are: EHLO, or HELO to a host that does not know it (RFC 5321 §3.2)."""
        if self._settings.is_lmtp:
            return parse_capabilities(await self._say("LHLO"))
        if not self.says_helo:
            reply = await self._ask("EHLO")
            if reply.code // 100 == 2:
                return parse_capabilities(reply)
            if reply.code < 500:
                raise endings.refused(reply, self._command("EHLO"))
        await self._say("HELO")
        return NOTHING_OFFERED

    async def _say(self, verb: str) -> Reply:
        reply = await self._ask(verb)
        if reply.code // 100 != 2:
            raise endings.refused(reply, self._command(verb))
        return reply

    async def _ask(self, verb: str) -> Reply:
        return await self._channel.ask(self._command(verb), self._settings.limits.hello)

    def _command(self, verb: str) -> str:
        return f"{verb} {self._settings.hostname}"

    # ------------------------------------------------------------ TLS

    async def _secured(self, offered: Capabilities) -> Capabilities:
        """Begin TLS if it is wanted; return what is offered then."""
        level = self._settings.demand.level
        if level is TlsLevel.NONE:
            return offered
        if not offered.has_starttls:
            self._go_on_in_clear(_NO_TLS)
            return offered
        reply = await self._channel.ask("STARTTLS", self._settings.limits.hello)
        if reply.code != READY:
            self._go_on_in_clear(f"STARTTLS was refused: {reply.code} {reply.text}")
            self.tls_failure = f"STARTTLS was refused: {reply.code} {reply.text}"
            return offered
        await self._handshake()
        return await self._hello()

    def _go_on_in_clear(self, why: str) -> None:
        if self._settings.demand.level is not TlsLevel.MAY:
            raise endings.tls_failed(why, is_orderly=True)

    async def _handshake(self) -> None:
        """Begin TLS. What came in clear before it is nobody's who is known (RFC 3207 §6)."""
        if not self._channel.is_silent:
            raise endings.tls_failed(_EARLY)
        began = self._channel.now()
        self._channel.part.happened(began, WE, "starts TLS")
        try:
            await self._wire.start_tls(self._settings.limits.handshake)
        except TlsFailed as failed:
            self._channel.part.happened(self._channel.now(), THEY, str(failed))
            raise endings.tls_failed(str(failed), is_handshake=True) from None
        self._phases["tls"] = self._channel.now() - began
