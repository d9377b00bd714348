"""Faults on purpose: what the server does wrong, and when.

A fault waits for a command by its name in the protocol (``RCPT``, ``DATA``, ``RETR``, ``FETCH``, which is
``UID FETCH`` too), for ``GREETING``, when a connection comes, or for ``.``, the end of a message. It
counts those commands on all connections from the moment at which it was added.
"""

from collections.abc import Iterable
from dataclasses import dataclass

GREETING = "GREETING"
END_OF_MESSAGE = "."


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong; the class methods make them.

    It happens at the ``nth`` command of its name and the ones after it, ``times`` in all (0: from then
    on always), for all services or the one named.
    """

    command: str
    nth: int = 1
    times: int = 1
    service: str = ""
    text: str = ""  # the reply in place of the server's own
    seconds: float = 0.0  # before anything else happens
    closes: bool = False
    after: int = 0  # octets of the message that are still read before the server closes
    keeps: int | None = None  # octets of the server's answer that are still sent before it closes

    @classmethod
    def reply(
        cls,
        command: str,
        code: int | str,
        text: str = "A fault on purpose",
        *,
        nth: int = 1,
        times: int = 1,
        service: str = "",
    ) -> "Fault":
        """Answer with ``code`` and ``text``, and do nothing else.

        ``code`` is as the protocol has it: 451, ``-ERR``, ``NO``, ``BAD``. The tag of IMAP is added.
        """
        return cls(command, nth, times, service, f"{code} {text}")

    @classmethod
    def bye(
        cls,
        command: str,
        text: str = "A fault on purpose",
        *,
        nth: int = 1,
        times: int = 1,
        service: str = "imap",
    ) -> "Fault":
        """Say BYE and close (IMAP)."""
        return cls(command, nth, times, service, f"* BYE {text}", closes=True)

    @classmethod
    def close(
        cls, command: str, *, after: int = 0, nth: int = 1, times: int = 1, service: str = ""
    ) -> "Fault":
        """Close without a word: at once, or after that many octets of the message that follows."""
        return cls(command, nth, times, service, closes=True, after=after)

    @classmethod
    def cut(
        cls, command: str, keeps: int, *, nth: int = 1, times: int = 1, service: str = ""
    ) -> "Fault":
        """Send only that many octets of the answer, and close."""
        return cls(command, nth, times, service, closes=True, keeps=keeps)

    @classmethod
    def slow(
        cls, command: str, seconds: float, *, nth: int = 1, times: int = 1, service: str = ""
    ) -> "Fault":
        """Wait before the command is done."""
        return cls(command, nth, times, service, seconds=seconds)

    def is_for(self, service: str, command: str) -> bool:
        """Return whether the command counts."""
        name = self.command.upper().removeprefix("UID ")
        return name == command and self.service in ("", service)

    def happens_at(self, count: int) -> bool:
        """Return whether it happens at the command of this number."""
        return self.nth <= count and (not self.times or count < self.nth + self.times)


class FaultPlan:
    """The faults of one server, and how often each one's command came."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults: list[Fault] = []
        self._counts: list[int] = []
        self.refusal: Fault | None = None  # of the next message that the queue is to take
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> None:
        """Add a fault, which counts from now on."""
        self._faults.append(fault)
        self._counts.append(0)

    def clear(self) -> None:
        """Forget all faults."""
        self._faults.clear()
        self._counts.clear()
        self.refusal = None

    def next(self, service: str, command: str) -> Fault | None:
        """Count a command; return the fault that happens at it, the first of several."""
        found = None
        for at, fault in enumerate(self._faults):
            if fault.is_for(service, command):
                self._counts[at] += 1
                if found is None and fault.happens_at(self._counts[at]):
                    found = fault
        return found
