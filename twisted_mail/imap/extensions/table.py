"""The tables of a service, made of the base, of our extensions, and of those that plugins bring."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import walk_packages
from typing import Protocol, TypeVar

from twisted_mail.imap import extensions
from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.extensions.base import BASE
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.fetch.plan_cache import FetchPlans
from twisted_mail.imap.tables import SessionTables


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


@dataclass(frozen=True, slots=True)
class ImapTables(SessionTables):
    """What a session knows, and the commands, which the loop looks up."""

    commands: Mapping[str, Command]


def make_tables(brought: Iterable[Extension] = ()) -> ImapTables:
    """Make the tables of one service; ``brought`` are the extensions of plugins."""
    return tables_of((BASE, *_own(), *brought))


def tables_of(every: Sequence[Extension]) -> ImapTables:
    """Make tables of nothing but these extensions.

    Capabilities are in their order. Raises ValueError when a name is there twice, or when more than
    one extension has a code for the answer to CREATE, which holds one.
    """
    create_codes = [one.create_code for one in every if one.create_code is not None]
    if len(create_codes) > 1:
        raise ValueError("two IMAP extensions have a code for the answer to CREATE")
    fetch_items = _by_name("FETCH item", (each for one in every for each in one.fetch_items))
    return ImapTables(
        capabilities=tuple(each for one in every for each in one.capabilities),
        fetch_plans=FetchPlans(fetch_items),
        search_keys=_by_name("search key", (each for one in every for each in one.search_keys)),
        status_items=_by_name("STATUS item", (each for one in every for each in one.status_items)),
        select_responses=tuple(each for one in every for each in one.select_responses),
        create_code=create_codes[0] if create_codes else None,
        return_options=_by_name(
            "return option of LIST", (each for one in every for each in one.return_options)
        ),
        commands=_by_name("command", (each for one in every for each in one.commands)),
    )


def _own() -> Iterator[Extension]:
    """Yield what the files of this room bring, in the order of their names."""
    for module in walk_packages(extensions.__path__, f"{extensions.__name__}."):
        if module.name == __name__:
            continue
        found = getattr(import_module(module.name), "EXTENSION", None)
        if found is not None:
            yield found


def _by_name(kind: str, values: Iterable[T]) -> Mapping[str, T]:
    table: dict[str, T] = {}
    for value in values:
        if value.name in table:
            raise ValueError(f"two IMAP extensions bring the {kind} {value.name}")
        table[value.name] = value
    return table
