"""A server of a trial: it ends without warning, and is started again."""

import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path

from tests.whole.live import PATIENCE
from tests.whole.process import ServerProcess
from tests.whole.queue_trials.windows import End
from tests.whole.queued import owed
from tests.whole.test_two_servers import Server
from twisted_mail.control.main import main


class TrialProcess(ServerProcess):
    """A server as ``trial_twistd.py`` starts it."""

    patience = 5 * PATIENCE  # hundreds of starts, beside whatever else the machine does
    twistd = (sys.executable, str(Path(__file__).with_name("trial_twistd.py")))


class TrialServer(Server):
    """A server that is ended by kill -9."""

    process_of = TrialProcess
    sections = "\n[reports]\nrate = 0\n[queue]\nmin_free = 0\n"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def maildir(self) -> Path:
        local, _, domain = self.user.partition("@")
        return self.folder / "state" / "mail" / domain / local / "Maildir"

    def end(self, seed: int) -> End:
        """End the server without warning; ``seed`` is for what chance has to decide about it."""
        began = time.time()
        self.process.kill()
        return End(self.name, began, time.time())

    def start(self) -> None:
        self.process.start()

    def owes(self) -> bool:
        """Return whether anything is in its queue."""
        return owed(self.folder / "state") > 0

    def close(self) -> bool:
        """Stop the server; return whether it ended in good order."""
        return self.process.stop()

    def try_all(self) -> None:
        """Try all at once that waits."""
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):  # perhaps nothing waits
            main(["queue", "retry", "--all", "--config", str(self.folder / "mail.toml")])
