"""Power cuts while mail flows between two servers and into a sink: what was answered 250 arrives, and is
reported once; what arrives twice does so within the window that docs/queue.md has.

The state of each server is an ext4 file system of the kernel's on a drive that loses what it was not told
to flush. ``QUEUE_CUTS=50`` cuts the power so often, in turn and at both at once; a round takes about
three seconds. It needs root, and is left out where drives cannot be mounted.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.whole.queue_trials.driven_server import DrivenServer
from tests.whole.queue_trials.mounted_drive import why_not
from tests.whole.queue_trials.trial import trial_of

CUTS = int(os.environ.get("QUEUE_CUTS", "2"))

pytestmark = [pytest.mark.whole, pytest.mark.skipif(bool(why_not()), reason=why_not())]


def test_nothing_is_lost_and_nothing_reported_twice(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with trial_of(DrivenServer, tmp_path, seed=CUTS) as trial:
        for _ in range(CUTS):
            trial.play_round()
        trial.settle(seconds=120)
        trial.findings.check()
        record_property("figures", trial.findings.figures())
