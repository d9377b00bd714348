"""The demonstration, as a newcomer meets it: the printed command lines work as printed."""

import fcntl
import io
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.clients import run
from tests.whole.hostile import eventually
from tests.whole.live import needs
from tests.whole.process import TWISTD, wait_until_listening
from twisted_mail.service import Options, makeService

pytestmark = pytest.mark.whole

PORTS = (2525, 5870, 4650, 1100, 9950, 1430, 9930)
PORTS_OF_THE_OTHER = (5871, 4651, 1101, 9951, 1431, 9931)


class Demonstration:
    """``twistd mailserver --demo`` in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "output"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [str(TWISTD), "--nodaemon", "--pidfile=", "mailserver", "--demo"],
                cwd=folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        for port in PORTS + PORTS_OF_THE_OTHER:
            wait_until_listening(port, self.process)

    @property
    def invitation(self) -> str:
        return self.output.read_text()

    def commands(self, program: str) -> list[str]:
        text = self.invitation.replace("\\\n", " ")
        return [line.strip() for line in text.splitlines() if line.startswith(f"  {program} ")]

    def control(self, word: str) -> list[str]:
        """Return the printed lines of the control command that have a word."""
        path = str(Path(sys.executable).with_name("twisted-mail"))
        return [one for one in self.commands(path) if f" {word}" in one]

    def stop(self) -> None:
        self.process.terminate()  # SIGINT would be ignored where this runs in the background
        assert self.process.wait(20) in (0, -signal.SIGTERM)


@pytest.fixture
def one_at_a_time(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the other processes that run tests from a demonstration: all have the same ports."""
    with (tmp_path_factory.getbasetemp().parent / "demonstration.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture
def demonstration(one_at_a_time: None, tmp_path: Path) -> Iterator[Demonstration]:
    for port in PORTS + PORTS_OF_THE_OTHER:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                pytest.skip(f"port {port} is in use on this machine")
    running = Demonstration(tmp_path)
    yield running
    if running.process.poll() is None:
        running.stop()


def shell(command: str, folder: Path, given: str = "") -> str:
    return run(["/bin/sh", "-c", command], folder, given)


def test_the_printed_command_lines_work(demonstration: Demonstration) -> None:
    folder = demonstration.folder
    needs("curl")
    needs("swaks")
    send, by_imap, by_pop3, _ = demonstration.commands("curl")
    shell(send, folder)
    assert "Do you like ketchup?" in shell(by_imap, folder)
    assert "Do you like ketchup?" in shell(by_pop3, folder)

    needs("openssl")
    [openssl] = demonstration.commands("openssl")
    login = re.findall(r"\((a LOGIN \S+ \S+)\):", demonstration.invitation)[0]
    said = shell(f"(sleep 1; echo '{login}'; echo 'b LOGOUT'; sleep 1) | {openssl}", folder)
    assert "a OK" in said
    assert "* BYE" in said


def mailbox_of_carol(demonstration: Demonstration) -> str:
    """Return what the printed command shows her, with the number of the newest message."""
    *_, command = demonstration.commands("curl")
    return shell(command.replace("MAILINDEX=1", "MAILINDEX=*"), demonstration.folder)


def test_a_letter_waits_while_the_other_server_is_down(demonstration: Demonstration) -> None:
    """As somebody does who tries what is printed, from the first letter to the report."""
    folder = demonstration.folder
    needs("curl")
    needs("swaks")
    [write] = demonstration.commands("swaks")
    queue, listing, retry = demonstration.control("queue")
    [stop] = demonstration.commands("kill")
    [start] = [one for one in demonstration.commands(str(TWISTD)) if "--logfile" in one]
    shell(write, folder)
    assert eventually(lambda: "by the MX of your domain" in mailbox_of_carol(demonstration))

    pid = int((folder / "demo" / "example.net" / "twistd.pid").read_text())
    shell(stop, folder)
    assert eventually(lambda: not Path(f"/proc/{pid}").exists() or is_zombie(pid))
    shell(write.replace("letter.eml", "hello.eml"), folder)
    assert eventually(lambda: "refused" in shell(queue, folder))
    assert "carol@example.net" in shell(listing, folder)

    shell(start, folder)
    wait_until_listening(PORTS_OF_THE_OTHER[-1], demonstration.process)
    shell(retry, folder)
    assert eventually(lambda: "Do you like ketchup?" in mailbox_of_carol(demonstration))
    assert eventually(lambda: "the queue is empty" in shell(queue, folder))


def test_the_other_server_ends_with_the_first(demonstration: Demonstration) -> None:
    demonstration.stop()
    for port in PORTS + PORTS_OF_THE_OTHER:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


def test_the_invitation_is_there_before_the_ports_are_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for a port reads it from a file, to which Python writes late unless told."""
    monkeypatch.chdir(tmp_path)
    options = Options()
    options.parseOptions(["--demo"])
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding="utf-8"))
    makeService(options)
    assert b"curl" in written.getvalue()


def test_a_second_start_finds_everything_as_it_was(demonstration: Demonstration) -> None:
    folder = demonstration.folder
    needs("curl")
    send, by_imap, _, _ = demonstration.commands("curl")
    shell(send, folder)
    certificates = folder / "demo" / "state" / "tls"
    before = {path: path.read_bytes() for path in certificates.iterdir()}
    first = demonstration.commands("curl")
    demonstration.stop()

    again = Demonstration(folder)
    try:
        assert again.commands("curl") == first
        assert "Do you like ketchup?" in shell(by_imap, folder)
        assert {path: path.read_bytes() for path in certificates.iterdir()} == before
    finally:
        again.stop()


def test_a_port_that_is_taken_ends_the_start_with_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        run_demo = [str(TWISTD), "--nodaemon", "--pidfile=", "mailserver"]
        (tmp_path / "mail.toml").write_text(
            f'hostname = "h.example.org"\nstate = "state"\ndomains = ["example.org"]\n'
            f'[[listener]]\nservice = "smtp"\nendpoint = "tcp:{port}:interface=127.0.0.1"\n'
            'tls = "none"\n'
        )
        said = run([*run_demo, "--config", "mail.toml"], tmp_path, status=1)
    assert f"mailserver: cannot listen: smtp on tcp:{port}:interface=127.0.0.1: " in said
    assert "in use" in said
    assert "Traceback" not in said


def test_mistakes_in_the_configuration_are_all_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "mail.toml").write_text(
        'hostnam = "x"\nstate = 7\n[[listener]]\nservice = "imaap"\nendpoint = "tcp"\n'
    )
    command = [str(TWISTD), "--nodaemon", "--pidfile=", "mailserver", "--config", "mail.toml"]
    said = run(command, tmp_path, status=1)
    for word in ("hostname", "state", "imap", "endpoint", "mail.toml"):
        assert word in said
    assert "Traceback" not in said


def test_a_missing_configuration_is_told_in_one_line(tmp_path: Path) -> None:
    command = [str(TWISTD), "--nodaemon", "--pidfile=", "mailserver", "--config", "no.toml"]
    said = run(command, tmp_path, status=1)
    assert "no.toml" in said
    assert "Traceback" not in said


def test_a_directory_that_cannot_be_used_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "accounts.sqlite3").write_text(
        "this is no database, whatever its name\n" * 50
    )
    (tmp_path / "mail.toml").write_text(
        'hostname = "h.example.org"\nstate = "state"\n'
        '[[listener]]\nservice = "smtp"\nendpoint = "tcp:0"\ntls = "none"\n'
    )
    command = [str(TWISTD), "--nodaemon", "--pidfile=", "mailserver", "--config", "mail.toml"]
    said = run(command, tmp_path, status=1)
    assert "mailserver: " in said
    assert "accounts.sqlite3" in said
    assert "Traceback" not in said
