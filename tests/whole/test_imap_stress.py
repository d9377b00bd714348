"""Many clients in one mailbox for some seconds: ``bench.imap_stress`` finds nothing wrong."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.whole

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.parametrize("more", [(), ("--own-flags",)], ids=["all flags", "own flags"])
def test_random_commands_of_many_clients_are_answered_rightly(more: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "bench.imap_stress", "--seconds=4", "--clients=4"]
    done = subprocess.run(
        [*command, *more], cwd=ROOT, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
