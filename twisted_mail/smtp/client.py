"""The client of SMTP and LMTP: it opens connections to hosts, and hands mail on over them."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from twisted.internet.defer import CancelledError, Deferred

from twisted_mail.interfaces import BlobWriter
from twisted_mail.mail.address import Address
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.trust import Demand, Proof
from twisted_mail.net.client.host_connection import HostConnection
from twisted_mail.net.client.host_dialing import HostDialer
from twisted_mail.net.client.host_tls import HostTls, HostTlsCreator
from twisted_mail.smtp.dialogue import endings
from twisted_mail.smtp.dialogue.attempts import PROMISES, AttemptRecorder
from twisted_mail.smtp.dialogue.capabilities import Capabilities
from twisted_mail.smtp.dialogue.command_channel import CommandChannel
from twisted_mail.smtp.dialogue.endings import DialogueEnded
from twisted_mail.smtp.dialogue.fitting import MessageFitter
from twisted_mail.smtp.dialogue.mail_dialogue import MailDialogue
from twisted_mail.smtp.dialogue.message_supply import MessageSupply
from twisted_mail.smtp.dialogue.opening import Opening
from twisted_mail.smtp.dialogue.recording import DialogueRecording
from twisted_mail.smtp.dialogue.rehearsal import Rehearsed, rehearse
from twisted_mail.smtp.dialogue.round_source import DialogueDoors
from twisted_mail.smtp.dialogue.settings import ClientSettings, NextHop
from twisted_mail.smtp.dialogue.tries import BrokenTls, ConnectionTries
from twisted_mail.trust.decision import Course, Found, decide


def _nothing() -> None:
    """Do nothing."""


class SmtpClient:
    """Opens connections to mail hosts. Reactor thread only.

    Copies of messages for hosts that take ASCII alone are made one at a time, and kept in blobs of
    ``blob_writer``.
    """

    def __init__(
        self,
        dialer: HostDialer,
        tls: HostTls,
        doors: DialogueDoors,
        blob_writer: Callable[[], BlobWriter],
    ) -> None:
        self._dialer = dialer
        self._tls = tls
        self._doors = doors
        self._blob_writer = blob_writer
        self._converting = doors.blocking.lane()
        self._broken_tls = BrokenTls(doors.clock)

    async def connect(
        self, hop: NextHop, settings: ClientSettings, on_gone: Callable[[], None] = _nothing
    ) -> "ClientSession | Attempt":
        """Open a connection and go as far as MAIL is allowed, or return why that cannot be.

        ``on_gone`` is called once, when none is left of the connections that were opened for it: QUIT
        takes its time, and nobody waits for that.
        What goes wrong is this host's, whatever its code: a greeting of 554 says nothing of others.
        Where TLS is only wished for and the handshake fails, the host is connected to again in clear,
        and if that goes well, only so for a day. With HELO it is connected to again if it breaks off at
        EHLO and its greeting did not say ESMTP. Raises nothing but what is a bug.
        """
        opening = ConnectionTries(hop, settings, on_gone)
        opening.do_without_tls(self._broken_tls.why(hop))
        try:
            return await self._connected(opening)
        finally:
            opening.end()

    async def _connected(self, opening: ConnectionTries) -> "ClientSession | Attempt":
        while True:
            found = await self._try(opening)
            if not isinstance(found, DialogueEnded):
                if opening.tls_failure and isinstance(found, ClientSession):
                    self._broken_tls.note(opening.hop, opening.tls_failure)
                return found
            if not opening.follows(found):
                return opening.ended(found)

    async def _try(self, opening: ConnectionTries) -> "ClientSession | Attempt | DialogueEnded":
        """Open one connection; return a session, or why there is none."""
        hop, limits = opening.hop, opening.settings.limits
        clock = self._doors.clock
        began = clock.monotonic()
        recording = self._recording()
        recorder = opening.recorder = AttemptRecorder(clock, hop, recording)
        recorder.tls_failure = opening.tls_failure
        recorder.demanded = opening.demand.label
        try:
            connection = await self._dialer.dial(
                hop.address, hop.port, hop.source, self._creator(opening), limits.connect
            )
        except Unavailable as error:
            return recorder.not_reached(error.outcome)
        opening.count(connection)
        recorder.source = hop.source or connection.source
        recorder.phases["connect"] = clock.monotonic() - began
        opened = recording.opening if recording is not None else None
        channel = CommandChannel(connection, clock, limits.message, opened)
        return await self._opened(opening, connection, channel)

    async def _opened(
        self, opening: ConnectionTries, connection: HostConnection, channel: CommandChannel
    ) -> "ClientSession | DialogueEnded":
        settings, recorder = opening.settings, opening.recorder
        beginning = Opening(connection, channel, settings, recorder.phases, opening.says_helo)
        try:
            offered = await connection.run(beginning.run())
        except DialogueEnded as end:
            if end.is_stopped:
                raise CancelledError from None
            recorder.tls = _tls_of(connection)
            opening.is_esmtp = beginning.is_esmtp
            _leave(connection, channel, settings.limits.quit, end)
            return end
        except Exception:
            connection.abort()
            raise
        recorder.tls_failure = recorder.tls_failure or beginning.tls_failure
        recorder.tls, recorder.proven = _tls_of(connection), connection.proof.label
        if (lack := _lack(settings.demand, connection, offered)) is not None:
            _leave(connection, channel, settings.limits.quit, lack)
            return lack
        recorder.keywords = PROMISES.intersection(offered.keywords)
        fitter = MessageFitter(
            offered,
            settings.sends_signed_8bit,
            self._doors.blocking,
            self._converting,
            self._blob_writer,
        )
        dialogue = MailDialogue(channel, offered, settings, recorder, fitter, self._doors)
        return ClientSession(connection, channel, dialogue, recorder, offered, settings)

    def _recording(self) -> DialogueRecording | None:
        journal = self._doors.journal
        return DialogueRecording(self._doors.clock, journal) if journal is not None else None

    def _creator(self, opening: ConnectionTries) -> HostTlsCreator:
        return self._tls.creator(opening.hop.host, opening.settings.demand)


class ClientSession:
    """A connection to a host that is open for mail. Reactor thread only.

    ``offered`` is what the host can do.
    """

    def __init__(
        self,
        connection: HostConnection,
        channel: CommandChannel,
        dialogue: MailDialogue,
        recorder: AttemptRecorder,
        offered: Capabilities,
        settings: ClientSettings,
    ) -> None:
        self._connection = connection
        self._channel = channel
        self._dialogue = dialogue
        self._recorder = recorder
        self._settings = settings
        self._is_closed = False
        self.offered = offered

    @property
    def is_open(self) -> bool:
        """Return whether it may take another message."""
        return not self._is_closed and self._connection.is_open and self._dialogue.may_go_on

    @property
    def tls(self) -> str:
        """Return version and cipher suite, or the empty text in clear."""
        return self._recorder.tls

    @property
    def tls_failure(self) -> str:
        """Return why there is no TLS although the host offers it, or the empty text."""
        return self._recorder.tls_failure

    @property
    def proof(self) -> Proof:
        """Return what the host has proven."""
        return _proof(self._connection, self.offered)

    @property
    def messages(self) -> int:
        """Return how many mail transactions were begun."""
        return self._dialogue.rounds

    async def hand_on(self, work: MessageSupply) -> Attempt | None:
        """Hand on what there is, and wait a little for more; return None when there is none.

        Also when the connection has been used enough. ``work.done`` is called for each mail
        transaction as it ends, so more than once for a transaction of the queue whose recipients
        the host does not take at once. Returns how the connection ended if it did; what has no
        answer by then is left as it was, but for the first message. Cancelled, it ends the
        connection, and nothing is noted that is under way.
        """
        try:
            await self._connection.run(self._dialogue.hand_on(work))
        except DialogueEnded as end:
            self.abort()
            if end.is_stopped:  # cut off already
                raise CancelledError from None
            ended = self._recorder.ended(end, self._dialogue.rounds, {})
            self._recorder.keep_dialogue(ended.use, self._channel.part)
            return ended
        except Exception:
            self.abort()
            raise
        return None

    async def rehearse(self, sender: Address, recipient: Address, size: int = 0) -> list[Rehearsed]:
        """Ask the host whether it would take a message, send nothing, and return what it answered."""
        limits = self._settings.limits
        self._channel.extend(limits.message)
        asking = rehearse(self._channel, self.offered, limits, sender, recipient, size)
        return await self._connection.run(asking)

    def close(self) -> None:
        """Say QUIT and close, without making the caller wait; harmless when repeated."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._dialogue.has_quit:
            self._connection.close()
        else:
            _leave(self._connection, self._channel, self._settings.limits.quit)

    def abort(self) -> None:
        """Cut the connection off; harmless when repeated."""
        self._is_closed = True
        self._connection.abort()


