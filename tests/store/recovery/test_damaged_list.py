"""A UID list that is torn, lost or of another mailbox."""

import pytest

from tests.contracts.ground import draft, mail
from tests.store.shared_maildir import SharedMaildir, filled, lose, seen, uids
from twisted_mail.testing.doubles import finish


def test_a_torn_line_of_the_list_does_no_harm(shared: SharedMaildir) -> None:
    before = filled(shared)
    shared.close()
    path = shared.maildir / "dovecot-uidlist"
    path.write_bytes(path.read_bytes() + b"7 :177")
    shared.restart()
    inbox = shared.open()
    assert seen(inbox) == before
    shared.drop("new/99.late")
    finish(inbox.refresh())
    assert uids(inbox)[:-1] == [*before]
    assert path.read_bytes().endswith(b":99.late\n")


@pytest.mark.parametrize("harm", ["gone", "empty", "nonsense"])
def test_a_lost_list_is_made_again_from_the_index(shared: SharedMaildir, harm: str) -> None:
    before = filled(shared)
    validity = shared.open().uidvalidity
    shared.close()
    path = shared.maildir / "dovecot-uidlist"
    path.unlink() if harm == "gone" else path.write_bytes(b"\0" * 50 if harm == "nonsense" else b"")
    shared.restart()
    inbox = shared.open()
    assert (inbox.uidvalidity, seen(inbox)) == (validity, before)
    [uid] = finish(shared.account.append("INBOX", [draft(mail("new"))])).targets
    assert uid > 5


def test_where_list_and_index_are_lost_the_uidvalidity_is_greater(shared: SharedMaildir) -> None:
    before = filled(shared)
    validity = shared.open().uidvalidity
    shared.close()
    lose(shared)
    (shared.maildir / "dovecot-uidlist").unlink()
    shared.restart()
    inbox = shared.open()
    assert inbox.uidvalidity > validity
    assert sorted(seen(inbox).values(), key=str) == sorted(before.values(), key=str)


def test_another_uidvalidity_means_another_mailbox(shared: SharedMaildir) -> None:
    filled(shared)
    shared.close()
    (shared.maildir / "dovecot-uidlist").write_bytes(b"3 V77 N100\n")
    shared.restart()
    inbox = shared.open()
    assert inbox.uidvalidity == 77
    assert min(uids(inbox)) >= 100


@pytest.mark.parametrize("file", ["subscriptions", "dovecot-uidlist"])
def test_a_maildir_that_was_served_keeps_its_mailboxes_and_subscriptions(
    shared: SharedMaildir, file: str
) -> None:
    shared.drop(file, b"V\t2\n\nWork\n" if file == "subscriptions" else b"3 V7 N1\n")
    shared.drop(".Sent/cur/1.M1P1Q1.here:2,S")
    mailboxes = finish(shared.account.mailboxes())
    there = {each.name: each.use for each in mailboxes if each.is_selectable}
    assert there == {"INBOX": "", "Sent": "\\Sent"}
    subscribed = {each.name for each in mailboxes if each.is_subscribed}
    assert subscribed == ({"Work"} if file == "subscriptions" else set())
