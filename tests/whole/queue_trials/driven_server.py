"""A server whose state is on a drive of its own, and that ends with the power of that."""

import os
import signal
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.whole.queue_trials.mounted_drive import MountedDrive
from tests.whole.queue_trials.trial_server import TrialProcess, TrialServer
from tests.whole.queue_trials.windows import End


class BootedProcess(TrialProcess):
    """A server for which each start is one of the machine."""

    def start(self) -> None:
        os.environ["TRIAL_BOOT"] = str(uuid4())
        super().start()


class DrivenServer(TrialServer):
    """A server that is ended by a power cut. Its log is elsewhere: it says what had happened before."""

    process_of = BootedProcess

    def __init__(self, folder: Path, *given: Any) -> None:
        folder.mkdir(parents=True)
        self.drive = MountedDrive(folder, folder / "state")
        self._cuts = (folder / "cuts").open("w")
        try:
            super().__init__(folder, *given)
        except BaseException:
            self.drive.close()
            raise

    def fill(self) -> None:
        """Make the accounts, and have all that a server begins with on the drive."""
        super().fill()
        self.drive.sync()

    def end(self, seed: int) -> End:
        began = time.time()
        print(began, self.drive.order(f"cut {seed}"), file=self._cuts, flush=True)
        os.kill(self.process.pid, signal.SIGKILL)
        self.drive.order("let go")  # until then a thread that waits for the drive cannot end
        self.process.kill()
        over = time.time()
        self.drive.unmount()
        return End(self.name, began, over)

    def start(self) -> None:
        self.drive.order("power on")
        self.drive.mount()
        super().start()

    def close(self) -> bool:
        try:
            return super().close()
        finally:
            self._cuts.close()
            self.drive.close()
