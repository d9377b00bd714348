"""kill -9 while mail flows between two servers and into a sink: what was answered 250 arrives, and is
reported once; what arrives twice does so within the window that docs/queue.md has.

``QUEUE_ROUNDS=200`` ends them so often, in turn and both at once; a round takes about two seconds.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.whole.queue_trials.trial import trial_of
from tests.whole.queue_trials.trial_server import TrialServer
from tests.whole.queue_trials.users import USERS

ROUNDS = int(os.environ.get("QUEUE_ROUNDS", "10"))

pytestmark = pytest.mark.whole


def test_nothing_is_lost_and_nothing_reported_twice(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with trial_of(TrialServer, tmp_path, seed=ROUNDS) as trial:
        for _ in range(ROUNDS):
            trial.play_round()
        trial.settle(seconds=120)
        trial.findings.check()
        assert len(trial.promised.accepted) > ROUNDS * USERS
        record_property("figures", trial.findings.figures())
