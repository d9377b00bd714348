"""Running a state machine of the queue: once over, or for the minutes that ``QUEUE_MINUTES`` says."""

import os
import time
from collections.abc import Callable

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

MINUTES = float(os.environ.get("QUEUE_MINUTES", "0"))


def run_machine(
    machine: type[RuleBasedStateMachine], of: settings, record: Callable[[str, object], None]
) -> None:
    """Run a machine as a test, and record how many examples that were."""
    end = time.monotonic() + 60 * MINUTES
    examples = 0
    while not examples or time.monotonic() < end:
        run_state_machine_as_test(machine, settings=of)
        examples += of.max_examples
    record("figures", {"examples": examples})
