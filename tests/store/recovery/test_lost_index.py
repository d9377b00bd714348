"""An index that is lost, damaged or of no use is made again from the files."""

import dataclasses
import os

import pytest

from tests.contracts.ground import draft, entry, listen, mail
from tests.store.shared_maildir import SharedMaildir, filled, lose, seen, texts
from twisted_mail.mail.mailbox.change import EntriesExpunged
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.testing.doubles import finish


def damage(shared: SharedMaildir) -> None:
    [path] = shared.root.glob("*/*/index.sqlite3")
    data = bytearray(path.read_bytes())
    data[4096:] = os.urandom(len(data) - 4096)
    path.write_bytes(data)


def destroy(shared: SharedMaildir) -> None:
    [path] = shared.root.glob("*/*/index.sqlite3")
    path.write_bytes(b"this is no database" * 1000)


def make_newer(shared: SharedMaildir) -> None:
    import apsw

    [path] = shared.root.glob("*/*/index.sqlite3")
    connection = apsw.Connection(str(path))
    connection.pragma("user_version", 99)
    connection.close()


@pytest.mark.parametrize("harm", [lose, damage, destroy, make_newer])
def test_an_index_that_is_of_no_use_is_made_again(shared: SharedMaildir, harm) -> None:
    before = filled(shared)
    inbox = shared.open()
    validity, highest = inbox.uidvalidity, inbox.columns.highest_modseq
    shared.close()
    harm(shared)
    shared.restart()
    inbox = shared.open()
    assert (inbox.uidvalidity, seen(inbox)) == (validity, before)
    assert inbox.columns.highest_modseq > highest
    assert inbox.columns.uidnext == 5
    damaged = list(shared.root.glob("*/*/index.sqlite3.damaged"))
    assert bool(damaged) == (harm is not lose)


def test_an_index_damaged_while_in_use_is_replaced_under_open_mailboxes(
    shared: SharedMaildir,
) -> None:
    before = filled(shared)
    inbox = shared.open()
    heard = listen(inbox)
    shared.account._tree.index.database.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    destroy(shared)
    shared.account._tree.index.database.connection.execute("PRAGMA shrink_memory")
    shared.drop("new/99.late")
    finish(inbox.refresh())
    assert {uid: row for uid, row in seen(inbox).items() if uid in before} == before
    assert texts(inbox)[-1] == mail("dropped")
    assert [change for change in heard if isinstance(change, EntriesExpunged)] == []


def test_an_index_lost_while_it_was_closed_is_made_again_under_open_mailboxes(
    shared: SharedMaildir,
) -> None:
    before = filled(shared)
    inbox = shared.open()
    heard = listen(inbox)
    shared.close()
    lose(shared)
    finish(inbox.refresh())
    assert (list(inbox.columns.uids), seen(inbox)) == ([1, 3, 4], before)
    assert heard == []


def test_what_another_process_did_in_an_index_made_anew_reaches_open_mailboxes(
    shared: SharedMaildir,
) -> None:
    filled(shared)
    inbox = shared.open()
    shared.close()
    lose(shared)
    other = SharedMaildir(shared.root).open()
    finish(other.expunge([1]))
    finish(other.mark([4], "add", normal(["\\Answered"])))
    finish(inbox.refresh())
    assert seen(inbox) == seen(other)


def test_keywords_without_a_letter_outlive_a_restart(shared: SharedMaildir) -> None:
    words = [f"word{n:02}" for n in range(40)]
    finish(shared.account.append("INBOX", [draft(mail("a"), *words)]))
    shared.close()
    shared.restart()
    inbox = shared.open()
    assert entry(inbox, 1).flags == {*words}
    finish(inbox.mark([1], "remove", normal(["word39", "word00"])))
    shared.drop("new/1.a")
    finish(inbox.refresh())
    assert entry(inbox, 1).flags == {*words} - {"word00", "word39"}


def test_mod_sequences_leap_when_the_machine_was_started_again(shared: SharedMaildir) -> None:
    filled(shared)
    highest = shared.open().columns.highest_modseq
    shared.close()
    shared.restart()
    shared.store._environment = dataclasses.replace(shared.store._environment, boot="another boot")
    assert shared.open().columns.highest_modseq >= highest + 1_000_000
