"""Started as root: everything belongs to the user that the server runs as."""

import os
import pwd
import shutil
import signal
import smtplib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.hostile import eventually
from tests.whole.live import CONFIG, PATIENCE, furnish
from tests.whole.ports import free_port
from tests.whole.process import TWISTD

pytestmark = [
    pytest.mark.whole,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else"),
]

NOBODY = pwd.getpwnam("nobody")
LARGE = "Subject: large\r\n\r\n" + ("x" * 70 + "\r\n") * 100_000


def twistd() -> list[str]:
    """Return the command of twistd, with a Python that everybody can read."""
    home = Path(sys.base_prefix).resolve()
    if all(path.stat().st_mode & 0o005 == 0o005 for path in (home, *home.parents)):
        return [str(TWISTD)]
    system = Path(f"/usr/bin/python3.{sys.version_info.minor}")
    if not system.exists():
        pytest.skip("only root can read this Python")
    return [str(system), str(TWISTD)]


PLACES = [place for place in sys.path if place and not place.startswith(sys.base_prefix)]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(PLACES)}


class Started:
    """A server in a folder that everybody can enter."""

    def __init__(self, folder: Path) -> None:
        made = folder / "made"
        made.mkdir()
        furnish(made)
        self.folder, self.made = folder, made
        self.port, self.state = free_port(), made / "state"
        self.socket, self.log = folder / "run" / "imap.sock", folder / "twistd.log"
        self.process: subprocess.Popen[bytes] | None = None
        (folder / "run").mkdir()
        self.configure()
        give(self.state)

    def configure(self) -> None:
        (self.made / "mail.toml").write_text(
            f'{CONFIG}[log]\nfile = "mail.log"\n[[filter]]\nkind = "greylist"\nservices = ["lmtp"]\n'
            f'[[listener]]\nservice = "smtp"\nendpoint = "tcp:{self.port}:interface=127.0.0.1"\n'
            f'[[listener]]\nservice = "imap"\nendpoint = "unix:{self.socket}:mode=660"\n'
        )

    def start(self, *options: str) -> "subprocess.Popen[bytes]":
        config = ["mailserver", "--config", self.made / "mail.toml"]
        command = [*twistd(), "--nodaemon", *options, *config]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, env=ENVIRONMENT
            )
        return self.process

    def strangers(self, *roots: Path) -> list[str]:
        """Return what does not belong to the user."""
        found = [path for root in roots for path in (root, *root.rglob("*"))]
        return [str(path) for path in found if path.lstat().st_uid != NOBODY.pw_uid]

    def text(self) -> str:
        return self.log.read_text()


def give(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid, follow_symlinks=False)


@pytest.fixture
def started() -> Iterator[Started]:
    folder = Path(tempfile.mkdtemp(prefix="twisted-mail-"))  # pytest's are root's alone
    folder.chmod(0o755)
    found = Started(folder)
    yield found
    if found.process is not None and found.process.poll() is None:
        found.process.terminate()
        found.process.wait(PATIENCE)
    shutil.rmtree(folder)


def test_everything_belongs_to_the_user_and_large_messages_are_taken(started: Started) -> None:
    for name in ("tmp", "queue", "mail.log"):  # what root would make at the first start
        path = started.state / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    process = started.start("--uid", "nobody", "--pidfile", "run/pid")
    assert eventually(lambda: "serves mail.example.org" in started.text()), started.text()
    with smtplib.SMTP("127.0.0.1", started.port, timeout=PATIENCE) as client:
        assert client.sendmail("a@example.com", ["bob@example.org"], LARGE) == {}
    pid = started.folder / "run" / "pid"
    assert started.strangers(started.state, started.socket, pid) == []
    assert "runs as root" not in started.text()
    control = Path(sys.executable).parent / "twisted-mail"
    command = [control, "--config", started.made / "mail.toml", "reload"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    process.terminate()
    assert process.wait(PATIENCE) in (0, -signal.SIGTERM)
    assert "Traceback" not in started.text()


def test_a_state_folder_that_is_not_there_is_made_for_the_user(started: Started) -> None:
    shutil.rmtree(started.state)
    config = started.made / "mail.toml"
    config.write_text(config.read_text().replace('endpoint = "', 'tls = "none"\nendpoint = "'))
    started.start("--uid", "nobody", "--pidfile=")
    assert eventually(lambda: "serves mail.example.org" in started.text()), started.text()
    assert started.strangers(started.state) == []
    assert started.state.stat().st_mode & 0o777 == 0o700


def test_what_root_made_before_is_named_and_ends_the_start(started: Started) -> None:
    shutil.rmtree(started.state / "tmp", ignore_errors=True)
    (started.state / "tmp").mkdir(mode=0o700)
    process = started.start("--uid", "nobody", "--pidfile=")
    assert process.wait(PATIENCE) == 1
    assert f"cannot read and write {started.state}/tmp" in started.text()
    assert "Traceback" not in started.text()


def test_a_server_that_stays_root_says_so(started: Started) -> None:
    started.start("--pidfile=")
    assert eventually(lambda: "#critical] the server runs as root" in started.text())


def test_files_of_twistd_are_given_to_the_user_when_it_is_a_daemon(started: Started) -> None:
    config = started.made / "mail.toml"
    command = [*twistd(), "--uid", "nobody", "mailserver", "--config", config]
    logged = started.folder / "twistd.log"
    done = subprocess.run(command, cwd=started.folder, env=ENVIRONMENT, check=False)
    assert done.returncode == 0
    pid = started.folder / "twistd.pid"
    try:
        assert eventually(lambda: "serves mail.example.org" in logged.read_text())
        with smtplib.SMTP("127.0.0.1", started.port, timeout=PATIENCE) as client:
            assert client.sendmail("a@example.com", ["bob@example.org"], LARGE) == {}
        assert started.strangers(started.state, logged, pid) == []
    finally:
        number = int(pid.read_text())
        os.kill(number, signal.SIGTERM)
        assert eventually(lambda: not Path(f"/proc/{number}").exists())
