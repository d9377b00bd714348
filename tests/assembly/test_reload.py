from types import SimpleNamespace
from typing import Any

from twisted.internet.defer import Deferred

from twisted_mail.assembly.reload import Reload, ReloadAnswer, Workers


class SlowFiles:
    """Reading the configuration lasts until the test ends it, and fails."""

    def __init__(self) -> None:
        self.reading: list[Deferred[None]] = []

    async def run(self, *_: object) -> Any:
        self.reading.append(Deferred())
        await self.reading[-1]
        raise ValueError(f"mistake {len(self.reading)}")


class ReloadFixture:
    """A reload, and what its calls were answered."""

    def __init__(self) -> None:
        self.files = SlowFiles()
        parts: Any = SimpleNamespace(
            threads=SimpleNamespace(files=self.files), config=SimpleNamespace(path="mail.toml")
        )
        self.reload = Reload(parts, None, Workers())  # type: ignore[arg-type]
        self.answers: list[tuple[int, str]] = []

    def call(self, number: int) -> None:
        def note(answer: ReloadAnswer) -> None:
            self.answers.append((number, *answer.mistakes))  # type: ignore[arg-type]

        Deferred.fromCoroutine(self.reload.run()).addCallback(note)


def test_calls_during_a_reload_share_the_next_one(capsys: Any) -> None:
    fixture = ReloadFixture()
    for number in range(1, 6):
        fixture.call(number)
    assert len(fixture.files.reading) == 1
    fixture.files.reading[0].callback(None)
    assert fixture.answers == [(1, "mistake 1")]
    fixture.call(6)  # one runs now that was begun before this call
    fixture.files.reading[1].callback(None)
    assert sorted(fixture.answers[1:]) == [(number, "mistake 2") for number in range(2, 6)]
    fixture.files.reading[2].callback(None)
    assert fixture.answers[-1] == (6, "mistake 3")
    assert len(fixture.files.reading) == 3


def test_the_next_reload_begins_when_one_has_failed() -> None:
    fixture = ReloadFixture()
    for number in (1, 2):
        fixture.call(number)
        fixture.files.reading[-1].callback(None)
    assert fixture.answers == [(1, "mistake 1"), (2, "mistake 2")]
