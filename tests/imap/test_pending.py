from twisted_mail.imap.pending import PendingChanges
from twisted_mail.mail.mailbox.change import EntriesExpunged, FlagsChanged
from twisted_mail.mail.mailbox.flags import NONE


def test_flags_are_pending_once_in_the_order_of_their_changes() -> None:
    pending = PendingChanges()
    pending.note(FlagsChanged("INBOX", ((3, NONE, 1), (1, NONE, 1))))
    pending.note(FlagsChanged("INBOX", ((2, NONE, 2), (3, NONE, 2))))
    assert list(pending.flags) == [3, 1, 2]


def test_what_comes_and_goes_is_never_sent() -> None:
    pending = PendingChanges()
    pending.note_added([5, 6, 7])
    pending.note(EntriesExpunged("INBOX", (6,), 2))
    assert list(pending.arrivals) == [5, 7]


def test_expunges_are_taken_once() -> None:
    pending = PendingChanges()
    pending.note(EntriesExpunged("INBOX", (1, 2), 2))
    assert pending.take_expunges() == {1, 2}
    assert not pending.take_expunges()
