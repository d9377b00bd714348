"""A UID list that is torn, lost or of another mailbox."""

import pytest

from tests.contracts.ground import draft, mail
from tests.store.shared_maildir import Place, filled, lose, seen, uids
from twisted_mail.testing.doubles import finish


def test_a_torn_line_of_the_list_does_no_harm(place: Place) -> None:
    before = filled(place)
    place.close()
    path = place.maildir / "dovecot-uidlist"
    path.write_bytes(path.read_bytes() + b"7 :177")
    place.restart()
    inbox = place.open()
    assert seen(inbox) == before
    place.drop("new/99.late")
    finish(inbox.refresh())
    assert uids(inbox)[:-1] == [*before]
    assert path.read_bytes().endswith(b":99.late\n")


@pytest.mark.parametrize("harm", ["gone", "empty", "nonsense"])
def test_a_lost_list_is_made_again_from_the_index(place: Place, harm: str) -> None:
    before = filled(place)
    validity = place.open().uidvalidity
    place.close()
    path = place.maildir / "dovecot-uidlist"
    path.unlink() if harm == "gone" else path.write_bytes(b"\0" * 50 if harm == "nonsense" else b"")
    place.restart()
    inbox = place.open()
    assert (inbox.uidvalidity, seen(inbox)) == (validity, before)
    [uid] = finish(place.account.append("INBOX", [draft(mail("new"))])).targets
    assert uid > 5


def test_where_list_and_index_are_lost_the_uidvalidity_is_greater(place: Place) -> None:
    before = filled(place)
    validity = place.open().uidvalidity
    place.close()
    lose(place)
    (place.maildir / "dovecot-uidlist").unlink()
    place.restart()
    inbox = place.open()
    assert inbox.uidvalidity > validity
    assert sorted(seen(inbox).values(), key=str) == sorted(before.values(), key=str)


def test_another_uidvalidity_means_another_mailbox(place: Place) -> None:
    filled(place)
    place.close()
    (place.maildir / "dovecot-uidlist").write_bytes(b"3 V77 N100\n")
    place.restart()
    inbox = place.open()
    assert inbox.uidvalidity == 77
    assert min(uids(inbox)) >= 100


@pytest.mark.parametrize("file", ["subscriptions", "dovecot-uidlist"])
def test_a_maildir_that_was_served_keeps_its_mailboxes_and_subscriptions(
    place: Place, file: str
) -> None:
    place.drop(file, b"V\t2\n\nWork\n" if file == "subscriptions" else b"3 V7 N1\n")
    place.drop(".Sent/cur/1.M1P1Q1.here:2,S")
    mailboxes = finish(place.account.mailboxes())
    there = {each.name: each.use for each in mailboxes if each.is_selectable}
    assert there == {"INBOX": "", "Sent": "\\Sent"}
    subscribed = {each.name for each in mailboxes if each.is_subscribed}
    assert subscribed == ({"Work"} if file == "subscriptions" else set())
