"""The log: one method for each event.

Only this module knows how events are written. ``id`` names a message from its acceptance to its mailbox.
"""

from collections.abc import Callable, Sequence

from twisted.logger import Logger

from twisted_mail.interfaces import Peer, SmtpContext
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.verdict import FilterStage, Verdict

_UNIX = "unix"  # the address of a client over a UNIX socket, which has none


class LogJournal:
    """Fulfils ``interfaces.Journal`` with ``twisted.logger``, or with ``write``, which takes lines.

    Begin and end of each connection are logged only with ``notes_connections``, which may be set at any
    time: two lines for each cost a tenth of accepting a message. Lines are formatted here, in a tenth of
    the time that ``twisted.logger`` takes for a format with fields. Bugs always go to ``twisted.logger``.
    """

    log = Logger(namespace="twisted_mail")

    def __init__(
        self, notes_connections: bool = False, write: Callable[[str], None] | None = None
    ) -> None:
        self.notes_connections = notes_connections
        self._write = write

    def _note(self, text: str, **fields: object) -> None:
        if self._write is not None:
            self._write(text)
        else:
            self.log.info("{text}", text=text, **fields)

    def _warn(self, text: str, **fields: object) -> None:
        if self._write is not None:
            self._write(text)
        else:
            self.log.warn("{text}", text=text, **fields)

    def connected(self, service: str, peer: Peer) -> None:
        """Note that a connection came."""
        if self.notes_connections:
            host = _host(peer)
            self._note(f"{service}: connection from {host}", service=service, host=host)

    def disconnected(self, service: str, peer: Peer, reason: str) -> None:
        """Note that it ended."""
        if self.notes_connections:
            host = _host(peer)
            self._note(f"{service}: {host} gone: {reason}", service=service, host=host)

    def logged_in(self, service: str, peer: Peer, account: str) -> None:
        """Note a login."""
        host = _host(peer)
        text = f"{service}: {account} logged in from {host}"
        self._note(text, service=service, account=account, host=host)

    def login_failed(self, service: str, peer: Peer, name: str) -> None:
        """Note a refused login."""
        host, name = _host(peer), name[:100]
        text = f"{service}: login as {name!r} refused from {host}"
        self._warn(text, service=service, name=name, host=host)

    def received(self, envelope: Envelope, size: int) -> None:
        """Note that we took responsibility for a message."""
        sender, login = envelope.sender.text, envelope.submitter
        host = envelope.client_host or _UNIX
        recipients = ",".join(f"<{recipient.text}>" for recipient in envelope.recipients)
        self._note(
            f"{envelope.id}: received from=<{sender}> to={recipients} size={size} host={host}"
            f" login={login}",
            id=envelope.id,
            sender=sender,
            recipients=recipients,
            size=size,
            host=host,
            login=login,
        )

    def refused(self, service: str, peer: Peer, id: str, reason: str) -> None:
        """Note that a recipient or a message was refused."""
        host = _host(peer)
        text = f"{_of(id)}{service} refused {host}: {reason}"
        self._note(text, id=id, service=service, host=host, reason=reason)

    def judged(self, name: str, stage: FilterStage, context: SmtpContext, verdict: Verdict) -> None:
        """Note what a filter decided."""
        host, decision, reason = (
            _host(context.peer),
            verdict.decision.value,
            verdict.printable_reason,
        )
        self._note(
            f"{_of(context.id)}{name} at {stage.value}: {decision} {host}: {reason}",
            id=context.id,
            name=name,
            stage=stage.value,
            decision=decision,
            host=host,
            reason=reason,
        )

    def delivered(self, id: str, accounts: Sequence[str]) -> None:
        """Note that a message is in these accounts' inboxes."""
        names = ", ".join(accounts)
        self._note(f"{id}: delivered to {names}", id=id, accounts=names)

    def tried(self, id: str, to: str, result: str, reason: str) -> None:
        """Note the result of an attempt to pass a message to a program or a list."""
        text = f"{id}: {to}: {result}" + (reason and f": {reason}")
        self._note(text, id=id, to=to, result=result, reason=reason)

    def indexed(self, account: str, mailbox: str, done: int, total: int) -> None:
        """Note how far a long indexing for SEARCH has come."""
        text = f"{account}: {done} of {total} messages of {mailbox} are indexed for SEARCH"
        self._note(text, account=account, mailbox=mailbox, done=done, total=total)

    def warned(self, where: str, text: str) -> None:
        """Note something that the administrator should look at."""
        self._warn(f"{where} {text}", where=where)

    def failed(self, where: str) -> None:
        """Note a bug, with the traceback of the exception being handled."""
        self.log.failure("{where} failed: this is a bug", where=where)


def _of(id: str) -> str:
    """Return the beginning of a line about a message; nothing if there is none yet."""
    return id and f"{id}: "


def _host(peer: Peer) -> str:
    """Return the client's address; one over a UNIX socket has none."""
    return peer.host or _UNIX
