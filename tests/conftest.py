"""Settings for the whole suite."""

import os
from typing import Any

from hypothesis import settings

# No deadlines: a busy machine is no bug. The gate repeats the same examples, so that what it says of a
# change is about the change; at other times the examples are new each run.
settings.register_profile("everywhere", deadline=None)
settings.register_profile("gate", deadline=None, derandomize=True)
settings.load_profile("gate" if os.environ.get("CI") else "everywhere")


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
