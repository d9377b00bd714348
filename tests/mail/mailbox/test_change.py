"""Tests of twisted_mail.mail.mailbox.change."""

from typing import get_args

from twisted_mail.mail.mailbox.change import Change, Gone, Marked, Renamed
from twisted_mail.mail.mailbox.flags import NONE


def test_every_change_names_its_mailbox() -> None:
    assert all("mailbox" in kind.__dataclass_fields__ for kind in get_args(Change))


def test_changes_are_values() -> None:
    assert Gone("INBOX", (1, 2), 7) == Gone("INBOX", (1, 2), 7)
    assert len({Marked("a", ((1, NONE, 2),)), Marked("a", ((1, NONE, 2),)), Renamed("a", "b")}) == 2
