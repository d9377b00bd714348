"""An index that is lost, damaged or of no use is made again from the files."""

import dataclasses
import os

import pytest

from tests.contracts.ground import draft, entry, listen, mail
from tests.store.shared_maildir import Place, filled, lose, seen, texts
from twisted_mail.mail.mailbox.change import EntriesExpunged
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.testing.doubles import finish


def damage(place: Place) -> None:
    [path] = place.root.glob("*/*/index.sqlite3")
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def destroy(place: Place) -> None:
    [path] = place.root.glob("*/*/index.sqlite3")
    path.write_bytes(b"this is no database" * 1000)


def make_newer(place: Place) -> None:
    import apsw

    [path] = place.root.glob("*/*/index.sqlite3")
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.close()


@pytest.mark.parametrize("harm", [lose, damage, destroy, make_newer])
def test_an_index_that_is_of_no_use_is_made_again(place: Place, harm) -> None:
    before = filled(place)
    inbox = place.open()
    validity, highest = inbox.uidvalidity, inbox.columns.highest_modseq
    place.close()
    harm(place)
    place.restart()
    inbox = place.open()
    assert (inbox.uidvalidity, seen(inbox)) == (validity, before)
    assert inbox.columns.highest_modseq > highest
    assert inbox.columns.uidnext == 5
    damaged = list(place.root.glob("*/*/index.sqlite3.damaged"))
    assert bool(damaged) == (harm is not lose)


def test_an_index_damaged_while_in_use_is_replaced_under_open_mailboxes(place: Place) -> None:
    before = filled(place)
    inbox = place.open()
    heard = listen(inbox)
    place.account._tree.index.database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    destroy(place)
    place.account._tree.index.database.connection.execute("PRAGMA shrink_memory")
    place.drop("new/99.late")
    finish(inbox.refresh())
    assert {uid: row for uid, row in seen(inbox).items() if uid in before} == before
    assert texts(inbox)[-1] == mail("dropped")
    assert [change for change in heard if isinstance(change, EntriesExpunged)] == []


def test_keywords_without_a_letter_outlive_a_restart(place: Place) -> None:
    words = [f"word{n:02}" for n in range(40)]
    finish(place.account.append("INBOX", [draft(mail("a"), *words)]))
    place.close()
    place.restart()
    inbox = place.open()
    assert entry(inbox, 1).flags == {*words}
    finish(inbox.mark([1], "remove", normal(["word39", "word00"])))
    place.drop("new/1.a")
    finish(inbox.refresh())
    assert entry(inbox, 1).flags == {*words} - {"word00", "word39"}


def test_mod_sequences_leap_when_the_machine_was_started_again(place: Place) -> None:
    filled(place)
    highest = place.open().columns.highest_modseq
    place.close()
    place.restart()
    place.store._environment = dataclasses.replace(place.store._environment, boot="another boot")
    assert place.open().columns.highest_modseq >= highest + 1_000_000
