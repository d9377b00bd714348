"""``check`` names the module of this installation that cannot be imported."""

import pytest

from twisted_mail.control.checks import installation
from twisted_mail.control.checks.installation import installation_notes
from twisted_mail.control.checks.note import Note


def test_a_whole_installation_is_nothing_to_note() -> None:
    assert list(installation_notes(None)) == []  # type: ignore[arg-type]


def test_a_module_that_fails_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "MODULES", ("no_such_package",))
    [note] = installation_notes(None)  # type: ignore[arg-type]
    assert note == Note(
        "fault", "no_such_package", "cannot be imported: No module named 'no_such_package'"
    )
