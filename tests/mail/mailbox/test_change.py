"""Tests of twisted_mail.mail.mailbox.change."""

from typing import get_args

from twisted_mail.mail.mailbox.change import Change, EntriesExpunged, FlagsChanged, MailboxRenamed
from twisted_mail.mail.mailbox.flags import NONE


def test_every_change_names_its_mailbox() -> None:
    assert all("mailbox" in kind.__dataclass_fields__ for kind in get_args(Change))


def test_changes_are_values() -> None:
    assert EntriesExpunged("INBOX", (1, 2), 7) == EntriesExpunged("INBOX", (1, 2), 7)
    assert (
        len(
            {
                FlagsChanged("a", ((1, NONE, 2),)),
                FlagsChanged("a", ((1, NONE, 2),)),
                MailboxRenamed("a", "b"),
            }
        )
        == 2
    )
