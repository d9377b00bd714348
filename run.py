#!/usr/bin/env python3
"""Set everything up and run it: ``python3 run.py`` serves a demonstration, ``python3 run.py test`` tests.

Needs Python 3.11 or later and nothing else: it makes a private environment in ``.venv``, installs the
project there, and hands over. A second run finds all that and starts at once.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ENVIRONMENT = HERE / ".venv"
BIN = ENVIRONMENT / "bin"
USAGE = """\
usage: python3 run.py [DIR]          serve a demonstration from DIR (default: ./demo)
       python3 run.py test [ARGS]    run the test suite; ARGS go to pytest
"""


def main(arguments: list[str]) -> int:
    """Do what the command line asks for and return the exit status."""
    if arguments[:1] in (["-h"], ["--help"]) or (arguments and arguments[0].startswith("-")):
        print(USAGE, end="")
        return 0 if arguments[0] in ("-h", "--help") else 2
    if sys.version_info < (3, 11):  # noqa: UP036
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return complain(f"Python 3.11 or later is needed; this is {version}.")
    if arguments[:1] == ["test"]:
        return prepare("test") or test(arguments[1:])
    return prepare("") or serve(arguments[0] if arguments else "demo")


def complain(text: str) -> int:
    """Say what is wrong in one line."""
    print(f"run.py: {text}", file=sys.stderr)
    return 1


def prepare(extra: str) -> int:
    """Make the environment and install, unless an earlier run did; return an exit status."""
    stamp = ENVIRONMENT / f"ready-{extra or 'run'}"
    if stamp.exists() and stamp.read_text() == fingerprint():
        return 0
    if not (BIN / "pip").exists():
        say(f"Making a private environment in {ENVIRONMENT} ...")
        status = make_environment()
        if status:
            return status
    target = f"{HERE}[{extra}]" if extra else str(HERE)
    say("Installing twisted_mail and what it needs (the first time takes about a minute) ...")
    status = install(target)
    if status:
        return status
    stamp.write_text(fingerprint())
    return 0


def fingerprint() -> str:
    """Return what an installation depends on: the project file and the interpreter."""
    project = (HERE / "pyproject.toml").read_bytes()
    return hashlib.sha256(project + sys.version.encode()).hexdigest()


def make_environment() -> int:
    """Make the virtual environment, or say what to install first."""
    done = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 0 and (BIN / "pip").exists():
        return 0
    if "ensurepip" in done.stdout or "No module named venv" in done.stdout:
        return complain(
            "this Python cannot make an environment; install its venv module first"
            " (Debian, Ubuntu: sudo apt install python3-venv)."
        )
    return complain(f"making the environment failed: {done.stdout.strip()}")


def install(target: str) -> int:
    """Install with pip, showing each package as it comes."""
    command = [str(BIN / "python"), "-m", "pip", "install", "--disable-pip-version-check"]
    pip = subprocess.Popen(
        [*command, "--editable", target],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    lines = []
    assert pip.stdout is not None
    for line in pip.stdout:
        lines.append(line)
        if line.startswith(("Collecting ", "Installing ", "Building ")):
            progress(line.strip())
    progress("")
    if pip.wait() == 0:
        say("Installed.")
        return 0
    print("".join(lines[-15:]), file=sys.stderr, end="")
    return complain("the installation failed; pip's last words are above.")


def progress(text: str) -> None:
    """Show one line of progress, over the last one where there is a terminal."""
    if sys.stdout.isatty():
        print(f"\r\033[K  {text[:76]}", end="" if text else "\r", flush=True)
    elif text.startswith("Collecting"):
        print(f"  {text}", flush=True)


def say(text: str) -> None:
    """Print what happens."""
    print(text, flush=True)


def serve(folder: str) -> int:
    """Start the demonstration in place of this process."""
    command = [str(BIN / "twistd"), "--nodaemon", "--pidfile=", "mailserver", "--demo", folder]
    os.execv(command[0], command)


def test_processes() -> int:
    """Return how many processes test at once: one more than there are processors.

    Many tests wait for a disk or another program, and would leave a processor idle.
    """
    return (os.cpu_count() or 1) + 1


def test(arguments: list[str]) -> int:
    """Run the test suite."""
    workers = (
        []
        if any(one.startswith("-n") for one in arguments)
        else ["-n", str(test_processes()), "--dist", "loadgroup"]
    )
    command = [str(BIN / "python"), "-m", "pytest", *workers, *arguments]
    return subprocess.run(command, cwd=HERE, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
