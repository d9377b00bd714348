"""The ``[[filter]]`` tables: the options that every filter has, and those of its kind."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from twisted_mail.config.mistakes import KeyPath, suggestion
from twisted_mail.config.model import FilterConfig
from twisted_mail.config.values import Complain, Structurer

_COMMON = frozenset(item.name for item in dataclasses.fields(FilterConfig)) - {"settings"}
Kinds = Callable[[], Mapping[str, Any]]


def filters(
    tables: object,
    structure: Structurer,
    kinds: Kinds,
    services: Mapping[str, Any],
    complain: Complain,
) -> tuple[FilterConfig, ...]:
    """Return the filters in their order; mistakes go to ``complain``.

    ``kinds`` returns the plugins by name; it is not called if there is no table.
    """
    if not tables:
        return ()
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        complain(("filter",), "must be tables; begin each with [[filter]]")
        return ()
    known = kinds()
    found = []
    for at, table in enumerate(tables):
        place: KeyPath = ("filter", at)
        one = _filter(table, place, structure, known, complain)
        if one is not None:
            _check_services(one, place, services, complain)
            found.append(one)
    _check_names(found, complain)
    return tuple(found)


def _filter(
    table: Mapping[str, Any],
    place: KeyPath,
    structure: Structurer,
    known: Mapping[str, Any],
    complain: Complain,
) -> FilterConfig | None:
    common = {name: value for name, value in table.items() if name in _COMMON}
    one = structure(common, FilterConfig, place, complain)
    if one is None:
        return None
    if one.kind not in known:
        hint = suggestion(one.kind, known)
        complain((*place, "kind"), f"there is no kind of filter {one.kind!r}{hint}")
        return None
    own = {name: value for name, value in table.items() if name not in _COMMON}
    settings = structure(own, known[one.kind].settings, place, complain)
    if settings is None:
        return None
    return dataclasses.replace(one, name=one.name or one.kind, settings=settings)


def _check_services(
    one: FilterConfig, place: KeyPath, services: Mapping[str, Any], complain: Complain
) -> None:
    for at, name in enumerate(one.services):
        if name not in services:
            hint = suggestion(name, services)
            complain((*place, "services", at), f"there is no service {name!r}{hint}")


def _check_names(found: list[FilterConfig], complain: Complain) -> None:
    """Complain about names that are taken: log and headers must not confuse two filters."""
    taken: set[str] = set()
    for at, one in enumerate(found):
        if one.name in taken:
            complain(("filter", at), f"another filter is called {one.name!r}; give it a name")
        taken.add(one.name)
