"""Settings for the whole suite."""

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from coverage import Coverage
from hypothesis import settings

# No deadlines: a busy machine is no bug. The gate repeats the same examples, so that what it says of a
# change is about the change; at other times the examples are new each run.
settings.register_profile("everywhere", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "everywhere")

# Coverage takes twice as much time again. These go the same ways thousands of times, or through the whole
# server, and so do all properties of Hypothesis; they are run without it: what they alone reach counts as
# not covered.
UNWATCHED = [
    Path(__file__).parent / place
    for place in ("whole", "store/crash", "store/together", "queue/spool/test_crash.py")
]


def is_unwatched(item: pytest.Item) -> bool:
    """Return whether a test goes many ways many times."""
    is_property = item.get_closest_marker("hypothesis") is not None
    return is_property or any(item.path.is_relative_to(place) for place in UNWATCHED)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Run a test, and its fixtures, without coverage where that is not worth its time."""
    coverage = Coverage.current()
    if coverage is None or not is_unwatched(item):
        return (yield)
    coverage.stop()
    try:
        return (yield)
    finally:
        coverage.start()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what the long trials counted, and the size of the fault matrix: every alteration, stopped or
    failed at every step."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "figures":
                terminalreporter.write_line(f"{report.nodeid}: {value}")
    properties = [
        value
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == "faults"
    ]
    if properties:
        terminalreporter.write_line(
            f"fault matrix: {sum(properties)} faults survived, in {len(properties)} tests"
        )
