"""AUTH (RFC 4954): from the command to a submitter, or to a refusal."""

from functools import partial

from twisted_mail.interfaces import Mechanism, Submitter, authenticate
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import Outcome, ProtocolError, Refused, Unavailable
from twisted_mail.smtp import replies
from twisted_mail.smtp.command_definition import OPENS_MAIL, Command
from twisted_mail.smtp.framing import BadLine, Flaw
from twisted_mail.smtp.session import SmtpSession

_TOO_MANY = Outcome(454, "4.7.0", "Too many connections of this account")
_TOO_LONG = Outcome(500, "5.5.6", "The authentication exchange line is too long")
_MALFORMED = Outcome(500, "5.5.2", "A line ends with CR LF, and has neither alone, nor NUL")


async def auth(session: SmtpSession, argument: bytes) -> None:
    """Answer AUTH mechanism [initial-response]."""
    name, _, initial = argument.partition(b" ")
    mechanism = _find(session, name.upper())
    if mechanism is None:
        return
    credentials = await authenticate(mechanism, initial.strip() or None, partial(_ask, session))
    await _log_in(session, credentials)


def _find(session: SmtpSession, name: bytes) -> Mechanism | None:
    """Return the mechanism of that name, or answer why not."""
    if not session.settings.offers_login or not session.backend.mechanisms:
        session.refuse(replies.NOT_OFFERED)
    elif session.submitter is not None:
        session.refuse(replies.IS_LOGGED_IN)
    elif not name:
        raise ProtocolError(Outcome(501, "5.5.4", "Syntax: AUTH mechanism"))
    else:
        return _usable(session, name)
    return None


def _usable(session: SmtpSession, name: bytes) -> Mechanism | None:
    for mechanism in session.backend.mechanisms:
        if mechanism.name.encode() == name:
            if mechanism.reveals_password and not session.wire.takes_passwords:
                session.refuse(replies.TLS_FOR_PASSWORD)
                return None
            return mechanism
    session.refuse(replies.UNKNOWN_MECHANISM)
    return None


async def _ask(session: SmtpSession, challenge: bytes) -> bytes:
    """Send a challenge and return the line that answers it (RFC 4954 §4)."""
    session.wire.write(b"334 %b\r\n" % challenge)
    line = await session.read_line(session.settings.max_auth_line)
    if isinstance(line, BadLine):
        raise ProtocolError(_TOO_LONG if line.flaw is Flaw.LONG else _MALFORMED)
    return line


async def _log_in(session: SmtpSession, credentials: Credentials) -> None:
    """Ask the portal, and answer."""
    backend, peer = session.backend, session.wire.peer
    try:
        submitter = await backend.login_submitter(credentials, peer, session.wire.has_hung_up)
    except Refused as error:
        backend.journal.login_failed(session.settings.service, peer, credentials.name)
        _refuse(session, error)
    except Unavailable:
        session.reply(Outcome(454, "4.7.0", "Temporary authentication failure"))
    else:
        if session.wire.belongs_to(submitter.name):
            _set_submitter(session, submitter, credentials.mechanism)
        else:
            submitter.logout()
            session.reply(_TOO_MANY)


def _set_submitter(session: SmtpSession, submitter: Submitter, mechanism: str) -> None:
    session.submitter = submitter
    service, wire = session.settings.service, session.wire
    session.backend.journal.logged_in(service, wire.peer, submitter.name, mechanism, wire.tls_info)
    session.wire.write(replies.LOGGED_IN)


def _refuse(session: SmtpSession, error: Refused) -> None:
    is_last = session.limits.count_login_failure()
    if error.outcome.is_temporary:
        session.reply(Outcome(454, "4.7.0", error.outcome.text))
    elif is_last:
        session.end_session(replies.WRONG_LOGIN + replies.TOO_MANY_LOGINS, "failed logins")
    else:
        session.refuse(replies.WRONG_LOGIN)


COMMANDS = (
    Command(
        auth,
        "AUTH mechanism [initial-response]",
        OPENS_MAIL,
        is_junk=True,
        keyword="AUTH",
        is_open=lambda session: session.submitter is None,
    ),
)