def _proof(connection: HostConnection, offered: Capabilities) -> Proof:
    """Return what a host has proven, and whether it demands TLS of the next if it is asked to."""
    return replace(connection.proof, is_binding="REQUIRETLS" in offered.keywords)


def _lack(
    demand: Demand, connection: HostConnection, offered: Capabilities
) -> DialogueEnded | None:
    """Return why a host gets nothing that has not proven what is demanded; or None."""
    found = Found.NO_TLS if connection.tls_info is None else Found.TLS
    proof = _proof(connection, offered)
    if decide(demand, found, proof) is not Course.PASS_OVER:
        return None
    if demand.is_binding and not proof.is_binding:
        text = "The message requires TLS, and the host does not offer REQUIRETLS"
        return endings.tls_failed(text, "4.7.30", is_orderly=True)
    return endings.tls_failed("The host has not proven what is demanded of it", is_orderly=True)


def _tls_of(connection: HostConnection) -> str:
    return connection.tls_info.label if connection.tls_info is not None else ""


def _leave(
    connection: HostConnection,
    channel: CommandChannel,
    seconds: float,
    end: DialogueEnded | None = None,
) -> None:
    """Say QUIT, if that is still in order, and close soon (RFC 5321 §4.1.1.10). Nobody waits for it."""
    if end is not None and not end.is_orderly:
        connection.abort()
        return
    farewell = Deferred.fromCoroutine(connection.run(_say_quit(connection, channel, seconds)))
    farewell.addErrback(lambda _: connection.abort())


async def _say_quit(connection: HostConnection, channel: CommandChannel, seconds: float) -> None:
    channel.extend(seconds)
    with suppress(DialogueEnded):  # it has nothing to say that matters any more
        await channel.ask("QUIT", seconds)
    connection.close()
