"""The log: one method for each event.

Only this module knows how events are written. ``id`` names a message from its acceptance to its mailbox.
What peers and programs say reaches the log nowhere else, so it is made harmless here, for all events: a
line is one line, and no character of it moves a terminal's cursor or the order of the text.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from time import time

from twisted.logger import Logger

from twisted_mail.interfaces import Peer, SmtpContext, TlsInfo
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.verdict import FilterStage, Verdict

MAX_LINE = 16 * 1024  # characters of one event
MAX_NAMED = 100  # recipients, or accounts, of one event in the journey
_UNIX = "unix"  # the address of a client over a UNIX socket, which has none
_NO_TLS = "none"
_PLAIN = re.compile(r"[^\s\"\\]+")  # a value that needs no quotes


class LogJournal:
    """Fulfils ``interfaces.Journal`` with ``twisted.logger``, or with ``write``, which takes lines.

    Begin and end of each connection are logged only with ``notes_connections``, which may be set at any
    time: two lines for each cost a tenth of accepting a message. Lines are formatted here, in a tenth of
    the time that ``twisted.logger`` takes for a format with fields. Bugs always go to ``twisted.logger``.
    ``record``, if it is there, takes the events of messages for their journey: the time, the name, and
    the fields that ``docs/events.md`` describes.
    """

    log = Logger(namespace="twisted_mail")

    def __init__(
        self,
        notes_connections: bool = False,
        write: Callable[[str], None] | None = None,
        record: Callable[[tuple[float, str, Mapping[str, object]]], None] | None = None,
    ) -> None:
        self.notes_connections = notes_connections
        self._write = write
        self._record = record

    def _note(self, text: str, **fields: object) -> None:
        text = safe(text)
        if self._write is not None:
            self._write(text)
        else:
            self.log.info("{text}", text=text, **fields)

    def _warn(self, text: str, **fields: object) -> None:
        text = safe(text)
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

    def logged_in(
        self, service: str, peer: Peer, account: str, mechanism: str, tls_info: TlsInfo | None
    ) -> None:
        """Note a login."""
        host, tls = _host(peer), _NO_TLS if tls_info is None else tls_info.label
        text = f"{service}: {account} logged in from {host} mechanism={mechanism} tls={tls}"
        self._note(text, service=service, account=account, host=host, mechanism=mechanism, tls=tls)

    def login_failed(self, service: str, peer: Peer, name: str) -> None:
        """Note a refused login."""
        host, name = _host(peer), name[:100]
        text = f"{service}: login as {name!r} refused from {host}"
        self._warn(text, service=service, name=name, host=host)

    def received(self, envelope: Envelope, size: int) -> None:
        """Note that we took responsibility for a message."""
        sender, login = envelope.sender.text, envelope.submitter
        host, tls = envelope.client_host or _UNIX, envelope.tls or _NO_TLS
        named = [recipient.text for recipient in envelope.recipients]
        recipients = f"<{'>,<'.join(named)}>"
        self._note(
            f"{envelope.id}: received from=<{sender}> to={recipients} size={size} host={host}"
            f" login={login} tls={tls} message-id={envelope.message_id}",
            id=envelope.id,
            sender=sender,
            recipients=recipients,
            size=size,
            host=host,
            login=login,
            tls=tls,
            message_id=envelope.message_id,
        )
        if self._record is not None:
            fields: dict[str, object] = {
                "id": envelope.id,
                "from": sender,
                "to": named[:MAX_NAMED],
                "recipients": len(named),
                "size": size,
                "address": host,
                "account": login,
                "tls": tls,
                "message_id": envelope.message_id,
            }
            self._record((time(), "received", fields))

    def refused(self, service: str, peer: Peer, id: str, reason: str) -> None:
        """Note that a recipient or a message was refused."""
        host = _host(peer)
        text = f"{_of(id)}{service} refused {host}: {reason}"
        self._note(text, id=id, service=service, host=host, reason=reason)
        if self._record is not None:
            fields = {"id": id, "service": service, "address": host, "text": reason}
            self._record((time(), "refused", fields))

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
        if self._record is not None:
            of = {"id": context.id, "filter": name, "stage": stage.value, "decision": decision}
            self._record((time(), "judged", {**of, "address": host, "text": reason}))

    def delivered(self, id: str, accounts: Sequence[str], mailbox: str) -> None:
        """Note that a message is in a mailbox of each of these accounts."""
        names = ", ".join(accounts)
        text = f"{id}: delivered to {names} mailbox={mailbox}"
        self._note(text, id=id, accounts=names, mailbox=mailbox)
        if self._record is not None:
            named = list(accounts[:MAX_NAMED])
            self._record((time(), "stored", {"id": id, "accounts": named, "mailbox": mailbox}))

    def tried(self, id: str, to: str, result: str, reason: str) -> None:
        """Note the result of an attempt to pass a message to a program or a list."""
        text = f"{id}: {to}: {result}" + (reason and f": {reason}")
        self._note(text, id=id, to=to, result=result, reason=reason)
        if self._record is not None:
            fields = {"id": id, "list": to, "result": result, "text": reason}
            self._record((time(), "moderated", fields))

    def indexed(self, account: str, mailbox: str, done: int, total: int) -> None:
        """Note how far a long indexing for SEARCH has come."""
        text = f"{account}: {done} of {total} messages of {mailbox} are indexed for SEARCH"
        self._note(text, account=account, mailbox=mailbox, done=done, total=total)

    def rendered(self, account: str, mailbox: str, done: int, total: int) -> None:
        """Note how far a long rendering of what lists of messages show has come."""
        text = f"{account}: {done} of {total} messages of {mailbox} are prepared for lists"
        self._note(text, account=account, mailbox=mailbox, done=done, total=total)

    def queue_event(self, id: str, event: str, fields: Mapping[str, object]) -> None:
        """Note an event of a message in the queue: ``id: event key=value key="two words"``.

        Empty fields are left out. A value with spaces, quotes or backslashes is in quotes,
        with a backslash before quotes and backslashes, so that nothing in it looks like another field.
        """
        shown = {key: text for key, value in fields.items() if (text := str(value))}
        pairs = "".join(f" {key}={_quoted(value)}" for key, value in shown.items())
        self._note(f"{_of(id)}{event}{pairs}", id=id, event=event, fields=shown)
        if self._record is not None:
            self._record((time(), event, {"id": id, **fields}))

    def warned(self, where: str, text: str) -> None:
        """Note something that the administrator should look at."""
        self._warn(f"{where} {text}", where=where)

    def failed(self, where: str) -> None:
        """Note a bug, with the traceback of the exception being handled."""
        self.log.failure("{where} failed: this is a bug", where=where)


def safe(text: str) -> str:
    """Return a text with escapes for what is no visible character, cut to ``MAX_LINE``.

    Escaped are control characters (C0 and C1), line ends, what turns the direction of writing, and octets
    that are no UTF-8; what people write in their languages stays.
    """
    if len(text) > MAX_LINE:
        text = f"{text[:MAX_LINE]}... ({len(text) - MAX_LINE} more)"
    if text.isprintable():  # nearly always
        return text
    return "".join([one if one.isprintable() else ascii(one)[1:-1] for one in text])


def _quoted(value: str) -> str:
    """Return a value as fields have it: in quotes where it could be taken for more than one."""
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _of(id: str) -> str:
    """Return the beginning of a line about a message; nothing if there is none yet."""
    return id and f"{id}: "


def _host(peer: Peer) -> str:
    """Return the client's address; one over a UNIX socket has none."""
    return peer.host or _UNIX
