"""docs/filters.md explains every option of every kind that comes with the server."""

import dataclasses
import json
import re
import typing
from pathlib import Path
from typing import Any

import pytest

from twisted_mail.plugin import BuiltinFilter
from twisted_mail.plugins import external_filters, filters
from twisted_mail.policy.checks.check import CheckSettings

TEXT = (Path(__file__).parents[2] / "docs" / "filters.md").read_text()
SECTIONS = dict(re.findall(r"\n### ([\w-]+)\n(.*?)(?=\n##)", TEXT, re.DOTALL))
COMMON = {"stage", "trusted", "spares"}
KINDS: dict[str, Any] = {
    one.name: one
    for module in (filters, external_filters)
    for one in vars(module).values()
    if isinstance(one, BuiltinFilter)
}


def rows(section: str) -> dict[str, str]:
    return dict(re.findall(r"\| `(\w+)` \| (.+?) \| ", section))


def as_written(item: Any) -> str:
    if item.default is dataclasses.MISSING:
        return "needed"
    value = item.default
    number = isinstance(value, float) and value == int(value)
    return f"`{json.dumps(int(value) if number else value)}`"


@pytest.mark.parametrize("name", KINDS)
def test_every_option_is_explained_with_its_default(name: str) -> None:
    written = rows(SECTIONS[name])
    settings = KINDS[name].settings
    tables = [
        inner
        for kind in typing.get_type_hints(settings).values()
        for inner in typing.get_args(kind)
        if dataclasses.is_dataclass(inner)
    ]
    for kind in (settings, *tables):
        for item in dataclasses.fields(kind):
            if item.name in COMMON and item.name not in written:
                assert issubclass(settings, CheckSettings)
                written[item.name] = rows(SECTIONS["reverse-name"])[item.name]
            assert written.pop(item.name, None) == as_written(item), item.name
    assert not written


def test_there_are_no_other_kinds() -> None:
    assert set(SECTIONS) >= set(KINDS)
