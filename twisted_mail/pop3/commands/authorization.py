"""The AUTHORIZATION state: logging in, and TLS before it (RFC 1939 §4, RFC 5034, RFC 2595 §4)."""

from functools import partial

from twisted_mail.interfaces import Maildrop, Mechanism, authenticate, usable_mechanisms
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import MailError, ProtocolError, Refused, Unavailable
from twisted_mail.pop3 import grammar
from twisted_mail.pop3.command_definition import Command
from twisted_mail.pop3.locked_maildrop import lock_maildrop
from twisted_mail.pop3.session import Pop3Session
from twisted_mail.pop3.state import BEFORE_LOGIN


async def _stls(session: Pop3Session, argument: bytes) -> None:
    """Begin TLS; what came in clear after the command must not be read as if it were encrypted."""
    grammar.no_argument(argument)
    if not session.wire.may_start_tls:
        is_on = session.wire.tls_info is not None
        raise ProtocolError("TLS is already active" if is_on else "TLS is not available")
    if session.has_unread:
        # Perhaps put in by somebody in between: it is never run, and the conversation ends.
        session.end_reason = "commands behind STLS"
        raise ProtocolError("Nothing may follow STLS before TLS has begun")
    session.ok("Begin TLS")
    await session.wire.start_tls()
    session.user = ""


# ---------------------------------------------------------------- USER and PASS


async def _user(session: Pop3Session, argument: bytes) -> None:
    _require_privacy(session)
    session.user = grammar.text(argument.rstrip(b" "), "The user name")
    session.ok("Send the password")


async def _pass(session: Pop3Session, argument: bytes) -> None:
    _require_privacy(session)
    if not session.user:
        raise ProtocolError("USER comes first")
    password = grammar.text(argument, "The password")  # with its spaces (RFC 1939 §7, PASS)
    name, session.user = session.user, ""
    await _log_in(session, Credentials(name, password, mechanism="USER"))


def _require_privacy(session: Pop3Session) -> None:
    if not session.wire.takes_passwords:
        raise ProtocolError("Passwords are taken under TLS only: use STLS first")


# ---------------------------------------------------------------- AUTH


async def _auth(session: Pop3Session, argument: bytes) -> None:
    words = argument.split()
    if not words:
        _list_mechanisms(session)
        return
    if len(words) > 2:
        raise ProtocolError("AUTH takes a mechanism and an initial response")
    mechanism = _mechanism(session, words[0].upper().decode("latin-1"))
    initial = words[1] if len(words) == 2 else None
    await _log_in(session, await authenticate(mechanism, initial, partial(_ask, session)))


def _list_mechanisms(session: Pop3Session) -> None:
    """Answer the bare AUTH, which some old clients send before they try any mechanism."""
    usable = usable_mechanisms(session.backend.mechanisms, session.wire.takes_passwords)
    session.open_reply(grammar.ok("Mechanisms follow"))
    session.close_reply("".join(f"{each.name}\r\n" for each in usable).encode() + b".\r\n")


def _mechanism(session: Pop3Session, name: str) -> Mechanism:
    for mechanism in session.backend.mechanisms:
        if mechanism.name == name:
            if mechanism.reveals_password:
                _require_privacy(session)
            return mechanism
    raise ProtocolError("There is no such mechanism")


async def _ask(session: Pop3Session, challenge: bytes) -> bytes:
    """Send a challenge and return the line that answers it (RFC 5034 §4)."""
    session.send(b"+ %b\r\n" % challenge)
    return await session.read_line(is_response=True)


# ---------------------------------------------------------------- the login itself


async def _log_in(session: Pop3Session, credentials: Credentials) -> None:
    """Check the credentials, lock the maildrop and enter the TRANSACTION state."""
    try:
        maildrop = await _maildrop(session, credentials)
        if not session.wire.belongs_to(maildrop.name):
            maildrop.logout()
            raise Unavailable("Too many connections of this account")
        locked = await lock_maildrop(maildrop)
    except MailError as error:
        session.send(grammar.refusal(error, is_login=True))
        return
    journal, service = session.backend.journal, session.settings.service
    peer, tls_info = session.wire.peer, session.wire.tls_info
    journal.logged_in(service, peer, maildrop.name, credentials.mechanism, tls_info)
    session.enter_transaction(locked)
    session.ok(locked.snapshot.summary)


async def _maildrop(session: Pop3Session, credentials: Credentials) -> Maildrop:
    backend, peer = session.backend, session.wire.peer
    try:
        return await backend.login_maildrop(credentials, peer, session.wire.has_hung_up)
    except Refused:
        backend.journal.login_failed(session.settings.service, peer, credentials.name)
        session.count_login_failure()
        raise


COMMANDS = (
    Command("STLS", BEFORE_LOGIN, _stls),
    Command("USER", BEFORE_LOGIN, _user),
    Command("PASS", BEFORE_LOGIN, _pass),
    Command("AUTH", BEFORE_LOGIN, _auth),
)
