from pathlib import Path
from typing import Any

import pytest

from tests.control.store.commands import ALICE, BOB, StoreCommand

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
