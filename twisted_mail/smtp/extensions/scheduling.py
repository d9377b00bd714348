"""When messages go: FUTURERELEASE (RFC 4865), DELIVERBY (RFC 2852), MT-PRIORITY (RFC 6710)."""

import re
from datetime import UTC, datetime, timedelta

from twisted_mail.mail.envelope import DeliverBy, FutureRelease
from twisted_mail.mail.outcome import Outcome, ProtocolError
from twisted_mail.smtp.extensions.extension import malformed
from twisted_mail.smtp.session import SmtpSession

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTERVAL = re.compile(r"[1-9][0-9]{0,8}")
_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?(?:Z|[+-]00:00)",
    re.IGNORECASE,
)
_BY = re.compile(r"([+-]?[0-9]{1,9});([NR])(T?)", re.IGNORECASE)
_PRIORITY = re.compile(r"-?[1-9]|0")


def hold_limits(session: SmtpSession) -> str:
    """Return how long messages are held at most, as EHLO says it (RFC 4865 §3)."""
    most = session.settings.max_hold
    last = _EPOCH + timedelta(seconds=int(session.backend.clock.now()) + most)
    return f"{most} {last:%Y-%m-%dT%H:%M:%SZ}"


def read_hold_for(session: SmtpSession, value: str | None) -> FutureRelease:
    """Return until when a message is held that waits a number of seconds."""
    if not value or not _INTERVAL.fullmatch(value):
        malformed("HOLDFOR is a number of seconds")
    return _hold(session, session.backend.clock.now() + int(value), f"for;{value}")


def read_hold_until(session: SmtpSession, value: str | None) -> FutureRelease:
    """Return until when a message is held that names the moment."""
    match = _MOMENT.fullmatch(value or "")
    try:
        if match is None:
            raise ValueError
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}+00:00")
    except ValueError:
        malformed("HOLDUNTIL is a time such as 2027-01-31T12:00:00Z")
    until = (moment - _EPOCH).total_seconds()
    if until <= session.backend.clock.now():
        malformed("HOLDUNTIL is not in the future")
    return _hold(session, until, f"until;{value}")


def _hold(session: SmtpSession, until: float, request: str) -> FutureRelease:
    if until > session.backend.clock.now() + session.settings.max_hold:
        malformed(f"Messages are held for {session.settings.max_hold} seconds at most")
    return FutureRelease(until, request)


def least_deliver_by(session: SmtpSession) -> str:
    """Return the shortest time in which messages can be promised to arrive (RFC 2852 §2)."""
    return str(session.settings.min_deliver_by)


def read_by(session: SmtpSession, value: str | None) -> DeliverBy:
    """Return until when a message is to be delivered (RFC 2852 §4)."""
    match = _BY.fullmatch(value or "")
    if match is None:
        malformed("BY is seconds;N or seconds;R, and perhaps a T")
    seconds, is_returned = int(match[1]), match[2].upper() == "R"
    if is_returned and seconds <= 0:
        malformed("That time has passed")
    if is_returned and seconds < session.settings.min_deliver_by:
        text = f"Delivery takes {session.settings.min_deliver_by} seconds at least"
        raise ProtocolError(Outcome(555, "5.5.4", text))
    return DeliverBy(session.backend.clock.now() + seconds, is_returned, bool(match[3]))


def read_priority(session: SmtpSession, value: str | None) -> int:
    """Return the priority of a message (RFC 6710 §7)."""
    if not value or not _PRIORITY.fullmatch(value):
        malformed("MT-PRIORITY is a number from -9 to 9", "5.5.2")
    return int(value)
