"""Tests of twisted_mail.store.format.special_use."""

from pathlib import Path

import pytest

from tests.faults import QuickDisk
from twisted_mail.store.format.special_use import SpecialUses

USES = {"Sent": "\\Sent", "Post/Müll": "\\Junk"}


@pytest.fixture
def uses(tmp_path: Path) -> SpecialUses:
    return SpecialUses(QuickDisk(), bytes(tmp_path))


def test_what_is_written_is_read(uses: SpecialUses) -> None:
    assert (uses.are_written, uses.read()) == (False, {})
    uses.write(USES)
    assert (uses.are_written, uses.read()) == (True, USES)


def test_a_file_that_cannot_be_read_is_there(uses: SpecialUses, tmp_path: Path) -> None:
    (tmp_path / "special-use").mkdir()
    assert uses.are_written
    with pytest.raises(IsADirectoryError):
        uses.read()


def test_lines_that_name_no_mailbox_are_left_out(uses: SpecialUses, tmp_path: Path) -> None:
    (tmp_path / "special-use").write_bytes(b"\\Sent .Sent\n\\Junk\nnonsense\n\\Trash Trash\xff\n\n")
    assert uses.read()["Sent"] == "\\Sent"


def test_uses_of_mailboxes_that_are_not_there_are_dropped(uses: SpecialUses) -> None:
    uses.write(USES)
    uses.add({"Work": "\\Archive"}, there={"Sent"})
    assert uses.read() == {"Sent": "\\Sent", "Work": "\\Archive"}


def test_the_file_is_written_only_when_something_changes(uses: SpecialUses, tmp_path: Path) -> None:
    uses.write(USES)
    before = (tmp_path / "special-use").stat().st_ino
    uses.add({}, there=USES)
    assert (tmp_path / "special-use").stat().st_ino == before


def test_a_renamed_mailbox_takes_its_use_along(uses: SpecialUses) -> None:
    uses.write(USES)
    uses.carry([("Sent", "Old/Sent")], there=USES)
    assert uses.read() == {**USES, "Old/Sent": "\\Sent"}
