import bz2
import gzip
import lzma
from pathlib import Path
from typing import Any

import pytest

from tests.control.store.commands import ALICE, StoreCommand
from twisted_mail.control.store.importing import batch, importer
from twisted_mail.control.store.importing.compressed_files import unpacked
from twisted_mail.control.store.skipped import BadItem

MESSAGE = b"Subject: packed\n\nHello\n"


@pytest.fixture
def store(tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> StoreCommand:
    return StoreCommand(tmp_path / "server", capsys, monkeypatch)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress, lzma.compress])
def test_what_dovecot_compressed_is_the_message_again(pack: Any) -> None:
    assert unpacked(pack(MESSAGE)) == MESSAGE


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_what_is_damaged_or_too_large_is_no_message(pack: Any) -> None:
    data = pack(MESSAGE * 100)
    assert isinstance(unpacked(data[:-9]), BadItem)
    assert isinstance(unpacked(data, limit=100 * len(MESSAGE) - 1), BadItem)
    assert unpacked(data, limit=100 * len(MESSAGE)) == MESSAGE * 100


@pytest.mark.parametrize(
    "start", [b"CRYPTED\x03\x07", b"Dovecot-LZ4\r\x2a\x9b\xc5", b"\x28\xb5\x2f\xfd"]
)
def test_what_cannot_be_read_is_no_message(start: bytes) -> None:
    assert isinstance(unpacked(start + bytes(100)), BadItem)


def maildir(path: Path, *files: bytes) -> Path:
    for place in ("new", "cur", "tmp"):
        (path / place).mkdir(parents=True)
    for at, data in enumerate(files, 1):
        (path / "cur" / f"{at}.M{at}.host,S=23:2,S").write_bytes(data)
    return path


def test_a_compressed_maildir_comes_as_mail_and_encrypted_mail_is_named(
    store: StoreCommand, tmp_path: Path
) -> None:
    source = maildir(
        tmp_path / "old", gzip.compress(MESSAGE), MESSAGE, b"CRYPTED\x03\x07" + b"x" * 99
    )
    assert store("import", ALICE, source) == 1
    assert "cur/3.M3.host,S=23:2,S: it is encrypted" in store.out
    assert [each.data for each in store.look()] == [MESSAGE.replace(b"\n", b"\r\n")] * 2


def test_messages_that_grow_are_appended_in_smaller_batches(
    store: StoreCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    append = importer.append_to

    def appended(tree: Any, work: Any, target: str, drafts: Any, marks: Any) -> Any:
        sizes.append(len(drafts))
        return append(tree, work, target, drafts, marks)

    monkeypatch.setattr(importer, "append_to", appended)
    monkeypatch.setattr(batch, "MAX_SIZE", 1000)
    source = maildir(tmp_path / "old", *[gzip.compress(MESSAGE * 30)] * 7)
    assert store.json("import", ALICE, source)["imported"] == 7
    assert max(sizes) == 2
    assert store.json("import", ALICE, source)["imported"] == 0
