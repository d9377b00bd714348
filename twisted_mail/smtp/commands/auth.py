"""AUTH (RFC 4954): from the command to a submitter, or to a refusal."""

from functools import partial

from twisted_mail.interfaces import Mechanism, Submitter, authenticate, usable_mechanisms
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import Outcome, ProtocolError, Refused, Unavailable
from twisted_mail.smtp import replies
from twisted_mail.smtp.framing import BadLine
from twisted_mail.smtp.session import SmtpSession

_BAD_RESPONSE = {
    BadLine.LONG: Outcome(500, "5.5.6", "The authentication exchange line is too long"),
    BadLine.BARE: Outcome(500, "5.5.2", "A line ends with CR LF; neither may stand alone"),
}


def offered_mechanisms(state: SmtpSession) -> list[Mechanism]:
    """Return the mechanisms that may be used on the line as it is now."""
    if not state.settings.offers_login:
        return []
    return usable_mechanisms(state.backend.mechanisms, state.wire.takes_passwords)


async def auth(state: SmtpSession, argument: bytes) -> None:
    """Answer AUTH mechanism [initial-response]."""
    name, _, initial = argument.partition(b" ")
    mechanism = _find(state, name.upper())
    if mechanism is None:
        return
    credentials = await authenticate(mechanism, initial.strip() or None, partial(_ask, state))
    await _log_in(state, credentials)


def _find(state: SmtpSession, name: bytes) -> Mechanism | None:
    """Return the mechanism of that name, or answer why not."""
    if not state.settings.offers_login or not state.backend.mechanisms:
        state.refuse(replies.NOT_OFFERED)
    elif state.submitter is not None:
        state.refuse(replies.IS_LOGGED_IN)
    elif not name:
        raise ProtocolError(Outcome(501, "5.5.4", "Syntax: AUTH mechanism"))
    else:
        return _usable(state, name)
    return None


def _usable(state: SmtpSession, name: bytes) -> Mechanism | None:
    for mechanism in state.backend.mechanisms:
        if mechanism.name.encode() == name:
            if mechanism.reveals_password and not state.wire.takes_passwords:
                state.refuse(replies.TLS_FOR_PASSWORD)
                return None
            return mechanism
    state.refuse(replies.UNKNOWN_MECHANISM)
    return None


async def _ask(state: SmtpSession, challenge: bytes) -> bytes:
    """Send a challenge and return the line that answers it (RFC 4954 §4)."""
    state.wire.write(b"334 %b\r\n" % challenge)
    line = await state.read_line(state.settings.max_auth_line)
    if isinstance(line, BadLine):
        raise ProtocolError(_BAD_RESPONSE[line])
    return line


async def _log_in(state: SmtpSession, credentials: Credentials) -> None:
    """Ask the portal, and answer."""
    backend, peer = state.backend, state.wire.peer
    try:
        submitter = await backend.login_submitter(credentials, peer)
    except Refused as error:
        backend.journal.login_failed(state.settings.service, peer, credentials.name)
        _refuse(state, error)
    except Unavailable:
        state.reply(Outcome(454, "4.7.0", "Temporary authentication failure"))
    else:
        _set_submitter(state, submitter)


def _set_submitter(state: SmtpSession, submitter: Submitter) -> None:
    state.submitter = submitter
    state.backend.journal.logged_in(state.settings.service, state.wire.peer, submitter.name)
    state.wire.write(replies.LOGGED_IN)


def _refuse(state: SmtpSession, error: Refused) -> None:
    state.failed_logins += 1
    if error.outcome.is_temporary:
        state.reply(Outcome(454, "4.7.0", error.outcome.text))
    elif state.failed_logins >= state.settings.max_failed_logins:
        state.end_session(replies.WRONG_LOGIN + replies.TOO_MANY_LOGINS, "failed logins")
    else:
        state.refuse(replies.WRONG_LOGIN)
