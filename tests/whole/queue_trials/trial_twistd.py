"""twistd whose log has microseconds and the seconds that commits took, whose queue looks after itself all
the time, and for which the boot of the machine is named ``TRIAL_BOOT``.
"""

import os
import sys
import time
from typing import Any

from twisted.logger import textFileLogObserver
from twisted.scripts import twistd

from twisted_mail.queue.spool import upkeep
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


def look_after_little() -> None:
    """Have the queue's database checkpointed, and give room back, after some messages."""
    upkeep.LOGGED, upkeep.FREE_PAGES, upkeep.STEP = 16, 16, 8


if __name__ == "__main__":
    if "TRIAL_BOOT" in os.environ:
        boot = os.environ["TRIAL_BOOT"]
        Disk.boot_id = lambda self: boot  # type: ignore[method-assign]
    time_commits()
    look_after_little()
    sys.argv[1:1] = ["--logger", "trial_twistd.observer"]
    twistd.run()
