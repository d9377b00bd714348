import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.job import APPROVE, Job
from twisted_mail.mail.mailing_list import ListRole
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.route import ListTarget, ProgramTarget
from twisted_mail.queue.folder import QueueFolder

ONE = Job("0abc-1", 5.0, NULL, ProgramTarget("ticket", parse("t@example.org")))
TWO = Job("0abc-2", 6.0, NULL, ListTarget("news@example.org", ListRole.POST))
MESSAGE = Message(MemoryBlob(b"Subject: x\r\n\r\nbody\r\n"), b"Received: y\r\n")


@pytest.fixture
def folder(tmp_path: Path) -> QueueFolder:
    made = QueueFolder(str(tmp_path / "waiting"))
    assert made.load() == []
    return made


def names(tmp_path: Path) -> list[str]:
    return sorted(os.listdir(tmp_path / "waiting"))


def taken(folder: QueueFolder) -> QueueFolder:
    folder.prepare([ONE, TWO], MESSAGE)
    folder.commit([ONE, TWO])
    return folder


def test_promised_parcels_are_there_after_a_restart(folder: QueueFolder, tmp_path: Path) -> None:
    taken(folder)
    again = QueueFolder(str(tmp_path / "waiting"))
    assert again.load() == [ONE, TWO]
    blob = again.blob(TWO.id)
    assert b"".join(blob.pieces()) == b"".join(MESSAGE.pieces())
    assert b"".join(blob.pieces(3, 8)) == b"".join(MESSAGE.pieces())[3:8]
    assert blob.size == MESSAGE.size


def test_what_was_not_promised_is_swept_away(folder: QueueFolder, tmp_path: Path) -> None:
    folder.prepare([ONE, TWO], MESSAGE)
    assert folder.load() == []
    assert names(tmp_path) == []


def test_a_withdrawn_parcel_leaves_nothing(folder: QueueFolder, tmp_path: Path) -> None:
    folder.prepare([ONE, TWO], MESSAGE)
    folder.rollback([ONE, TWO])
    assert names(tmp_path) == []


def test_a_description_is_replaced_as_a_whole(folder: QueueFolder) -> None:
    later = Job(ONE.id, 5.0, NULL, ONE.target, due=99.0, attempts=3, reason="busy")
    taken(folder).update(later)
    assert folder.load() == [later, TWO]


def test_a_removed_parcel_leaves_nothing(folder: QueueFolder, tmp_path: Path) -> None:
    taken(folder)
    folder.note_done(TWO.id, [1])
    folder.decide(TWO.id, APPROVE)
    folder.remove(ONE.id)
    folder.remove(TWO.id)
    assert names(tmp_path) == []


def test_who_has_it_already_is_remembered(folder: QueueFolder, tmp_path: Path) -> None:
    taken(folder)
    assert folder.done(TWO.id) == set()
    folder.note_done(TWO.id, [3, 5])
    folder.note_done(TWO.id, [8])
    with (tmp_path / "waiting" / f"{TWO.id}.done").open("ab") as file:
        file.write(b"13")  # a line that a crash has torn
    assert folder.done(TWO.id) == {3, 5, 8}


def test_words_are_heard_and_forgotten(folder: QueueFolder) -> None:
    taken(folder).decide(TWO.id, APPROVE)
    assert folder.pending_decisions() == [(TWO.id, APPROVE)]
    folder.remove_decision(TWO.id, APPROVE)
    assert folder.pending_decisions() == []


@pytest.mark.parametrize("damage", [b"", b"{}", b"\xff\xfe"])
def test_a_damaged_parcel_does_not_hinder_the_others(
    folder: QueueFolder, tmp_path: Path, damage: bytes
) -> None:
    taken(folder)
    (tmp_path / "waiting" / f"{ONE.id}.json").write_bytes(damage)
    assert folder.load() == [TWO]
    assert {f"{ONE.id}.json", f"{ONE.id}.mail"} < set(names(tmp_path))


def calls(folder: QueueFolder, work: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> int:
    """Return the number of system calls that a piece of work makes."""
    return stopped_after(10**6, work, monkeypatch)


class Stopped(BaseException):
    """The machine has stopped."""


def stopped_after(limit: int, work: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> int:
    count = 0

    def stopping(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal count
            if count >= limit:
                raise Stopped
            count += 1
            return real(*args, **kwargs)

        return call

    with monkeypatch.context() as patched:
        for name in ("open", "write", "fsync", "rename", "unlink", "link"):
            patched.setattr(os, name, stopping(name))
        try:
            work()
        except Stopped:
            return -1
    return count


def test_a_crash_at_any_moment_leaves_all_or_nothing_of_a_parcel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taking(folder: QueueFolder) -> Callable[[], None]:
        def work() -> None:
            folder.prepare([ONE, TWO], MESSAGE)
            folder.commit([ONE, TWO])

        return work

    made = QueueFolder(str(tmp_path / "whole"))
    made.load()
    total = calls(made, taking(made), monkeypatch)
    for limit in range(total):
        path = tmp_path / str(limit)
        made = QueueFolder(str(path))
        made.load()
        assert stopped_after(limit, taking(made), monkeypatch) == -1
        for job in QueueFolder(str(path)).load():
            assert b"".join(made.blob(job.id).pieces()) == b"".join(MESSAGE.pieces())
