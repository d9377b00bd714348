"""Other programs in the same maildir: Dovecot, mutt, delivery agents, people with a shell."""

import dataclasses
import os
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, entry, listen, mail
from tests.faults import QuickDisk
from twisted_mail.mail.mailbox.change import EntriesAdded, EntriesExpunged, FlagsChanged
from twisted_mail.mail.mailbox.entry import Contains, MessageRange
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

LATER = 2_500_000_000  # the clock stands after all dates of files


class Place:
    """A store, its account alice, and her maildir as another program sees it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.render = FakeRenderer()
        self.maildir = root / "example.org" / "alice" / "Maildir"
        self.restart()

    def restart(self) -> None:
        self.clock = clock = StillClock(LATER)
        self.store = MaildirStore(self.root, InlineBlocking(), clock, self.render, disk=QuickDisk())

    @property
    def account(self) -> MaildirAccount:
        return finish(self.store.account(ALICE))

    def open(self, name: str = "INBOX"):
        return finish(self.account.open(name))

    def close(self) -> None:
        finish(self.store.close())

    def drop(self, name: str, data: bytes = mail("dropped"), age: int = 0) -> Path:
        """Put a file where another program puts it."""
        path = self.maildir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (1_000_000_000 - age, 1_000_000_000 - age))
        return path

    def files(self, *places: str) -> list[str]:
        return sorted(name for place in places for name in os.listdir(self.maildir / place))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def uids(mailbox) -> list[int]:
    return list(mailbox.columns.uids)


def texts(mailbox) -> list[bytes | None]:
    return finish(mailbox.read([MessageRange(uid) for uid in uids(mailbox)]))


# ---------------------------------------------------------------- what they do meanwhile


def test_a_file_dropped_into_new_is_found(place: Place) -> None:
    inbox = place.open()
    heard = listen(inbox)
    place.drop("new/1.a.host")
    finish(inbox.refresh())
    assert texts(inbox) == [mail("dropped")]
    assert heard == [EntriesAdded("INBOX", (entry(inbox, 1),))]
    assert entry(inbox, 1).date == 1_000_000_000


def test_files_get_uids_in_the_order_of_their_age(place: Place) -> None:
    for name in ("new/10.Q10", "new/9.Q11", "cur/10.Q9:2,"):
        place.drop(name, mail(name))
    assert texts(place.open()) == [
        mail(name) for name in ("new/9.Q11", "cur/10.Q9:2,", "new/10.Q10")
    ]


def test_a_renamed_file_has_other_flags(place: Place) -> None:
    place.drop("cur/a:2,S")
    inbox = place.open()
    heard, before = listen(inbox), inbox.columns.highest_modseq
    os.rename(place.maildir / "cur/a:2,S", place.maildir / "cur/a:2,FT")
    finish(inbox.refresh())
    assert entry(inbox, 1).flags == {"\\Flagged", "\\Deleted"}
    assert heard == [FlagsChanged("INBOX", ((1, entry(inbox, 1).flags, before + 1),))]


def test_a_file_moved_from_new_to_cur_is_the_same_message(place: Place) -> None:
    place.drop("new/a")
    inbox = place.open()
    heard = listen(inbox)
    os.rename(place.maildir / "new/a", place.maildir / "cur/a:2,")
    finish(inbox.refresh())
    assert (heard, texts(inbox)) == ([], [mail("dropped")])


def test_a_removed_file_is_gone(place: Place) -> None:
    path = place.drop("cur/a:2,S")
    inbox = place.open()
    heard = listen(inbox)
    path.unlink()
    finish(inbox.refresh())
    assert [type(change) for change in heard] == [EntriesExpunged]
    assert uids(inbox) == []


def test_a_file_that_comes_back_is_another_message(place: Place) -> None:
    path = place.drop("cur/a:2,S")
    inbox = place.open()
    path.unlink()
    finish(inbox.refresh())
    place.drop("cur/a:2,S")
    finish(inbox.refresh())
    assert uids(inbox) == [2]


def test_nothing_is_heard_where_nothing_happened(place: Place) -> None:
    place.drop("cur/a:2,S")
    inbox = place.open()
    heard = listen(inbox)
    finish(inbox.refresh())
    assert heard == []


def test_reading_follows_a_rename_nobody_told_of(place: Place) -> None:
    place.drop("cur/a:2,")
    inbox = place.open()
    os.rename(place.maildir / "cur/a:2,", place.maildir / "cur/a:2,S")
    assert texts(inbox) == [mail("dropped")]
    assert entry(inbox, 1).flags == {"\\Seen"}


def test_marking_follows_a_rename_and_keeps_what_it_said(place: Place) -> None:
    place.drop("cur/a:2,")
    inbox = place.open()
    os.rename(place.maildir / "cur/a:2,", place.maildir / "cur/a:2,S")
    finish(inbox.mark([1], "add", normal(["\\Flagged"])))
    assert entry(inbox, 1).flags == {"\\Seen", "\\Flagged"}
    assert place.files("cur") == ["a:2,FS"]


def test_expunging_follows_a_rename(place: Place) -> None:
    place.drop("cur/a:2,")
    place.drop("cur/b:2,")
    inbox = place.open()
    os.rename(place.maildir / "cur/b:2,", place.maildir / "cur/b:2,S")
    assert finish(inbox.expunge([1, 2])) == (1, 2)
    assert place.files("cur", "new") == []
    assert uids(inbox) == []


@pytest.mark.parametrize("act", ["copy", "move"])
def test_copying_and_moving_follow_a_rename(place: Place, act: str) -> None:
    place.drop("cur/a:2,")
    inbox, sent = place.open(), place.open("Sent")
    os.rename(place.maildir / "cur/a:2,", place.maildir / "cur/a:2,S")
    finish(getattr(inbox, act)([1], "Sent"))
    assert texts(sent) == [mail("dropped")]
    assert entry(sent, 1).flags == {"\\Seen"}
    assert len(inbox.columns) == (act == "copy")


def test_what_vanished_is_passed_over(place: Place) -> None:
    path = place.drop("cur/a:2,")
    inbox = place.open()
    path.unlink()
    assert finish(inbox.copy([1], "Sent")).targets == ()
    assert finish(inbox.read([MessageRange(1)])) == [None]
    assert finish(inbox.items([1])) == [None]
    assert finish(inbox.matching([1], Contains("text", "dropped"))) == frozenset()


def test_deliveries_of_others_get_uids_after_our_own(place: Place) -> None:
    inbox = place.open()
    finish(place.account.append("INBOX", [draft(mail("ours"))]))
    place.drop("new/1.theirs", age=10**6)
    finish(inbox.refresh())
    assert texts(inbox) == [mail("ours"), mail("dropped")]


def test_a_mailbox_removed_by_another_program_does_not_exist(place: Place) -> None:
    inbox = place.open("Sent")
    for folder in ("cur", "new", "tmp"):
        (place.maildir / ".Sent" / folder).rmdir()
    for path in (place.maildir / ".Sent").iterdir():
        path.unlink()
    (place.maildir / ".Sent").rmdir()
    for act in (
        inbox.refresh(),
        inbox.mark([1], "add", normal(["\\Seen"])),
        place.account.open("Sent"),
    ):
        with pytest.raises(Refused) as caught:
            finish(act)
        assert caught.value.condition == "NONEXISTENT"


def test_a_mailbox_made_by_another_program_is_found(place: Place) -> None:
    place.drop(".Lists.py&AOQ-x/new/1.a")
    assert texts(place.open("Lists/pyäx")) == [mail("dropped")]
    assert place.files(".Lists.py&AOQ-x")[:1] == ["cur"]


# ---------------------------------------------------------------- odd files


def test_what_is_no_message_is_passed_over(place: Place) -> None:
    place.account  # noqa: B018
    os.mkfifo(place.maildir / "new/fifo")
    os.mkdir(place.maildir / "cur/folder")
    os.symlink("/etc/passwd", place.maildir / "new/link")
    place.drop("new/.hidden")
    place.drop("tmp/unfinished")
    place.drop("cur/good:2,S")
    assert texts(place.open()) == [mail("dropped")]


def test_a_mailbox_that_is_a_link_is_passed_over(place: Place, tmp_path: Path) -> None:
    place.account  # noqa: B018
    os.mkdir(tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", place.maildir / ".Evil")
    assert "Evil" not in [info.name for info in finish(place.account.mailboxes())]
    with pytest.raises(Refused):
        place.open("Evil")


def test_names_that_fit_on_no_line_are_mended(place: Place) -> None:
    place.drop("new/a\nb")
    place.drop("cur/:2,S")
    inbox = place.open()
    finish(inbox.refresh())
    assert texts(inbox) == [mail("dropped")] * 2


@pytest.mark.parametrize(
    "name", [b"new/\xff\xfe", b"new/x" + b"y" * 200, b"cur/a:foo", b"cur/b:2,Zz1"]
)
def test_names_of_any_octets_are_served(place: Place, name: bytes) -> None:
    place.account  # noqa: B018
    path = os.path.join(os.fsencode(place.maildir), name)
    with open(path, "wb") as file:
        file.write(mail("odd"))
    inbox = place.open()
    assert texts(inbox) == [mail("odd")]
    finish(inbox.mark([1], "add", normal(["\\Seen"])))
    assert texts(inbox) == [mail("odd")]
    place.restart()
    inbox = place.open()
    assert (texts(inbox), entry(inbox, 1).flags) == ([mail("odd")], {"\\Seen"})


def test_letters_that_mean_nothing_here_stay(place: Place) -> None:
    place.drop("cur/a:2,PSz")
    inbox = place.open()
    finish(inbox.mark([1], "set", normal(["\\Flagged"])))
    assert place.files("cur") == ["a:2,FPz"]


def test_two_messages_of_one_name_are_both_served(place: Place) -> None:
    place.drop("new/a", mail("one"))
    place.drop("cur/a:2,S", mail("two"))
    inbox = place.open()
    assert sorted(texts(inbox), key=str) == [mail("one"), mail("two")]


def test_two_names_of_one_file_are_one_message(place: Place) -> None:
    place.account  # noqa: B018
    path = place.drop("new/a", mail("one"))
    os.link(path, place.maildir / "cur/a:2,S")
    inbox = place.open()
    assert (texts(inbox), entry(inbox, 1).flags) == ([mail("one")], {"\\Seen"})


def test_no_file_is_overwritten_by_a_mark(place: Place) -> None:
    place.drop("cur/a:2,", mail("one"))
    inbox = place.open()
    place.drop("cur/a:2,S", mail("two"))
    finish(inbox.mark([1], "add", normal(["\\Seen"])))
    finish(inbox.refresh())
    assert sorted(texts(inbox), key=str) == [mail("one"), mail("two")]


def test_old_files_in_tmp_are_removed_and_young_ones_are_not(place: Place) -> None:
    place.drop("tmp/old")
    young = place.drop("tmp/young")
    os.utime(young, (LATER - 3600, LATER - 3600))
    place.account  # noqa: B018
    assert place.files("tmp") == ["young"]


# ---------------------------------------------------------------- line ends

LF = b"Subject: lines\n\n" + b"a line\n" * 30_000 + b"one with CR\r\nand the last"
CRLF = LF.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@pytest.mark.parametrize(
    "name", ["cur/a:2,S", f"cur/a,S={len(LF)}:2,", f"cur/a,S=5,W={len(LF)}:2,"]
)
def test_bare_line_feeds_are_served_with_carriage_returns(place: Place, name: str) -> None:
    place.drop(name, LF)
    inbox = place.open()
    finish(inbox.measure([1]))
    assert entry(inbox, 1).size == len(CRLF)
    assert texts(inbox) == [CRLF]
    finish(inbox.items([1]))
    assert place.render.rendered == [CRLF]


def test_ranges_of_converted_files_are_those_of_the_wire(place: Place) -> None:
    place.drop("cur/a:2,S", LF)
    inbox = place.open()
    starts = range(0, len(CRLF), 50_001)
    parts = [finish(inbox.read([MessageRange(1, at, at + 50_001)]))[0] for at in starts]
    assert b"".join(part or b"" for part in parts) == CRLF
    assert finish(inbox.read([MessageRange(1, 14, 18), MessageRange(1, 70_000, 70_010)])) == [
        CRLF[14:18],
        CRLF[70_000:70_010],
    ]


@pytest.mark.parametrize("length", [65_535, 65_536, 65_537])
def test_line_ends_are_counted_across_chunks(place: Place, length: int) -> None:
    data = b"x" * (length - 1) + b"\r\n" + b"y\n\r\r\n\n"
    place.drop("cur/a:2,S", data)
    inbox = place.open()
    expected = b"x" * (length - 1) + b"\r\n" + b"y\r\n\r\r\n\r\n"
    assert (texts(inbox), entry(inbox, 1).size) == ([expected], len(expected))


def test_the_size_on_the_wire_that_a_name_tells_is_believed(place: Place) -> None:
    place.drop(f"cur/a,S={len(LF)},W={len(CRLF)}:2,", LF)
    assert texts(place.open()) == [CRLF]


def test_a_copy_of_a_converted_file_tells_both_sizes(place: Place) -> None:
    place.drop("cur/a:2,S", LF)
    finish(place.open().copy([1], "Sent"))
    [name] = place.files(".Sent/cur")
    assert name.endswith(f",S={len(LF)},W={len(CRLF)}:2,S")
    assert texts(place.open("Sent")) == [CRLF]


def test_own_messages_with_bare_line_feeds_stay_as_they_came(place: Place) -> None:
    finish(place.account.append("INBOX", [draft(b"a\nb\r\n")]))
    place.close()
    for path in place.root.glob("*/*/index*"):
        path.unlink()
    place.restart()
    assert texts(place.open()) == [b"a\nb\r\n"]


# ---------------------------------------------------------------- Dovecot


def served_by_dovecot(place: Place) -> None:
    place.drop("cur/10.a,S=32:2,Sab", mail("a"))
    place.drop("new/11.b", mail("b"))
    place.drop("new/12.c", mail("c"))
    uidlist = "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1\n"
    uidlist += "25006 :10.a,S=32:2,S\n25017 W99 :11.b\n25018 :gone\n"
    (place.maildir / "dovecot-uidlist").write_text(uidlist)
    (place.maildir / "dovecot-keywords").write_text("0 $Junk\n1 NonJunk\n")
    (place.maildir / "subscriptions").write_text("V\t2\n\nLists\tpython\nSent\n")
    place.drop(".Lists.python/new/1.x", mail("x"))


def test_uids_of_dovecot_are_kept(place: Place) -> None:
    served_by_dovecot(place)
    inbox = place.open()
    assert inbox.uidvalidity == 1275660208
    assert uids(inbox) == [25006, 25017, 25022]
    assert texts(inbox) == [mail("a"), mail("b"), mail("c")]


def test_keywords_of_dovecot_are_kept(place: Place) -> None:
    served_by_dovecot(place)
    inbox = place.open()
    assert entry(inbox, 25006).flags == {"\\Seen", "$Junk", "NonJunk"}
    assert {*inbox.keywords} == {"$Junk", "NonJunk"}


def test_subscriptions_of_dovecot_are_kept(place: Place) -> None:
    served_by_dovecot(place)
    infos = {info.name: info for info in finish(place.account.mailboxes())}
    assert infos["Lists/python"].is_subscribed
    assert not infos["Lists"].is_selectable


def test_dovecot_finds_what_it_knows(place: Place) -> None:
    served_by_dovecot(place)
    inbox = place.open()
    finish(inbox.mark([25017], "add", normal(["later", "$JUNK"])))
    finish(place.account.subscribe("Lists/python", False))
    assert (place.maildir / "dovecot-keywords").read_text() == "0 $Junk\n1 NonJunk\n2 later\n"
    assert place.files("cur") == ["10.a,S=32:2,Sab", "11.b:2,ac"]
    lines = (place.maildir / "dovecot-uidlist").read_text().splitlines()
    assert lines[0] == "3 V1275660208 N25022 G3085f01b7f11094c501100008c4a11c1"
    assert lines[-1] == "25022 :12.c"
    assert "Lists" not in (place.maildir / "subscriptions").read_text()


def test_uids_that_dovecot_gave_meanwhile_are_taken_over(place: Place) -> None:
    served_by_dovecot(place)
    inbox = place.open()
    place.drop("new/13.d", mail("d"))
    with open(place.maildir / "dovecot-uidlist", "a") as file:
        file.write("25040 :13.d\n")
    finish(inbox.refresh())
    assert uids(inbox)[-1] == 25040
    finish(place.account.append("INBOX", [draft(mail("e"))]))
    assert uids(inbox)[-1] == 25041


def test_keywords_that_dovecot_made_meanwhile_are_seen(place: Place) -> None:
    served_by_dovecot(place)
    place.drop("cur/20.z:2,c", mail("z"))
    inbox = place.open()
    assert entry(inbox, uids(inbox)[-1]).flags == frozenset()
    (place.maildir / "dovecot-keywords").write_text("0 $Junk\n1 NonJunk\n2 Fresh\n")
    finish(inbox.refresh())
    assert "Fresh" in [*inbox.keywords]
    assert [flags for flags in inbox.columns.flags if "Fresh" in flags] != []


# ---------------------------------------------------------------- the index


def filled(place: Place) -> dict[int, tuple[bytes | None, frozenset[str], int, int]]:
    finish(place.account.append("INBOX", [draft(mail(n), "\\Seen", "$Work") for n in "abc"]))
    finish(place.store.deliver([ALICE], Message(MemoryBlob(mail("d")))))
    inbox = place.open()
    finish(inbox.expunge([2]))
    finish(inbox.mark([1], "add", normal(["\\Flagged"])))
    return seen(inbox)


def seen(mailbox) -> dict[int, tuple[bytes | None, frozenset[str], int, int]]:
    columns = mailbox.columns
    rows = zip(texts(mailbox), columns.flags, columns.dates, columns.sizes, strict=True)
    return dict(zip(columns.uids, rows, strict=True))


def lose(place: Place) -> None:
    for path in place.root.glob("*/*/index.sqlite3*"):
        path.unlink()


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


# ---------------------------------------------------------------- the list of UIDs


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
