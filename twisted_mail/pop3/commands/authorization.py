"""The AUTHORIZATION state: who is it? (RFC 1939 §4, RFC 5034, RFC 2595 §4)."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from twisted_mail.interfaces import Maildrop, Mechanism, authenticate, usable_mechanisms
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import MailError, ProtocolError, Refused
from twisted_mail.pop3 import capabilities, grammar
from twisted_mail.pop3.commands.transaction import open_maildrop
from twisted_mail.pop3.session import Command, Pop3Session, Pop3State


@dataclass(slots=True)
class AuthorizationState:
    """Takes a login, and then enters the TRANSACTION state. Fulfils ``talk.Pop3State``."""

    session: Pop3Session
    enter: Callable[[Pop3State], None]
    _deadline: float = field(init=False)
    _name: str = ""
    _failures: int = 0

    def __post_init__(self) -> None:
        self._deadline = (
            self.session.backend.clock.monotonic() + self.session.settings.login_timeout
        )

    def command(self, keyword: str) -> Command | None:
        """Return the command of this name, or None."""
        run = _COMMANDS.get(keyword)
        return None if run is None else partial(run, self)

    @property
    def timeout(self) -> float:
        """Return what is left of the time for the whole login."""
        return max(0.0, self._deadline - self.session.backend.clock.monotonic())

    async def end(self) -> None:
        """Do nothing: nothing is held."""

    async def _capa(self, argument: bytes) -> None:
        grammar.no_argument(argument)
        capabilities.write_capabilities(self.session, is_logged_in=False)

    async def _quit(self, argument: bytes) -> None:
        grammar.no_argument(argument)
        self.session.ok("Bye")
        self.session.end_reason = "quit"

    async def _stls(self, argument: bytes) -> None:
        grammar.no_argument(argument)
        if not self.session.wire.may_start_tls:
            is_on = self.session.wire.tls_info is not None
            raise ProtocolError("TLS is already active" if is_on else "TLS is not available")
        if self.session.has_unread:
            # Sent in clear behind STLS, perhaps by somebody in between: never run, and no way on.
            self.session.end_reason = "commands in clear behind STLS"
            raise ProtocolError("Nothing may follow STLS before TLS has begun")
        self.session.ok("Begin TLS")
        await self.session.wire.start_tls()
        self._name = ""

    async def _user(self, argument: bytes) -> None:
        self._check_passwords()
        self._name = grammar.text(argument.rstrip(b" "), "The user name")
        self.session.ok("Send the password")

    async def _pass(self, argument: bytes) -> None:
        self._check_passwords()
        if not self._name:
            raise ProtocolError("USER comes first")
        password = grammar.text(argument, "The password")  # with its spaces (RFC 1939 §7, PASS)
        name, self._name = self._name, ""
        await self._log_in(Credentials(name, password))

    def _check_passwords(self) -> None:
        if not self.session.wire.takes_passwords:
            raise ProtocolError("Passwords are taken under TLS only: use STLS first")

    async def _auth(self, argument: bytes) -> None:
        words = argument.split()
        if not words:
            self._list_mechanisms()
            return
        if len(words) > 2:
            raise ProtocolError("AUTH takes a mechanism and an initial response")
        mechanism = self._mechanism(words[0].upper().decode("latin-1"))
        initial = words[1] if len(words) == 2 else None
        await self._log_in(await authenticate(mechanism, initial, self._ask))

    def _list_mechanisms(self) -> None:
        """Answer the bare AUTH of old clients, which some of them send before they try any."""
        takes_passwords = self.session.wire.takes_passwords
        usable = usable_mechanisms(self.session.backend.mechanisms, takes_passwords)
        self.session.open_reply("Mechanisms follow")
        self.session.close_reply("".join(f"{each.name}\r\n" for each in usable).encode() + b".\r\n")

    def _mechanism(self, name: str) -> Mechanism:
        for mechanism in self.session.backend.mechanisms:
            if mechanism.name == name:
                if mechanism.reveals_password:
                    self._check_passwords()
                return mechanism
        raise ProtocolError("There is no such mechanism")

    async def _ask(self, challenge: bytes) -> bytes:
        """Send a challenge and return the line that answers it (RFC 5034 §4)."""
        self.session.send(b"+ %b\r\n" % challenge)
        return await self.session.read_line(self.timeout, is_response=True)

    async def _log_in(self, credentials: Credentials) -> None:
        """Lock the maildrop for whoever it is, and enter the TRANSACTION state."""
        try:
            maildrop = await self._maildrop(credentials)
            transaction = await open_maildrop(self.session, maildrop)
        except MailError as error:
            self.session.send(grammar.refusal(error, is_login=True))
            return
        service, peer = self.session.settings.service, self.session.wire.peer
        self.session.backend.journal.logged_in(service, peer, maildrop.name)
        self.enter(transaction)
        self.session.ok(transaction.summary)

    async def _maildrop(self, credentials: Credentials) -> Maildrop:
        peer = self.session.wire.peer
        try:
            return await self.session.backend.login_maildrop(credentials, peer)
        except Refused:
            service = self.session.settings.service
            self.session.backend.journal.login_failed(service, peer, credentials.name)
            self._failures += 1
            if self._failures >= self.session.settings.max_failed_logins:
                self.session.end_reason = "failed logins"
            raise


_COMMANDS: Mapping[str, Callable[[AuthorizationState, bytes], Awaitable[None]]] = {
    "USER": AuthorizationState._user,
    "PASS": AuthorizationState._pass,
    "AUTH": AuthorizationState._auth,
    "CAPA": AuthorizationState._capa,
    "STLS": AuthorizationState._stls,
    "QUIT": AuthorizationState._quit,
}
