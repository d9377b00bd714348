"""twistd whose log has microseconds and the seconds that commits took, on a machine whose boot has the
name ``TRIAL_BOOT``.

After a power cut that is played nothing is as it was but the kernel's name for this boot.
"""

import os
import sys
import time
from typing import Any

from twisted.logger import textFileLogObserver
from twisted.scripts import twistd

from twisted_mail.queue.spool.commit_groups import CommitGroups
from twisted_mail.store.disk.calls import Disk


def observer() -> Any:
    return textFileLogObserver(sys.stdout, timeFormat="%Y-%m-%dT%H:%M:%S.%f%z")


def time_commits() -> None:
    """Write ``commit SECONDS`` into the log for each transaction of the queue."""
    commit = CommitGroups._commit_together

    def timed(self: CommitGroups, *given: Any) -> None:
        began = time.monotonic()
        commit(self, *given)
        os.write(1, f"commit {time.monotonic() - began:.6f}\n".encode())

    CommitGroups._commit_together = timed  # type: ignore[method-assign]


if __name__ == "__main__":
    if "TRIAL_BOOT" in os.environ:
        boot = os.environ["TRIAL_BOOT"]
        Disk.boot_id = lambda self: boot  # type: ignore[method-assign]
    time_commits()
    sys.argv[1:1] = ["--logger", "timed_twistd.observer"]
    twistd.run()
