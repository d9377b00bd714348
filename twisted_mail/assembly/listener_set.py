"""The listeners of the configuration in force, and how others take their place.

A listener whose endpoint stays keeps its socket, and every open connection goes on, also where its
listener is gone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred

from twisted_mail.config import ListenerConfig, endpoints
from twisted_mail.config.changes import match_endpoints
from twisted_mail.net.server.endpoints import ServerEndpoints
from twisted_mail.net.server.listener import CannotListen, Listener
from twisted_mail.net.server.listening import StoppableFactory

MakeFactory = Callable[[ListenerConfig, int], StoppableFactory]


class ListenerSet:
    """The listeners, in the order of the configuration.

    Each gets the next of ``numbers``, which is never given again. Raises CannotListen, with all reasons.
    """

    def __init__(
        self,
        reactor: Any,
        configured: Sequence[ListenerConfig],
        make_factory: MakeFactory,
        numbers: Iterable[int],
    ) -> None:
        self._endpoints = ServerEndpoints(reactor)
        self._numbers = iter(numbers)
        self._given_back: list[int] = []  # by listeners that never listened
        self._configured = tuple(configured)
        self._leaving: list[Listener] = []  # closed, with connections that are open
        self.all = list(self._make_all(dict(enumerate(configured)), make_factory).values())

    def _make_all(
        self, configured: Mapping[int, ListenerConfig], make_factory: MakeFactory
    ) -> dict[int, Listener]:
        """Return listeners by their places in the configuration."""
        made, reasons = {}, []
        for at, one in configured.items():
            try:
                made[at] = self._make(at, one, make_factory)
            except CannotListen as error:
                reasons.append(str(error))
        if reasons:
            self._given_back += [one.number for one in made.values()]
            raise CannotListen("\n".join(reasons))
        return made

    def _make(self, at: int, one: ListenerConfig, make_factory: MakeFactory) -> Listener:
        try:
            endpoint = self._endpoints.make(one.endpoint)
        except ValueError as error:
            raise CannotListen(f"listener[{at + 1}]: {error}") from None
        number = self._given_back.pop() if self._given_back else next(self._numbers, None)
        if number is None:
            text = "too many were added since the start; restart the server"
            raise CannotListen(f"listener[{at + 1}]: {text}")
        return Listener(number, _description(one), endpoint, make_factory(one, number))

    @property
    def configured(self) -> dict[int, ListenerConfig]:
        """Return the configuration of each listener, by number."""
        return {made.number: one for made, one in zip(self.all, self._configured, strict=True)}

    @property
    def unused_sockets(self) -> list[str]:
        """Return the names of the sockets of systemd that no listener has."""
        return self._endpoints.unused

    async def listen(self) -> None:
        """Start accepting. Raises CannotListen; those that can do so then accept nevertheless."""
        await _listen(self.all)

    # ------------------------------------------------------------ others take their place

    async def change(
        self,
        configured: Sequence[ListenerConfig],
        make_factory: MakeFactory,
        release: Callable[[Sequence[Listener]], Any],
    ) -> None:
        """Let other listeners take the place of these, with what ``make_factory`` makes.

        ``release`` is called with listeners whose port is about to be closed, and may return an
        awaitable. Raises CannotListen, and then all is as it was before.
        """
        pairs = match_endpoints(self._configured, configured)
        added = {at: one for at, one in enumerate(configured) if at not in pairs}
        removed = [one for at, one in enumerate(self.all) if at not in pairs.values()]
        rivals = self._rivals(removed, added.values())
        self._check_rights(added, rivals)
        made = self._make_all(added, make_factory)
        factories = {at: make_factory(configured[at], self.all[pairs[at]].number) for at in pairs}
        await self._open(list(made.values()), rivals, release)
        for at, factory in factories.items():
            kept = made[at] = self.all[pairs[at]]
            kept.serve(_description(configured[at]), factory)
        self.all = [made[at] for at in range(len(configured))]
        self._configured = tuple(configured)
        await self._leave(removed, release)

    def _rivals(
        self, removed: Sequence[Listener], added: Iterable[ListenerConfig]
    ) -> list[Listener]:
        """Return those of the removed listeners whose ports, or paths, added ones need."""
        wanted = {_place(one) for one in added} - {None}
        return [one for one in removed if _place(self.configured[one.number]) in wanted]

    def _check_rights(
        self, added: Mapping[int, ListenerConfig], rivals: Sequence[Listener]
    ) -> None:
        """Raise CannotListen before a port is closed that this process could not open again."""
        closed = {_place(self.configured[one.number]) for one in rivals}
        reasons = [
            f"listener[{at + 1}]: {one.endpoint} can be opened by root, or with CAP_NET_BIND_SERVICE,"
            " only: restart the server"
            for at, one in added.items()
            if isinstance(place := _place(one), int)
            and place in closed
            and self._endpoints.lacks_right(place)
        ]
        if reasons:
            raise CannotListen("\n".join(reasons))

    async def _open(
        self,
        added: Sequence[Listener],
        rivals: Sequence[Listener],
        release: Callable[[Sequence[Listener]], Any],
    ) -> None:
        """Open what is added; if one cannot be opened, put everything back."""
        await _release(rivals, release)
        try:
            await _listen(added)
        except CannotListen:
            for one in added:
                await one.close()
            self._given_back += [one.number for one in added]
            with suppress(CannotListen):
                await _listen(rivals)
            raise

    async def _leave(
        self, removed: Sequence[Listener], release: Callable[[Sequence[Listener]], Any]
    ) -> None:
        await _release([one for one in removed if one.address is not None], release)
        self._leaving = [one for one in (*self._leaving, *removed) if not one.is_idle]

    def stop(self) -> list[Deferred[Any]]:
        """Accept no more, and end the open conversations, those of removed listeners too."""
        return [one.stop() for one in (*self.all, *self._leaving)]


async def _listen(listeners: Sequence[Listener]) -> None:
    reasons = []
    for one in listeners:
        try:
            await one.listen()
        except CannotListen as error:
            reasons.append(str(error))
    if reasons:
        raise CannotListen("\n".join(reasons))


async def _release(listeners: Sequence[Listener], release: Callable[..., Any]) -> None:
    if listeners:
        await release(listeners)
        for one in listeners:
            await one.close()


def _description(one: ListenerConfig) -> str:
    return f"{one.service} on {one.endpoint}"


def _place(one: ListenerConfig) -> object:
    """Return what two sockets cannot share, whatever the interface; None where they may."""
    endpoint = endpoints.parse(one.endpoint)
    return ("unix", endpoint.path) if endpoint.kind == "unix" else endpoint.port or None
