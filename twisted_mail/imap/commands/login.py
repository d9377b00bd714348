"""Commands that end the not authenticated state: STARTTLS, AUTHENTICATE, LOGIN (RFC 3501 §6.2)."""

from functools import partial

from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import BEFORE_LOGIN
from twisted_mail.interfaces import Mechanism, authenticate
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import ProtocolError, Refused

SERVICE = "imap"
_FAILED = "AUTHENTICATIONFAILED"


async def _starttls(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Begin TLS; what came in clear after the command must not be read as if it were encrypted."""
    reader.end()
    wire = session.wire
    if wire.tls_info is not None:
        raise ProtocolError("TLS is on already")
    if not wire.may_start_tls:
        raise Refused("TLS is not available here", "CANNOT")
    if wire.has_unread or not session.framer.is_empty:
        session.end_session(
            "commands behind STARTTLS", "Nothing may follow STARTTLS before TLS is on"
        )
        raise ProtocolError("Nothing may follow STARTTLS before TLS is on")
    session.after_answer = wire.start_tls
    return "Begin TLS negotiation now."


async def _login(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    reader.space()
    name = reader.astring()
    reader.space()
    password = reader.astring()
    reader.end()
    _require_privacy(session, reveals_password=True)
    return await _log_in(session, _credentials(session, name, password))


def _credentials(session: ImapSession, name: bytes, password: bytes) -> Credentials:
    try:
        return Credentials(name.decode("utf-8"), password.decode("utf-8"), mechanism="LOGIN")
    except UnicodeDecodeError:
        session.backend.journal.login_failed(SERVICE, session.wire.peer, name.decode("latin-1"))
        session.count_login_failure()
        raise Refused("Name and password must be UTF-8", _FAILED) from None


def _require_privacy(session: ImapSession, reveals_password: bool) -> None:
    if reveals_password and not session.wire.takes_passwords:
        raise Refused("Passwords are taken only under TLS", "PRIVACYREQUIRED")


async def _log_in(session: ImapSession, credentials: Credentials) -> str:
    peer, journal = session.wire.peer, session.backend.journal
    try:
        avatar = await session.backend.login_mailboxes(credentials, peer, session.wire.has_hung_up)
    except Refused as error:
        journal.login_failed(SERVICE, peer, credentials.name)
        session.count_login_failure()
        raise Refused(error.outcome, error.condition or _FAILED) from None
    if not session.wire.belongs_to(avatar.name):
        avatar.logout()
        raise Refused("Too many connections of this account", "LIMIT")
    session.enter_authenticated(avatar)
    tls_info = session.wire.tls_info
    journal.logged_in(SERVICE, peer, avatar.name, credentials.mechanism, tls_info)
    return f"[CAPABILITY {session.capabilities()}] Logged in."


# ---------------------------------------------------------------- AUTHENTICATE


async def _authenticate(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Log in by SASL, with an initial response or without (RFC 3501 §6.2.2, RFC 4959 §3)."""
    reader.space()
    mechanism = _mechanism(session, reader.atom().upper())
    initial = None
    if not reader.at_end:
        reader.space()
        initial = reader.rest
    credentials = await authenticate(mechanism, initial, partial(_ask, session))
    return await _log_in(session, credentials)


def _mechanism(session: ImapSession, name: str) -> Mechanism:
    for mechanism in session.backend.mechanisms:
        if mechanism.name == name:
            _require_privacy(session, mechanism.reveals_password)
            return mechanism
    raise Refused("Unknown authentication mechanism", "CANNOT")


async def _ask(session: ImapSession, challenge: bytes) -> bytes:
    session.wire.write(b"+ %b\r\n" % challenge)
    return await session.read_line()


COMMANDS = (
    Command("STARTTLS", BEFORE_LOGIN, _starttls),
    Command("LOGIN", BEFORE_LOGIN, _login),
    Command("AUTHENTICATE", BEFORE_LOGIN, _authenticate),
)
