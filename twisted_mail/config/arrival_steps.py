"""The ``[[arrival_step]]`` tables: what plugins do with messages at their end."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from twisted_mail.config.filters import Kinds
from twisted_mail.config.mistakes import KeyPath, suggestion
from twisted_mail.config.model import ArrivalStepConfig
from twisted_mail.config.values import Complain, Structurer
from twisted_mail.smtp.arrival.added_steps import with_added
from twisted_mail.smtp.backend import AddedStep, ArrivalStep

_SECTION = "arrival_step"
_COMMON = frozenset({"kind", "services"})


class ArrivalStepReader:
    """Reads the tables; mistakes go to ``complain``.

    ``protocols`` are the plugins by name, ``services`` their settings.
    """

    def __init__(
        self,
        structure: Structurer,
        kinds: Kinds,
        protocols: Mapping[str, Any],
        services: Mapping[str, Any],
        complain: Complain,
    ) -> None:
        self._structure = structure
        self._kinds = kinds
        self._protocols = protocols
        self._services = services
        self._complain = complain
        self._added: list[AddedStep] = []

    def read(self, tables: object) -> tuple[ArrivalStepConfig, ...]:
        """Return the steps in their order."""
        if not tables:
            return ()
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._complain((_SECTION,), f"must be tables; begin each with [[{_SECTION}]]")
            return ()
        found = [self._step(table, (_SECTION, at)) for at, table in enumerate(tables)]
        return tuple(one for one in found if one is not None)

    def _step(self, table: Mapping[str, Any], place: KeyPath) -> ArrivalStepConfig | None:
        common = {name: value for name, value in table.items() if name in _COMMON}
        one = self._structure(common, ArrivalStepConfig, place, self._complain)
        if one is None:
            return None
        plugin: Any = self._kinds().get(one.kind)
        if plugin is None:
            hint = suggestion(one.kind, self._kinds())
            self._complain((*place, "kind"), f"there is no kind of step {one.kind!r}{hint}")
            return None
        self._check_services(one, plugin, place)
        own = {name: value for name, value in table.items() if name not in _COMMON}
        settings = self._structure(own, plugin.settings, place, self._complain)
        return None if settings is None else dataclasses.replace(one, settings=settings)

    def _check_services(self, one: ArrivalStepConfig, plugin: Any, place: KeyPath) -> None:
        """Complain about services that do not exist, or do not allow the step."""
        step = ArrivalStep(one.kind, lambda arrival: None)
        added = [*self._added, AddedStep(step, one.services, plugin.before, plugin.after)]
        mistakes = [self._mistake(name, added) for name in one.services]
        for at, mistake in enumerate(mistakes):
            if mistake is not None:
                self._complain((*place, "services", at), mistake)
        if not any(mistakes):
            self._added = added

    def _mistake(self, service: str, added: Sequence[AddedStep]) -> str | None:
        takers = self._takers()
        if service not in takers:
            hint = suggestion(service, takers)
            return f"there is no service {service!r} that takes mail in{hint}"
        steps = self._protocols[service].arrival(self._services[service])
        try:
            with_added(steps, added, service)
        except ValueError as error:
            return str(error)
        return None

    def _takers(self) -> Sequence[str]:
        return [
            name
            for name, plugin in self._protocols.items()
            if hasattr(plugin, "arrival") and self._services[name] is not None
        ]
