"""Three hundred bad next hops at once slow a good one by nothing that anybody notices."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dialogues.sent_mail import SentMail
from tests.smtp.dialogue.hosts import SETTINGS, mail
from tests.whole.next_hops import Hop, hurried
from tests.whole.ports import free_port
from tests.whole.process import wait_until_listening
from tests.whole.test_client_programs import sink

pytestmark = pytest.mark.whole

BAD = 300
GOOD = 300  # messages to the good one
LARGE = b"Subject: x\r\n\r\n" + b"x" * 70 + b"\r\n" * 500_000
MOST_SECONDS = 0.2
IMPATIENT = hurried(SETTINGS, greeting=4.0, hello=4.0, mail=4.0, data=4.0, block=4.0, end=4.0)


class Timed(SentMail):
    """One message after the other; keeps how long each took."""

    def __init__(self, number: int) -> None:
        super().__init__([mail() for _ in range(number)])
        self.seconds: list[float] = []
        self._began = 0.0

    def next(self) -> None:
        """Return none: each is waited for, so that the next begins when the one before is done."""

    async def wait(self, seconds: float) -> object:  # type: ignore[override]
        self._began = time.monotonic()
        return self._waiting.pop(0) if self._waiting else None

    def done(self, *arguments: object) -> None:
        super().done(*arguments)  # type: ignore[arg-type]
        self.seconds.append(time.monotonic() - self._began)


@pytest.fixture
def bad() -> Iterator[Hop]:
    port = free_port()
    command = [sys.executable, "-m", "tests.whole.hostile_hops", str(port)]
    process = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    hop = Hop(port)
    wait_until_listening(port, process)
    yield hop
    hop.close()
    process.kill()
    process.wait()


def test_a_good_host_is_not_slowed(bad: Hop) -> None:
    supplies = [SentMail([mail(data=LARGE)]) for _ in range(BAD)]
    crowd = [bad.hand_on(supply, IMPATIENT) for supply in supplies]
    good = Timed(GOOD)
    with sink() as hop:
        settings = hurried(SETTINGS, max_messages=1000)
        assert hop.hand_on(good, settings).end() is None
    assert [one.outcome.code for *_, one in good.attempts] == [250] * GOOD
    assert sorted(good.seconds)[int(GOOD * 0.99)] < MOST_SECONDS
    ends = [each.end() for each in crowd]
    assert all(end is not None and end.outcome.is_temporary for end in ends)
    assert all(one.outcome.is_temporary for supply in supplies for *_, one in supply.attempts)
