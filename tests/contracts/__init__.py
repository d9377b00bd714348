"""Suites that every implementation of a door passes: subclass them and say how it is made."""

import os

import pytest

for _file in os.listdir(os.path.dirname(__file__)):
    if _file.endswith(".py"):
        pytest.register_assert_rewrite(f"{__name__}.{_file[:-3]}")
