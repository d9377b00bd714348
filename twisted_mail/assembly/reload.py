"""Reading the configuration again while the server runs.

| step | when it fails |
| --- | --- |
| read and check the files | the mistakes are the answer, and all is as it was |
| make what conversations are made of; read the certificates | the same |
| open the sockets of added listeners | they are closed again, and the same |
| let new connections use all that; workers too; close removed listeners | nothing of it can fail |

What only a restart can change stays as it was, and is named in the answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from twisted_mail.assembly.assembly import Assembly
from twisted_mail.assembly.conversations import ConversationAssembly
from twisted_mail.assembly.listener_set import ListenerSet
from twisted_mail.config import Config, ConfigError, load
from twisted_mail.config.changes import compare
from twisted_mail.net.server.listener import CannotListen, Listener

log = Logger(namespace="twisted_mail")


@dataclass(frozen=True, slots=True)
class ReloadAnswer:
    """What came of a reload, in lines for people: with ``mistakes`` nothing changed.

    ``warnings`` are about certificates that cannot be used; others are used instead.
    """

    done: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()


class Workers:
    """What a reload asks of worker processes; here of none. See ``workers.pool``."""

    async def release(self, listeners: Sequence[Listener]) -> None:
        """Let no worker accept connections of these listeners any more."""

    async def follow(self) -> None:
        """Let all workers do what the configuration in force says."""


class Reload:
    """Reads the configuration again; one reload at a time, and at most one that waits."""

    def __init__(
        self,
        parts: Assembly,
        listeners: ListenerSet,
        workers: Workers,
        read: Callable[..., Config] = load,
    ) -> None:
        self._parts = parts
        self._listeners = listeners
        self._workers = workers
        self._read = read
        self._lock = DeferredLock()
        self._is_awaited = False  # one call waits until the reload that runs is over
        self._sharing: list[Deferred[ReloadAnswer]] = []  # calls that came after it
        self._is_closed = False

    async def run(self) -> ReloadAnswer:
        """Reload, log what came of it line by line, and return it.

        All calls that come while a reload runs share the next one.
        """
        if self._is_awaited:
            shared: Deferred[ReloadAnswer] = Deferred()
            self._sharing.append(shared)
            return await shared
        self._is_awaited = True
        await self._lock.acquire()
        self._is_awaited = False
        sharing, self._sharing = self._sharing, []
        try:
            answer = await self._run()
        finally:
            self._lock.release()
        _note(answer)
        for each in sharing:
            each.callback(answer)
        return answer

    async def _run(self) -> ReloadAnswer:
        try:
            new = await self._parts.threads.files.run(self._read, self._parts.config.path)
            return await self._change(new)
        except ConfigError as error:
            return ReloadAnswer(mistakes=tuple(map(str, error.mistakes)))
        except CannotListen as error:
            await self._workers.follow()  # a port that could not move has a new socket
            return ReloadAnswer(mistakes=tuple(str(error).splitlines()))
        except Exception as error:
            log.failure("the reload failed")
            return ReloadAnswer(mistakes=(str(error) or type(error).__name__,))

    def close(self) -> None:
        """Change nothing any more: the server ends."""
        self._is_closed = True

    async def _change(self, new: Config) -> ReloadAnswer:
        changes = compare(self._parts.config, new)
        stamp = self._parts.conversations.listeners.certificates.stamp
        conversations = await self._parts.prepare(changes.config)
        if conversations.listeners.lacks_certificate:
            folder = changes.config.tls.folder
            unusable = conversations.listeners.certificates.unusable
            return ReloadAnswer(mistakes=(*unusable, f"no usable certificate in {folder}"))
        if self._is_closed:
            return ReloadAnswer(mistakes=("the server is ending",))
        make_factory = conversations.listeners.make_factory
        await self._listeners.change(changes.config.listeners, make_factory, self._workers.release)
        self._parts.take_over(changes.config, conversations)
        await self._workers.follow()
        done = (*changes.done, *_certificates(stamp, conversations))
        unusable = conversations.listeners.certificates.unusable
        return ReloadAnswer(done, unusable, changes.needs_restart)


def _certificates(stamp: Any, conversations: ConversationAssembly) -> Sequence[str]:
    """Return what is new about certificates."""
    certificates = conversations.listeners.certificates
    return () if certificates.stamp == stamp else (f"certificates: {certificates.summary}",)


def _note(answer: ReloadAnswer) -> None:
    for text in answer.mistakes:
        log.error("reload: {text}", text=text)
    if answer.mistakes:
        log.error("reload: refused; the configuration that was in force stays in force")
        return
    for text in answer.done:
        log.info("reload: {text}", text=text)
    for text in answer.needs_restart:
        log.warn("reload: {text} needs a restart", text=text)
    if not answer.done:
        log.info("reload: nothing changes")
