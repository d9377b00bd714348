"""docs/limits.md has every limit, with the default that is in the code."""

import dataclasses
import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from twisted_mail.config import ListenerConfig
from twisted_mail.smtp.settings import Settings, SubmissionSettings

TEXT = (Path(__file__).parents[1] / "docs" / "limits.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and "---" not in line
]
# Settings stand in the table; constants in comments of it, for this test alone.
PLACE = re.compile(r"(?:`|<!-- )([a-z_.]+\.\w+)")
PLACES = {place: row for row in ROWS for cell in row for place in PLACE.findall(cell)}
SETTINGS = {
    f"{section}.{field.name}": field.default
    for section, kind in (("smtp", Settings), ("listener", ListenerConfig))
    for field in dataclasses.fields(kind)
}
CONSTANTS = [place for place in PLACES if place.startswith("twisted_mail.")]


def as_written(value: Any) -> str:
    """Return a default as the table has it."""
    if value is dataclasses.MISSING:
        return "needed"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, str):
        return f'`"{value}"`'
    if isinstance(value, tuple):
        return " ".join(value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_in_the_table_with_its_default(name: str) -> None:
    assert name in PLACES, f"add {name} to docs/limits.md"
    assert re.split("[,;]", PLACES[name][1])[0] == as_written(SETTINGS[name])


def test_the_table_names_no_setting_that_is_none() -> None:
    named = {place for place in PLACES if place.startswith(("smtp.", "listener."))}
    assert named == set(SETTINGS)


def test_submission_has_no_other_settings() -> None:
    assert {field.name for field in dataclasses.fields(SubmissionSettings)} == {
        name.removeprefix("smtp.") for name in SETTINGS if name.startswith("smtp.")
    }


@pytest.mark.parametrize("place", CONSTANTS)
def test_every_fixed_limit_is_the_one_in_the_code(place: str) -> None:
    module, _, name = place.rpartition(".")
    assert f"{getattr(importlib.import_module(module), name):g}" == f"{float(PLACES[place][1]):g}"


def test_the_table_has_limits_of_both_kinds() -> None:
    assert len(CONSTANTS) > 10


def test_an_operator_reads_fixed_and_no_name_of_the_code() -> None:
    assert TEXT.count("fixed<!-- twisted_mail.") == len(CONSTANTS)
    assert "twisted_mail" not in re.sub("<!--.*?-->", "", TEXT)
