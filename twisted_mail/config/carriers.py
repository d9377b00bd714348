"""The ``[[carrier]]`` tables: what plugins bring mail on with."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from twisted_mail.config.filters import Kinds
from twisted_mail.config.mistakes import KeyPath, suggestion
from twisted_mail.config.model import CarrierConfig
from twisted_mail.config.values import Complain, Structurer

_SECTION = "carrier"
BUILT_IN = {  # carriers that no plugin brings, and where their options are
    "smtp": "[sending]",
    "program": "[[program]]",
    "list": "[lists]",
    "account": "[queue]",
}


class CarrierReader:
    """Reads the tables; mistakes go to ``complain``."""

    def __init__(self, structure: Structurer, kinds: Kinds, complain: Complain) -> None:
        self._structure = structure
        self._kinds = kinds
        self._complain = complain

    def read(self, tables: object) -> tuple[CarrierConfig, ...]:
        """Return the carriers in their order."""
        if not tables:
            return ()
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._complain((_SECTION,), f"must be tables; begin each with [[{_SECTION}]]")
            return ()
        found = [self._carrier(table, (_SECTION, at)) for at, table in enumerate(tables)]
        return tuple(one for one in found if one is not None)

    def _carrier(self, table: Mapping[str, Any], place: KeyPath) -> CarrierConfig | None:
        common = {name: value for name, value in table.items() if name == "kind"}
        one = self._structure(common, CarrierConfig, place, self._complain)
        if one is None:
            return None
        plugin: Any = self._kinds().get(one.kind)
        if plugin is None:
            self._complain((*place, "kind"), self._no_kind(one.kind))
            return None
        own = {name: value for name, value in table.items() if name != "kind"}
        settings = self._structure(own, plugin.settings, place, self._complain)
        return None if settings is None else dataclasses.replace(one, settings=settings)

    def _no_kind(self, kind: str) -> str:
        if kind in BUILT_IN:
            return f"the carrier {kind!r} is always there: {BUILT_IN[kind]} has its options"
        return f"there is no kind of carrier {kind!r}{suggestion(kind, self._kinds())}"
