"""The load generator of ``bench/mailbench``: built once, started for each workload."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.compare.places import ROOT

SOURCE = Path(__file__).parent.parent / "mailbench"
BINARY = ROOT / "mailbench"
Answer = dict[str, Any]


class WrongAnswer(Exception):
    """A server answered wrongly, or not at all: its figure does not count."""


def build() -> None:
    """Build the generator where its source is newer. Needs rustc 1.63 or later, and libssl-dev."""
    newest = max(path.stat().st_mtime for path in SOURCE.glob("*.rs"))
    if BINARY.exists() and BINARY.stat().st_mtime > newest:
        return
    if shutil.which("rustc") is None:
        raise SystemExit("rustc is missing: apt-get install rustc libssl-dev")
    BINARY.parent.mkdir(parents=True, exist_ok=True)
    command = ["rustc", "--edition", "2021", "-O", "-o", str(BINARY), str(SOURCE / "main.rs")]
    subprocess.run(command, check=True)


def started(*words: str) -> subprocess.Popen[str]:
    """Start a workload, with pipes to it and from it."""
    pipe = subprocess.PIPE
    return subprocess.Popen([str(BINARY), *words], stdin=pipe, stdout=pipe, text=True)


def run(*words: str, when_ready: Callable[[], None] | None = None, timeout: float = 180) -> Answer:
    """Run a workload and return its report; ``when_ready`` is called after its logins."""
    process = started(*words)
    try:
        if when_ready is not None:
            _wait_until_ready(process, words[0])
            when_ready()
            say(process, "")
        lines = process.communicate(timeout=timeout)[0].splitlines()
    except subprocess.TimeoutExpired:
        raise WrongAnswer(f"{words[0]} did not end in {timeout} s") from None
    finally:
        end(process)
    reports = [json.loads(line) for line in lines if '"ready"' not in line]
    if not reports:
        raise WrongAnswer(f"{words[0]}: no report")
    if process.returncode or reports[-1].get("errors"):
        raise WrongAnswer(f"{words[0]}: first of the errors: {reports[-1].get('first_error')}")
    return dict(reports[-1])


def _wait_until_ready(process: subprocess.Popen[str], name: str) -> None:
    first = answer_of(process)
    if not first.get("ready") or first.get("errors"):
        raise WrongAnswer(f"{name}: {first}")


def answer_of(process: subprocess.Popen[str]) -> Answer:
    """Return its next line."""
    assert process.stdout
    return dict(json.loads(process.stdout.readline() or '{"status": "FAIL", "text": "ended"}'))


def say(process: subprocess.Popen[str], line: str) -> None:
    """Write a line to it."""
    assert process.stdin
    process.stdin.write(line + "\n")
    process.stdin.flush()


def end(process: subprocess.Popen[str]) -> None:
    """Make sure that it has ended."""
    if process.poll() is None:
        process.kill()
        process.wait()


class ImapCommands:
    """One IMAP connection that is logged in, for one command after another."""

    def __init__(self, *words: str) -> None:
        self._process = started("imapcmds", *words)
        first = answer_of(self._process)
        if first["status"] != "OK":
            end(self._process)
            raise WrongAnswer(f"login: {first}")
        self.capabilities = str(first["caps"]).upper()

    def __call__(self, command: str, **wanted: int) -> Answer:
        """Send a command; return what was counted in its answer, which has what is ``wanted``."""
        say(self._process, command)
        answer = answer_of(self._process)
        if answer["status"] != "OK":
            raise WrongAnswer(f"{command}: {answer['status']} {answer.get('text')}")
        check(answer, wanted)
        return answer

    def close(self) -> None:
        try:
            self._process.communicate(timeout=20)
        except (subprocess.TimeoutExpired, OSError):
            pass
        finally:
            end(self._process)


def check(answer: Answer, wanted: dict[str, int]) -> None:
    """Raise ``WrongAnswer`` for the first count that is not as it should be."""
    for name, number in wanted.items():
        if answer[name] != number:
            raise WrongAnswer(f"{name} is {answer[name]}, wanted {number}")
