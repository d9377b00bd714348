"""One connection: commands are sent without waiting, and each knows what its answer must be."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.imap_stress import grammar
from bench.imap_stress.grammar import Value, text
from bench.imap_stress.knowledge import Knowledge
from bench.imap_stress.view import SeenMessage, View

PATIENCE = 60.0  # seconds for an answer
KEPT = 200  # lines of a conversation, for the report of an error
BY_NUMBER = frozenset({"FETCH", "STORE", "SEARCH", "COPY", "MOVE"})


@dataclass(eq=False)
class Sent:
    """A command under way. ``messages`` are those it names, ``fetched`` those whose flags came since.

    ``check`` looks at its end.
    """

    name: str
    line: str
    done: asyncio.Future[str]
    messages: list[SeenMessage] = field(default_factory=list)
    fetched: list[SeenMessage] = field(default_factory=list)
    check: Callable[[str, str], None] = lambda status, rest: None


class Client:
    """A session of one account, with the ``view`` that it has of the mailbox."""

    def __init__(self, port: int, user: str, known: Knowledge) -> None:
        self._port, self._user, self.known = port, user, known
        self.pending: dict[str, Sent] = {}
        self.is_leaving = False
        self.log: deque[bytes] = deque(maxlen=KEPT)
        self._tags = 0

    async def connect(self, session: int) -> None:
        """Connect and log in."""
        self.view = View(self.known, session, self._heard)
        self.is_leaving = False
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self._port, limit=1 << 24
        )
        await self._response()
        self._reading = asyncio.ensure_future(self._read())
        await self.run("LOGIN", f'LOGIN "{self._user}" secret')

    async def leave(self) -> None:
        """Log out, and wait for the end of the connection."""
        self.is_leaving = True
        await self.run("LOGOUT", "LOGOUT")
        self._writer.close()
        await self._reading

    # ------------------------------------------------------------ sending

    def send(
        self, name: str, line: str, numbers: tuple[int, ...] = (), literal: bytes | None = None
    ) -> Sent:
        """Send a command that names messages by these numbers."""
        self._tags += 1
        tag = f"{self.view.session}.{self._tags}"
        sent = Sent(name, line, asyncio.get_running_loop().create_future())
        sent.messages = [self.view.messages[number - 1] for number in numbers]
        for message in sent.messages:
            message.references += 1
        self.pending[tag] = sent
        octets = f"{tag} {line}".encode()
        if literal is not None:
            octets += b" {%d+}\r\n" % len(literal) + literal
        self.log.append(b"C: " + octets[:2000])
        self._writer.write(octets + b"\r\n")
        self.known.commands[name] += 1
        return sent

    async def run(self, name: str, line: str, literal: bytes | None = None) -> str:
        """Send a command and wait for its end; return the text after OK."""
        return await asyncio.wait_for(self.send(name, line, (), literal).done, PATIENCE)

    @property
    def oldest(self) -> Sent | None:
        """Return the first command that has not ended."""
        return next(iter(self.pending.values()), None)

    async def settled(self) -> None:
        """Wait until no command is under way."""
        while (oldest := self.oldest) is not None:
            await asyncio.wait_for(asyncio.shield(oldest.done), PATIENCE)

    # ------------------------------------------------------------ reading

    async def _response(self) -> bytes:
        whole = await self._reader.readline()
        while more := grammar.LITERAL_END.search(whole):
            whole += await self._reader.readexactly(int(more[1]))
            whole += await self._reader.readline()
        if not whole:
            raise EOFError
        self.log.append(b"S: " + whole[:2000].rstrip())
        return whole.rstrip(b"\r\n")

    async def _read(self) -> None:
        try:
            while True:
                self._take(grammar.values(await self._response()))
        except (EOFError, ConnectionError, asyncio.IncompleteReadError):
            if not self.is_leaving:
                self.view.wrong(f"disconnected with {[one.line for one in self.pending.values()]}")
        except Exception as error:
            self.view.wrong(f"cannot read this: {error!r}")
            raise
        finally:
            for sent in self.pending.values():
                sent.done.cancel()

    def _heard(self, message: SeenMessage) -> None:
        for sent in self.pending.values():
            if message in sent.messages:
                sent.fetched.append(message)

    def _take(self, response: list[Value]) -> None:
        first = text(response[0])
        if first == "*":
            self.view.take(response[1:], self.oldest.name if self.oldest else "")
        elif first == "+":
            self._writer.write(b"DONE\r\n")  # only IDLE waits for it
        elif first in self.pending:
            self._end(self.pending.pop(first), response[1:])
        else:
            self.view.wrong(f"unexpected {text(response)[:200]}")

    def _end(self, sent: Sent, rest: list[Value]) -> None:
        status, words = text(rest[0]).upper(), text(rest[1:])
        for message in sent.messages:
            message.references -= 1
        # What another has expunged meanwhile cannot be fetched or altered (RFC 2180 §4).
        is_gone = sent.name in BY_NUMBER and "EXPUNGEISSUED" in words.upper()
        if status != "OK" and not is_gone:
            self.view.wrong(f"{status} to {sent.line[:200]}: {words[:200]}")
        sent.check(status, words)
        if not sent.done.done():
            sent.done.set_result(words)
