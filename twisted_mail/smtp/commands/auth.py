"""AUTH (RFC 4954): from the command to a submitter, or to a refusal."""

from twisted_mail.interfaces import Mechanism, Submitter
from twisted_mail.mail import base64
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.outcome import Outcome, ProtocolError, Refused, Unavailable
from twisted_mail.smtp import replies
from twisted_mail.smtp.framing import BadLine
from twisted_mail.smtp.session import SmtpSession

MAX_STEPS = 10  # no mechanism has so many


def offered_mechanisms(state: SmtpSession) -> list[Mechanism]:
    """Return the mechanisms that may be used on the line as it is now."""
    if not state.settings.offers_login:
        return []
    takes_passwords = state.wire.takes_passwords
    return [one for one in state.backend.mechanisms if takes_passwords or not one.reveals_password]


async def auth(state: SmtpSession, argument: bytes) -> None:
    """Answer AUTH mechanism [initial-response]."""
    name, _, initial = argument.partition(b" ")
    mechanism = _find(state, name.upper())
    if mechanism is None:
        return
    credentials = await _exchange(state, mechanism, initial.strip())
    if credentials is not None:
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


async def _exchange(state: SmtpSession, mechanism: Mechanism, initial: bytes) -> Credentials | None:
    """Hold the exchange; return what it said, or None when it has been answered.

    Raises ProtocolError and ConversationEnded.
    """
    exchange = mechanism.begin()
    if initial:
        said = exchange.step(base64.decode_initial(initial))
    else:
        said = exchange.step(b"") if mechanism.server_first else b""
    for _ in range(MAX_STEPS):
        if isinstance(said, Credentials):
            return said
        response = await _ask(state, said)
        if response is None:
            return None
        said = exchange.step(response)
    raise ProtocolError(Outcome(501, "5.5.2", "The authentication does not come to an end"))


async def _ask(state: SmtpSession, challenge: bytes) -> bytes | None:
    """Send a challenge; return the response, or None when the exchange is over."""
    state.wire.write(b"334 " + base64.encode(challenge) + b"\r\n")
    line = await state.read_line(state.settings.max_auth_line)
    if isinstance(line, BadLine):
        state.refuse(replies.RESPONSE_TOO_LONG if line is BadLine.LONG else replies.BARE_LINE_END)
    elif line == b"*":
        state.refuse(replies.CANCELLED)
    else:
        return base64.decode(line)
    return None


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
