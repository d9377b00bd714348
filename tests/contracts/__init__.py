"""Suites that every implementation of a door passes: subclass them and say how it is made."""

import pytest

for _name in (
    "ground",
    "names",
    "messages",
    "marks",
    "moves",
    "restart",
    "chance",
    "meanwhile",
    "account",
):
    pytest.register_assert_rewrite(f"tests.contracts.{_name}")
