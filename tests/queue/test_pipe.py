import errno
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from twisted_mail.queue.pipe import Pipe
from twisted_mail.queue.program import Program, ProgramEnd

MAIL = [b"Subject: x\n", b"\nbody\n"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    tmp_path.chmod(0o777)  # for nobody, where the tests run as root
    for parent in tmp_path.parents[:3]:
        if parent.stat().st_uid == os.geteuid():  # root's /tmp among them, which stays open to all
            parent.chmod(parent.stat().st_mode | 0o055)
    return tmp_path


def run(script: str, message: Iterable[bytes] = MAIL, **rules: object) -> ProgramEnd:
    program = Program("test", ("/bin/sh", "-c", script, "sh", "$(id)"), **rules)  # type: ignore[arg-type]
    return Pipe().run(program, {"PATH": "/usr/bin:/bin", "SENDER": "a@b.example"}, message)


def test_a_program_gets_the_message_and_its_arguments_as_they_are() -> None:
    ended = run('cat; echo "$1 $SENDER"')
    assert ended.outcome.is_success
    assert ended.output == "Subject: x\n\nbody\n$(id) a@b.example"


def test_the_environment_is_what_was_given_and_no_more() -> None:
    os.environ["SECRET_OF_TEST"] = "x"
    try:
        names = {line.partition("=")[0] for line in run("env").output.splitlines()}
    finally:
        del os.environ["SECRET_OF_TEST"]
    assert names <= {"PATH", "SENDER", "PWD", "HOME", "_", "SHLVL", "OLDPWD"}


@pytest.mark.parametrize(("code", "reply"), [(0, 250), (75, 451), (69, 554)])
def test_the_exit_code_decides(code: int, reply: int) -> None:
    assert run(f"exit {code}").outcome.code == reply


def test_a_program_that_reads_nothing_is_no_trouble() -> None:
    assert run("exit 0", [b"x" * 1_000_000]).outcome.is_success


def test_the_message_may_be_opened_again_by_its_name() -> None:
    assert run("cat /dev/stdin").output.endswith("body")


def test_of_the_output_only_the_beginning_is_kept() -> None:
    ended = run("yes | head -c 3000000", max_output=100)
    assert ended.outcome.is_success
    assert 90 <= len(ended.output) <= 100


def test_what_cannot_be_started_is_tried_later() -> None:
    missing = Program("test", ("/no/such/program",))
    assert Pipe().run(missing, {}, MAIL).outcome.is_temporary
    assert Pipe().run(replace(missing, user="no-such-user"), {}, MAIL).outcome.is_temporary


def test_a_program_that_a_signal_ends_is_tried_later() -> None:
    assert run("kill -9 $$").outcome.is_temporary


def test_a_slow_program_is_ended_with_all_its_children(folder: Path) -> None:
    began = time.monotonic()
    ended = run(f"sleep 300 & echo $! > {folder}/child; sleep 300", seconds=0.5)
    assert (ended.outcome.code, ended.outcome.enhanced) == (451, "4.4.7")
    assert time.monotonic() - began < 4
    assert has_gone(int((folder / "child").read_text()))


def test_a_program_deaf_to_asking_is_ended_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twisted_mail.queue.pipe._GRACE", 0.3)
    began = time.monotonic()
    assert run("trap '' TERM; sleep 2; sleep 300", seconds=0.3).outcome.enhanced == "4.4.7"
    assert time.monotonic() - began < 4


def test_what_a_program_leaves_behind_is_ended_and_does_not_hold_us_up(folder: Path) -> None:
    began = time.monotonic()
    ended = run(f"sleep 300 & echo $! > {folder}/child; exit 0")
    assert ended.outcome.is_success
    assert time.monotonic() - began < 3
    assert has_gone(int((folder / "child").read_text()))


def has_gone(pid: int) -> bool:
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_stopping_ends_what_runs_and_starts_no_more() -> None:
    pipe = Pipe()
    ends: list[ProgramEnd] = []
    program = Program("test", ("/bin/sleep", "300"))
    thread = threading.Thread(target=lambda: ends.append(pipe.run(program, {}, MAIL)))
    thread.start()
    while not pipe._running:
        time.sleep(0.01)
    pipe.stop()
    thread.join(5)
    assert ends[0].outcome.is_temporary
    assert pipe.run(program, {}, MAIL).outcome.is_temporary


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others")
def test_root_never_runs_programs_as_itself() -> None:
    assert run("id -un").output == "nobody"
    assert run("id -un; id -Gn", user="daemon").output.split() == ["daemon", "daemon"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become others")
def test_others_than_root_run_programs_as_themselves() -> None:
    script = (
        "from twisted_mail.queue.pipe import Pipe\n"
        "from twisted_mail.queue.program import Program\n"
        "print(Pipe().run(Program('t', ('/usr/bin/id', '-un')), {}, []).output)\n"
        "print(Pipe().run(Program('t', ('/usr/bin/id',), user='root'), {}, []).output)\n"
    )
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", ".venv/bin/python", "-c", script],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    if done.returncode:
        pytest.skip("nobody may not read this folder")
    assert done.stdout.splitlines() == ["nobody", "only root can run programs as root"]


def test_signals_to_a_group_that_has_gone_are_no_error() -> None:
    from twisted_mail.queue.pipe import _signal

    child = subprocess.Popen(["/bin/true"], start_new_session=True)
    child.wait()
    _signal(child.pid, signal.SIGTERM)


def test_programs_run_where_all_low_descriptors_are_taken() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2048:
        pytest.skip("the system allows no descriptor above 1023")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    taken: list[int] = []
    try:
        while not taken or taken[-1] < 1100:
            taken.append(os.dup(0))
        ended = run("echo seen")
    finally:
        for number in taken:
            os.close(number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (ended.outcome.code, ended.output) == (250, "seen")


@pytest.mark.parametrize("error", [OSError(errno.EIO, "no"), RuntimeError("a bug")])
def test_a_program_that_cannot_be_watched_is_ended_with_its_group(
    folder: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def poll_once(pid: int) -> bool:
        while not (folder / "child").exists() or not (folder / "child").read_text().strip():
            time.sleep(0.01)
        raise error

    monkeypatch.setattr("twisted_mail.queue.pipe._has_ended", poll_once)
    script = f"sleep 300 & echo $! > {folder}/child; sleep 300"
    if isinstance(error, OSError):
        ended = run(script)
        assert (ended.outcome.code, ended.outcome.enhanced) == (451, "4.3.0")
    else:
        with pytest.raises(RuntimeError):
            run(script)
    assert has_gone(int((folder / "child").read_text()))
