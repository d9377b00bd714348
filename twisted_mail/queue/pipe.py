"""Running a program with a message on its standard input, and with limits on all that it does.

The message is a file, so that no program can hold us up by reading slowly. The program leads a process
group of its own, which is killed with it, and with whatever goes wrong here after its start: a message
that is tried again must not find the program of the last try at work. Nothing here needs the reactor: it
all runs in a thread.
"""

import os
import pwd
import select
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from twisted_mail.queue.program import (
    KILLED,
    LOST_SIGHT,
    NOT_STARTED,
    TIMED_OUT,
    Program,
    ProgramEnd,
    outcome_of_exit_code,
)

_GRACE = 5.0  # seconds between asking a program to end and killing it
_POLL = 0.2  # seconds between two checks whether a silent program has ended
_NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class _RunAs:
    """The user that a program runs as, if that is not our own."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str


class Pipe:
    """Runs programs, and kills those that are running when the server stops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._is_stopping = False

    def run(
        self, program: Program, environment: Mapping[str, str], message: Iterable[bytes]
    ) -> ProgramEnd:
        """Run a program to its end; return how it ended, whatever goes wrong. Blocks."""
        try:
            run_as = _run_as(program.user)
            with tempfile.TemporaryFile() as file:
                for piece in message:
                    file.write(piece)
                file.flush()
                file.seek(0)
                if run_as is not None:
                    os.fchown(file.fileno(), run_as.uid, run_as.gid)  # /dev/stdin is opened again
                process = self._start(program, environment, file.fileno(), run_as)
        except (OSError, KeyError, subprocess.SubprocessError) as error:
            return ProgramEnd(NOT_STARTED, str(error))
        try:
            return self._supervise(program, process)
        except OSError as error:
            return ProgramEnd(LOST_SIGHT, str(error))
        finally:
            self._end(process)

    def stop(self) -> None:
        """Kill all programs that are running, and start no more."""
        with self._lock:
            self._is_stopping = True
            for group in self._running:
                _signal(group, signal.SIGKILL)

    def _start(
        self,
        program: Program,
        environment: Mapping[str, str],
        message: int,
        run_as: _RunAs | None,
    ) -> "subprocess.Popen[bytes]":
        own = {"HOME": run_as.home} if run_as is not None else {}
        with self._lock:
            if self._is_stopping:
                raise OSError("the server is stopping")
            process = subprocess.Popen(
                program.command,
                stdin=message,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=program.folder,
                env={**environment, **own},
                start_new_session=True,
                user=None if run_as is None else run_as.uid,
                group=None if run_as is None else run_as.gid,
                extra_groups=None if run_as is None else run_as.groups,
                umask=0o077,
            )
            self._running.add(process.pid)
        return process

    def _end(self, process: "subprocess.Popen[bytes]") -> None:
        """Kill the group of a program, which may have ended; nothing of it is left afterwards."""
        with self._lock:
            self._running.discard(process.pid)
        if process.returncode is None:  # only then is the number of the group still its own
            _signal(process.pid, signal.SIGKILL)
            process.wait()
        assert process.stdout is not None
        process.stdout.close()

    def _supervise(self, program: Program, process: "subprocess.Popen[bytes]") -> ProgramEnd:
        """Read the output of a program until it ends, or its time is over; kill its group."""
        output = bytearray()
        deadline = time.monotonic() + program.seconds
        is_late = False
        for piece in _read_output(process):
            output += piece[: program.max_output - len(output)]
            if time.monotonic() > deadline:
                # First politely; a program that does not listen is killed the second time.
                _signal(process.pid, signal.SIGKILL if is_late else signal.SIGTERM)
                is_late, deadline = True, time.monotonic() + _GRACE
        # What it has left running goes too: its group's number is taken until ``wait``.
        _signal(process.pid, signal.SIGKILL)
        code = process.wait()
        text = output.decode("utf-8", "replace").strip()
        if is_late:
            return ProgramEnd(TIMED_OUT, text)
        return ProgramEnd(KILLED if code < 0 else outcome_of_exit_code(code), text)


def _read_output(process: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """Yield what a program writes, and nothing from time to time, until it has ended."""
    assert process.stdout is not None
    number = process.stdout.fileno()
    output = select.poll()  # not select(), which knows no descriptor above 1023
    output.register(number, select.POLLIN)
    is_open = True
    while not _has_ended(process.pid):
        if not is_open:
            time.sleep(_POLL)
        elif output.poll(_POLL * 1000):
            piece = os.read(number, 65536)
            is_open = bool(piece)
            yield piece
            continue
        yield b""
    if is_open and output.poll(0):
        yield os.read(number, 65536)


def _has_ended(pid: int) -> bool:
    """Return whether a child has ended. It stays a child, so that its group's number stays taken."""
    how = os.WEXITED | os.WNOHANG | os.WNOWAIT
    return os.waitid(os.P_PID, pid, how) is not None


def _signal(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _run_as(user: str) -> _RunAs | None:
    """Return the user that a program runs as: ``nobody`` if root has a program without a user.

    Raises KeyError for an unknown user, and OSError where this server cannot become that user.
    """
    is_root = os.geteuid() == 0
    if not is_root and not user:
        return None
    entry = pwd.getpwnam(user or _NOBODY)
    if not is_root:
        if entry.pw_uid != os.geteuid():
            raise PermissionError(f"only root can run programs as {user}")
        return None
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
    return _RunAs(entry.pw_uid, entry.pw_gid, tuple(groups), entry.pw_dir)
