"""A log in a list."""

import traceback
from collections.abc import Callable
from typing import Any


class ListJournal:
    """Keeps each event as ``(name, arguments)`` in ``events``. Fulfils ``interfaces.Journal``."""

    def __init__(self) -> None:
        self.events: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, event: str) -> Callable[..., None]:
        if event.startswith("_"):
            raise AttributeError(event)
        return lambda *args: self.events.append((event, args))

    def of(self, name: str) -> list[tuple[Any, ...]]:
        """Return the arguments of each event of one name."""
        return [arguments for event, arguments in self.events if event == name]


class ServerJournal(ListJournal):
    """Keeps the traceback of a failure too."""

    def failed(self, where: str) -> None:
        """Note a bug, with the traceback of the exception being handled."""
        self.events.append(("failed", (where, traceback.format_exc())))
