"""Waiting, but not for ever."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

log = Logger(namespace="twisted_mail")


async def wait_within(
    reactor: IReactorTime, seconds: float, name: str, work: Deferred[Any]
) -> None:
    """Wait for something to be over, and for no more than ``seconds``.

    A failure, and work that takes longer, which goes on, are logged under ``name``; nothing is raised.
    """
    over: Deferred[None] = Deferred()
    late = reactor.callLater(seconds, _is_late, over, name, seconds)

    def is_over(_: object) -> None:
        if late.active():
            late.cancel()
            over.callback(None)

    work.addErrback(lambda failure: log.failure("{name} failed", failure=failure, name=name))
    work.addCallback(is_over)
    await over


def _is_late(over: Deferred[None], name: str, seconds: float) -> None:
    log.warn("{name}: not over after {seconds:g} s, and not waited for", name=name, seconds=seconds)
    over.callback(None)
