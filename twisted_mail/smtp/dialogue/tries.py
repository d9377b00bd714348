"""How a connection is opened: which simpler ways follow a failure, and when nothing is left of it.

Which hosts offer TLS and fail at it is remembered, so that not every connection has to find out.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from twisted_mail.interfaces import Clock
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.trust import TlsLevel
from twisted_mail.smtp.dialogue.attempts import AttemptRecorder
from twisted_mail.smtp.dialogue.endings import DialogueEnded
from twisted_mail.smtp.dialogue.settings import ClientSettings, NextHop

REMEMBER_SECONDS = 86_400.0
MAX_HOSTS = 10_000  # the one that was noted first is forgotten for one more


class CountedConnection(Protocol):
    """A connection that calls ``on_gone`` when the other side has none of it left, either."""

    is_gone: bool
    on_gone: Callable[[], None]


class ConnectionTries:
    """How one connection is opened, try by try; ``on_gone`` is called when none of them is left."""

    __slots__ = (
        *("_number", "_on_gone", "demand", "hop", "is_esmtp", "recorder", "says_helo"),
        *("settings", "tls_failure"),
    )

    def __init__(self, hop: NextHop, settings: ClientSettings, on_gone: Callable[[], None]) -> None:
        self._number = 1  # connections that are left, and the trying itself
        self._on_gone = on_gone
        self.hop = hop
        self.demand = settings.demand.at(hop.host)
        self.settings = replace(settings, demand=self.demand)
        self.says_helo = False
        self.is_esmtp = True
        self.tls_failure = ""
        self.recorder: AttemptRecorder

    def count(self, connection: CountedConnection) -> None:
        """Count a connection that was opened, until it is gone."""
        if not connection.is_gone:
            self._number += 1
            connection.on_gone = self.end

    def end(self) -> None:
        """Note that one of the connections is gone, or that no more is opened."""
        self._number -= 1
        if not self._number:
            self._on_gone()

    def do_without_tls(self, why: str) -> bool:
        """Speak in clear from now on, if there is a reason and TLS is only wished for; return whether."""
        settings = self.settings
        if not why or settings.demand.level is not TlsLevel.MAY or settings.is_tls_implicit:
            return False
        self.tls_failure = why
        self.settings = replace(settings, demand=replace(self.demand, level=TlsLevel.NONE))
        return True

    def ended(self, end: DialogueEnded) -> Attempt:
        """Return how the last try ended, and keep its dialogue."""
        recorder = self.recorder
        found = recorder.ended(end, 0, recorder.phases)
        if recorder.recording is not None:
            recorder.keep_dialogue(0, recorder.recording.opening)
        return found

    def follows(self, end: DialogueEnded) -> bool:
        """Return whether to try again in a simpler way, which is noted, after a try that ended so.

        Each of the ways is taken once.
        """
        if end.is_handshake and self.do_without_tls(end.outcome.text):
            return True
        is_scared = end.is_lost and end.command.startswith("EHLO ") and not self.is_esmtp
        if is_scared and not self.says_helo:
            self.says_helo = True
            return True
        return False


class BrokenTls:
    """Remembers for a day, by host and address, why TLS failed where clear text did not."""

    __slots__ = ("_clock", "_noted")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._noted: dict[tuple[str, str, int], tuple[float, str]] = {}

    def note(self, hop: NextHop, why: str) -> None:
        """Remember why TLS failed at a host, unless that is known."""
        key = (hop.host, hop.address, hop.port)
        if key in self._noted:
            return
        if len(self._noted) >= MAX_HOSTS:
            del self._noted[next(iter(self._noted))]
        self._noted[key] = self._clock.monotonic() + REMEMBER_SECONDS, why

    def why(self, hop: NextHop) -> str:
        """Return why TLS failed at a host within a day, or the empty text."""
        key = (hop.host, hop.address, hop.port)
        until, why = self._noted.get(key, (0.0, ""))
        if why and until <= self._clock.monotonic():
            del self._noted[key]
            return ""
        return why
