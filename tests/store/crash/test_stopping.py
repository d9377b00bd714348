"""The process, or the machine, stops at every step."""

import shutil
from pathlib import Path

import pytest

from tests.faults import (
    PowerDisk,
    StopDisk,
)
from tests.store.crash.account import Seen, look_all, store_at
from tests.store.crash.conftest import Everywhere
from tests.store.crash.playing import aftermath, play
from tests.store.crash.promises import check_nothing_lost
from tests.store.crash.stories import STORIES, Story


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_whenever_the_process_stops_nothing_promised_is_lost(
    story: Story, old: dict[str, Seen], at_every_step: Everywhere
) -> None:
    def attempt(root: Path, step: int) -> bool:
        answer, done = play(story, store_at(root, StopDisk(step)))
        new = look_all(root)
        check_nothing_lost(root, old, new)
        aftermath(story, root, answer, done, old, new)
        return done

    at_every_step(attempt)


@pytest.mark.parametrize("index", ["kept", "older", "lost"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__)
def test_whenever_the_power_fails_nothing_promised_is_lost(
    story: Story,
    index: str,
    before: Path,
    old: dict[str, Seen],
    tmp_path: Path,
    at_every_step: Everywhere,
) -> None:
    def attempt(root: Path, step: int) -> bool:
        disk = PowerDisk(step, tmp_path / f"attic{step}")
        answer, done = play(story, store_at(root, disk))
        disk.cut()
        lose_index(index, before, root)
        new = look_all(root)
        check_nothing_lost(root, old, new)
        aftermath(story, root, answer, done, old, new)
        return done

    at_every_step(attempt)


def lose_index(how: str, before: Path, root: Path) -> None:
    if how == "kept":
        return
    for path in root.glob("*/*/index.sqlite3*"):
        path.unlink()
    if how == "older":
        for path in before.glob("*/*/index.sqlite3*"):
            shutil.copy(path, root / path.relative_to(before))
