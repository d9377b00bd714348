import os
from pathlib import Path

import pytest

from twisted_mail.store import kernel


@pytest.fixture(params=["with renameat2", "without it", "refused"])
def renaming(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without it":
        monkeypatch.setattr(kernel, "_renameat2", None)
    elif request.param == "refused":
        monkeypatch.setattr(kernel, "_NOREPLACE", 1 << 20)  # a flag that no kernel knows: EINVAL


def test_a_file_is_renamed_to_a_free_name(renaming: None, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("a message")
    kernel.rename_to_free(os.fsencode(one), os.fsencode(other))
    assert other.read_text() == "a message"
    assert not one.exists()


def test_a_file_is_never_renamed_over_another(renaming: None, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("a message")
    other.write_text("another")
    with pytest.raises(FileExistsError):
        kernel.rename_to_free(os.fsencode(one), os.fsencode(other))
    assert (one.read_text(), other.read_text()) == ("a message", "another")


def test_a_file_that_is_gone_is_told(renaming: None, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        kernel.rename_to_free(os.fsencode(tmp_path / "one"), os.fsencode(tmp_path / "other"))
