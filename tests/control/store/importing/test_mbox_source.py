import io
from pathlib import Path
from typing import Any

import pytest

from tests.control.store.commands import ALICE, BOB, StoreCommand
from twisted_mail.control.store.importing import source_files
from twisted_mail.control.store.importing.source_files import SourceFiles

LINE = b"From ann@b.example Thu Apr 16 09:53:04 2015\n"


@pytest.fixture
def store(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> StoreCommand:
    return StoreCommand(tmp_path / "server", capsys, monkeypatch)


def mbox_file(path: Path, *subjects: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = b"".join(LINE + b"Subject: %s\n\nHello\n\n" % each.encode() for each in subjects)
    path.write_bytes(text)
    return path


def test_what_apple_mail_exports_keeps_the_names_of_its_mailboxes(
    store: StoreCommand, tmp_path: Path
) -> None:
    for package in ("INBOX.mbox", "Sent Messages.mbox", "Work/Ketchup.mbox"):
        mbox_file(tmp_path / "Mail" / package / "mbox", package)
        (tmp_path / "Mail" / package / "table_of_contents").write_bytes(b"\0\1\2")
    assert store("import", ALICE, tmp_path / "Mail") == 0
    for name in ("INBOX", "Sent Messages", "Work/Ketchup"):
        assert len(store.look(mailbox=name)) == 1
    assert store("import", BOB, tmp_path / "Mail" / "Sent Messages.mbox", "--into", "Old") == 0
    assert len(store.look(BOB, "Old")) == 1


def test_a_folder_that_is_no_package_keeps_a_file_called_mbox(
    store: StoreCommand, tmp_path: Path
) -> None:
    mbox_file(tmp_path / "Mail" / "Work" / "mbox", "one")
    assert store("import", ALICE, tmp_path / "Mail") == 0
    assert len(store.look(mailbox="Work/mbox")) == 1


class _BadSector(io.BytesIO):
    """A file whose octets from one place on cannot be read, once it is asked for them alone."""

    def __init__(self, inner: Any, bad: range, is_whole: bool) -> None:
        super().__init__(inner.read())
        self._inner = inner
        self._bad = bad
        self._is_whole = is_whole

    def fileno(self) -> int:
        number: int = self._inner.fileno()
        return number

    def readline(self, size: int | None = -1, /) -> bytes:
        if self._is_whole and self.tell() in self._bad:
            raise OSError(5, "Input/output error")
        return super().readline(size)

    def read(self, size: int | None = -1, /) -> bytes:
        if not self._is_whole and self.tell() in self._bad and size != 1000:
            raise OSError(5, "Input/output error")
        return super().read(size)


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_bad_sector_of_an_mbox_stops_no_other(
    is_whole: bool, store: StoreCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = mbox_file(tmp_path / "Mail" / "bad", "one", "two", "three")
    mbox_file(tmp_path / "Mail" / "good", "four")
    opened = SourceFiles.open
    second = bad.stat().st_size // 3

    def faulty(self: SourceFiles, path: bytes) -> Any:
        file = opened(self, path)
        is_bad = path == b"bad"
        return _BadSector(file, range(second, 2 * second - 5), is_whole) if is_bad else file

    monkeypatch.setattr(source_files.SourceFiles, "open", faulty)
    answer = store.json("import", ALICE, tmp_path / "Mail")
    assert not answer["ok"]
    assert "Input/output error" in store.out
    assert len(store.look(mailbox="good")) == 1
    assert answer["imported"] == (1 if is_whole else 3)
