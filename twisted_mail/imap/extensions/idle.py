"""IDLE (RFC 2177): the client listens until it says DONE."""

from collections.abc import Callable
from contextlib import suppress
from math import inf

from twisted_mail.imap.capabilities import Capability
from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import AFTER_LOGIN
from twisted_mail.interfaces import ConversationEnded
from twisted_mail.mail.outcome import ProtocolError, Refused, Unavailable


async def _idle(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Send changes as they happen; bytes after DONE are the next command."""
    reader.end()
    session.wire.write(b"+ idling\r\n")
    stop = _wake_on_changes(session)
    try:
        line = await _listen(session)
    finally:
        stop()
    if line.upper() != b"DONE":
        raise ProtocolError("Expected DONE")
    return "IDLE terminated."


def _wake_on_changes(session: ImapSession) -> Callable[[], None]:
    if session.selected is None:
        return lambda: None
    return session.selected.mailbox.watch(lambda _: session.wire.wake())


async def _listen(session: ImapSession) -> bytes:
    """Return the line that ends the IDLE. Raises ConversationEnded if it takes too long."""
    clock, settings = session.backend.clock, session.settings
    began = clock.monotonic()
    ends_at = began + settings.idle_timeout
    speaks_at = began + settings.keepalive_seconds
    looks_at = inf if session.selected is None else began
    while (line := session.framer.line()) is None:
        await _send_updates(session)
        now = clock.monotonic()
        if now >= ends_at:
            raise ConversationEnded(ConversationEnded.Reason.TIMEOUT)
        if now >= speaks_at:
            session.untagged(b"OK Still here")
            speaks_at = now + settings.keepalive_seconds
        if now >= looks_at:
            looks_at = now + settings.idle_poll_seconds
            await _refresh(session)
        await _wait(session, min(ends_at, speaks_at, looks_at) - now)
    return line


async def _send_updates(session: ImapSession) -> None:
    await session.require_valid_login()
    if session.selected is not None and session.selected.view.is_removed:
        raise Refused("The mailbox was deleted", "NONEXISTENT")
    await session.send_updates(may_expunge=True)


async def _refresh(session: ImapSession) -> None:
    """Look for what other programs did. What they did wakes the wire."""
    with suppress(Unavailable):  # a fault that passes must not end the IDLE
        await session.require_selected().mailbox.refresh()


async def _wait(session: ImapSession, seconds: float) -> None:
    """Wait for the client, for a change, or until that many seconds have passed."""
    try:
        session.framer.feed(await session.wire.read(seconds))
    except ConversationEnded as ending:
        if ending.reason is not ConversationEnded.Reason.TIMEOUT:
            raise


EXTENSION = Extension(
    "IDLE",
    capabilities=(Capability("IDLE"),),
    commands=(Command("IDLE", AFTER_LOGIN, _idle),),
)
