"""Tests of twisted_mail.store.search.search: whatever happens, answers are those of the plain scan."""

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.contracts.ground import ALICE, FakeRenderer, draft
from twisted_mail.mail.mailbox.entry import Contains, MessageRange
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.mime.substring_search import matches
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.account.mailbox import MaildirMailbox
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.search import located_messages
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

HELLO = Contains("text", "hello")


class CountingDisk(Disk):
    """Counts the messages that are read, and may fail to read them."""

    def __init__(self) -> None:
        self.read_files = 0
        self.error: OSError | None = None

    def open(self, path: bytes) -> int:
        if b"/cur/" in path or b"/new/" in path:
            if self.error is not None:
                raise self.error
            self.read_files += 1
        return super().open(path)


class Home:
    """An account whose store can be started again, and asked as the plain scan would answer."""

    def __init__(self, root: Path, settings: StoreSettings = StoreSettings()) -> None:
        self.root = root
        self.disk = CountingDisk()
        self.clock = StillClock(2e9)
        self.settings = settings
        self.start()

    def start(self) -> None:
        self.store = MaildirStore(
            self.root,
            InlineBlocking(),
            self.clock,
            FakeRenderer(),
            StoreServices(settings=self.settings, disk=self.disk),
        )
        self.account: MaildirAccount = finish(self.store.account(ALICE))
        self.boxes: dict[str, MaildirMailbox] = {}

    def restart(self) -> None:
        for box in self.boxes.values():
            box.close()
        finish(self.store.close())
        self.start()

    @property
    def folder(self) -> Path:
        return self.root / "example.org" / "alice"

    @property
    def maildir(self) -> Path:
        return self.folder / "Maildir"

    def box(self, name: str = "INBOX") -> MaildirMailbox:
        if name not in self.boxes:
            self.boxes[name] = finish(self.account.open(name))
        return self.boxes[name]

    def put(self, *texts: str, name: str = "INBOX") -> tuple[int, ...]:
        drafts = [draft(f"Subject: {text}\r\n\r\nbody {text}\r\n".encode()) for text in texts]
        return finish(self.account.append(name, drafts)).targets

    def index(self) -> None:
        """Index all that waits, as the service does while nobody is there."""
        self.clock.seconds += 100
        for _ in range(1000):
            finish(self.store.indexing.work())
            if not self.store.indexing.is_needed:
                return
        raise AssertionError("the indexing has no end")

    def search(self, what: Contains, name: str = "INBOX") -> tuple[set[int], int]:
        """Return what is found, which is right, and how many messages were read for it."""
        box = self.box(name)
        finish(box.refresh())
        uids = list(box.columns.uids)
        before = self.disk.read_files
        found = finish(box.matching(uids, what))
        read = self.disk.read_files - before
        data = finish(box.read([MessageRange(uid) for uid in uids]))
        right = {uid for uid, each in zip(uids, data, strict=True) if each and matches(each, what)}
        assert found == right
        return set(found), read


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path)
    yield made
    finish(made.store.close())


# ---------------------------------------------------------------- with and without the index


def test_what_a_search_read_is_not_read_again(home: Home):
    home.put("hello world", "other", "more hello")
    home.box()
    assert home.search(HELLO) == ({1, 3}, 3)
    assert home.search(HELLO) == ({1, 3}, 0)
    assert home.search(Contains("body", "other")) == ({2}, 0)
    assert home.search(Contains("header", "MORE", "Subject")) == ({3}, 0)


def test_a_header_is_searched_without_indexing_all_text(home: Home):
    home.put("hello", "other")
    assert home.search(Contains("header", "hello", "subject")) == ({1}, 2)
    assert home.search(Contains("header", "other", "subject")) == ({2}, 0)
    assert home.search(Contains("header", "example", "from")) == (set(), 0)
    assert home.search(HELLO) == ({1}, 2)
    home.index()
    assert home.search(HELLO) == ({1}, 0)


def test_a_header_is_read_whole_however_long_it_is(home: Home):
    long = b"X-Long: %b\r\nSubject: late\r\n\r\nbody\r\n" % (b"x" * 20_000)
    finish(home.account.append("INBOX", [draft(long), draft(b"Subject: late"), draft(b"")]))
    for _ in range(2):
        assert home.search(Contains("header", "late", "subject"))[0] == {1, 2}


def test_a_message_with_very_many_fields_is_read_each_time(home: Home):
    many = b"To: a@b\r\n" * 101 + b"\r\n"
    finish(home.account.append("INBOX", [draft(many), draft(b"To: b@b\r\n\r\n")]))
    for read in (2, 1):
        assert home.search(Contains("header", "c@", "to")) == (set(), read)
    home.index()
    assert home.search(Contains("header", "b@", "to")) == ({2}, 1)


def test_white_space_and_comments_in_fields_are_no_obstacle(home: Home):
    folded = b"Subject: one\r\n\ttwo\r\nFrom: user (x) @ a.example\r\nX-One: a  b\r\n\r\n"
    finish(home.account.append("INBOX", [draft(folded), draft(b"Subject: x\r\n\r\none  two\r\n")]))
    for _ in range(2):
        assert home.search(Contains("header", "one  two", "subject"))[0] == {1}
        assert home.search(Contains("header", "user@a", "from"))[0] == {1}
        assert home.search(Contains("header", "a b", "x-one"))[0] == {1}
        assert home.search(Contains("text", "user@a"))[0] == {1}
        assert home.search(Contains("text", "one two"))[0] == {1}
        assert home.search(Contains("text", "one  two"))[0] == {1, 2}
        home.index()


def test_candidates_of_an_unusual_field_are_read(home: Home):
    text = b"X-One: hello\r\n\r\n"
    drafts = [
        draft(text),
        draft(b"X-One: other\r\nTo: hello\r\n\r\n"),
        draft(b"Subject: hello\r\n\r\n"),
    ]
    finish(home.account.append("INBOX", drafts))
    home.index()
    assert home.search(Contains("header", "hello", "x-one")) == ({1}, 2)
    assert home.search(Contains("header", "hello", "x-two")) == (set(), 0)


def test_what_a_field_holds_is_found_anywhere_without_reading(home: Home):
    home.put("hello world", "world hello")
    home.index()
    assert home.search(Contains("text", "hello world")) == ({1}, 1)
    assert home.search(Contains("text", "o  wor")) == ({1}, 1)


def test_needles_of_one_letter_are_looked_for_in_the_messages(home: Home):
    home.put("hello", "world")
    home.index()
    assert home.search(Contains("text", "h")) == ({1}, 2)
    assert home.search(Contains("text", "he")) == ({1}, 0)
    assert home.search(Contains("header", "he", "subject")) == ({1}, 0)


def test_every_message_is_found_by_nothing(home: Home):
    uids = home.put("one", "two")
    assert finish(home.box().matching([*uids, 99], Contains("text", ""))) == set(uids)
    assert finish(home.box().matching([], HELLO)) == set()


def test_long_messages_are_read_where_the_index_does_not_tell(tmp_path: Path):
    home = Home(tmp_path, StoreSettings(search_text_limit=100))
    home.put("hello", "x " * 500 + "hello", "hello" + " y" * 500, "z " * 500)
    home.index()
    found, read = home.search(HELLO)
    assert (found, read) == ({1, 2, 3}, 2)
    finish(home.store.close())


def test_all_that_one_search_reads_is_indexed(home: Home):
    home.put(*["hello"] * 100)
    assert home.search(HELLO)[1] == 100
    assert home.search(HELLO)[1] == 0


def test_without_an_index_every_message_is_read(tmp_path: Path):
    home = Home(tmp_path, StoreSettings(search=False))
    home.put("hello", "other")
    home.index()
    for _ in range(2):
        assert home.search(HELLO) == ({1}, 2)
    assert not (home.folder / "search.sqlite3").exists()
    finish(home.store.close())


def test_bare_line_feeds_are_searched_as_on_the_wire(home: Home):
    home.box()
    (home.maildir / "cur" / "1.host:2,").write_bytes(b"Subject: hello\n\nend\nof line\n")
    assert home.search(Contains("body", "end\r\nof"))[0] == {1}
    assert home.search(Contains("body", "end")) == ({1}, 0)


# ---------------------------------------------------------------- messages come and go


def test_expunged_messages_are_not_found_and_soon_forgotten(home: Home):
    home.put("hello", "hello", "hello")
    home.index()
    finish(home.box().expunge([2]))
    assert finish(home.box().matching([1, 2, 3], HELLO)) == {1, 3}
    home.index()
    assert home.search(HELLO) == ({1, 3}, 0)


def test_moved_and_copied_messages_are_found_where_they_are(home: Home):
    home.put("hello", "other", "hello")
    home.index()
    finish(home.box().copy([1, 2], "Sent"))
    finish(home.box().move([3], "Archive"))
    assert home.search(HELLO) == ({1}, 0)
    assert home.search(HELLO, "Sent")[0] == {1}
    assert home.search(HELLO, "Archive")[0] == {1}


def test_a_mailbox_made_again_has_nothing_of_the_old_one(home: Home):
    finish(home.account.create("A"))
    home.put("hello", "hello", name="A")
    home.index()
    finish(home.account.delete("A"))
    finish(home.account.create("A"))
    home.boxes.pop("A", None)
    home.put("other", "hello", name="A")
    assert home.search(HELLO, "A")[0] == {2}
    home.index()
    assert home.search(HELLO, "A") == ({2}, 0)


def test_a_renamed_mailbox_stays_indexed(home: Home):
    finish(home.account.create("A"))
    home.put("hello", "other", name="A")
    home.index()
    finish(home.account.rename("A", "B"))
    finish(home.account.create("A"))
    home.put("other", name="A")
    assert home.search(HELLO, "B") == ({1}, 0)
    assert home.search(HELLO, "A")[0] == set()


def test_messages_that_other_programs_rename_are_followed(home: Home):
    home.put("hello", "other")
    box = home.box()
    for path in (home.maildir / "cur").iterdir():
        path.rename(f"{path}S")
    assert finish(box.matching([1, 2], HELLO)) == {1}


def test_messages_that_other_programs_removed_are_not_found(home: Home):
    home.put("hello", "hello")
    box = home.box()
    next(iter(sorted((home.maildir / "cur").iterdir()))).unlink()
    assert len(finish(box.matching([1, 2], HELLO))) == 1


# ---------------------------------------------------------------- files come and go


def test_what_is_expunged_before_its_words_are_written_is_forgotten(home: Home):
    home.put("hello", "other")
    home.index()
    search, folder = home.account.search, home.box()._folder
    home.put("hello")
    batch = finish(search.lane.perform_on(folder, located_messages.batch_of, [3], 1000))
    assert search._index_batch(batch)
    finish(home.box().expunge([3]))
    finish(search.forget(folder, [3]))
    assert search._index is not None
    assert search._index.file.rows("SELECT count(*) FROM messages") == [(2,)]


def test_a_restart_forgets_nothing(home: Home):
    home.put("hello", "other")
    home.index()
    home.restart()
    assert home.search(HELLO) == ({1}, 0)


@pytest.mark.parametrize("file", ["search.sqlite3", "index.sqlite3"])
def test_either_index_may_be_deleted(home: Home, file: str):
    home.put("hello", "other")
    home.index()
    finish(home.store.close())
    for path in home.folder.glob(f"{file}*"):
        path.unlink()
    home.start()
    assert home.search(HELLO)[0] == {1}
    assert home.search(HELLO) == ({1}, 0)


def test_a_damaged_index_of_texts_is_made_again(home: Home):
    home.put("hello", "other")
    home.index()
    finish(home.store.close())
    (home.folder / "search.sqlite3").write_bytes(b"rubbish" * 10_000)
    home.start()
    assert home.search(HELLO)[0] == {1}
    assert home.search(HELLO) == ({1}, 0)


def test_an_account_restored_from_a_backup_is_searched_as_it_is(home: Home, tmp_path: Path):
    home.put("hello")
    finish(home.store.close())
    shutil.copytree(home.folder, tmp_path / "backup")
    home.start()
    home.put("hello", "hello", "other")
    home.index()
    finish(home.store.close())
    shutil.move(home.folder / "search.sqlite3", tmp_path / "search.sqlite3")
    shutil.rmtree(home.folder)
    shutil.move(tmp_path / "backup", home.folder)
    shutil.move(tmp_path / "search.sqlite3", home.folder / "search.sqlite3")
    home.start()
    assert home.put("other", "other", "hello") == (2, 3, 4)
    assert home.search(HELLO)[0] == {1, 4}
    home.index()
    assert home.search(HELLO) == ({1, 4}, 0)


def test_two_servers_on_one_account_search_alike(home: Home):
    home.put("hello", "other")
    home.index()
    other = Home(home.root)
    other.box()
    finish(home.box().expunge([1]))
    home.put("more hello", "again hello")
    home.index()
    assert other.search(HELLO)[0] == {3, 4}
    finish(other.box().expunge([4]))
    other.index()
    assert home.search(HELLO)[0] == {3}
    finish(other.store.close())


def test_a_search_reads_nothing_twice_while_another_process_indexes(
    home: Home, monkeypatch: pytest.MonkeyPatch
):
    compared: list[int] = []
    message_keys = located_messages.message_keys

    def counting(folder, work, after, most):
        found = message_keys(folder, work, after, most)
        compared.append(len(found))
        return found

    home.put(*["hello", "other"] * 50)
    main = Home(home.root)
    uids = list(main.box().columns.uids)
    finish(main.account.search.missing(main.box()._folder))
    assert home.search(HELLO)[0] == set(range(1, 101, 2))
    finish(main.account.search.index(main.box()._folder, uids))
    assert home.search(HELLO) == (set(range(1, 101, 2)), 0)
    home.put(*["hello", "other"] * 10)
    finish(main.box().refresh())
    monkeypatch.setattr(located_messages, "message_keys", counting)
    for start in (116, 111, 106, 101):
        finish(main.account.search.index(main.box()._folder, range(start, start + 5)))
        asked = finish(home.box().matching(list(range(start, 121)), HELLO))
        assert asked == {uid for uid in range(start, 121) if uid % 2}
    assert compared == [5, 5, 5, 5]
    finish(main.store.close())


def test_an_account_restored_while_it_is_served_is_searched_as_it_is(home: Home, tmp_path: Path):
    home.put("hello")
    finish(home.store.close())
    shutil.copytree(home.maildir, tmp_path / "backup")
    home.put("hello", "hello", "other")
    home.index()
    home.box().close()
    home.boxes.clear()
    for path in home.folder.glob("index.sqlite3*"):
        path.unlink()
    shutil.rmtree(home.maildir)
    shutil.move(tmp_path / "backup", home.maildir)
    assert home.put("other", "other", "hello") == (5, 6, 7)  # no UID is given again
    hello = home.search(HELLO)[0]
    home.index()
    assert home.search(HELLO) == (hello, 0)


def test_where_no_index_can_be_made_messages_are_read(home: Home):
    (home.folder / "search.sqlite3").mkdir(parents=True)
    home.put("hello", "other")
    home.index()
    for _ in range(2):
        assert home.search(HELLO) == ({1}, 2)


def test_messages_that_cannot_be_read_are_told(home: Home):
    home.put("hello", "other")
    box = home.box()
    home.disk.error = OSError(errno.EIO, "Input/output error")
    assert finish(box.matching([1, 2], HELLO)) == frozenset()
    assert box.faulty == {1, 2}


def test_nothing_is_searched_where_no_file_can_be_opened(home: Home):
    home.put("hello", "other")
    box = home.box()
    home.disk.error = OSError(errno.EMFILE, "Too many open files")
    with pytest.raises(Unavailable):
        finish(box.matching([1, 2], HELLO))
    home.index()
    home.disk.error = None
    assert home.search(HELLO)[0] == {1}


# ---------------------------------------------------------------- everything at once

NAMES = ["INBOX", "Sent", "A", "B"]
WORDS = ["hello", "world", "he", "other hello"]


class Chance(RuleBasedStateMachine):
    """Anything in any order, and every answer compared with the plain scan."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(os.fsdecode(_new_folder()))
        self.home = Home(self.root)

    def teardown(self) -> None:
        finish(self.home.store.close())
        shutil.rmtree(self.root)

    def there(self, name: str) -> bool:
        return any(each.name == name for each in finish(self.home.account.mailboxes()))

    @rule(name=st.sampled_from(NAMES), texts=st.lists(st.sampled_from(WORDS), max_size=3))
    def put(self, name: str, texts: list[str]) -> None:
        if self.there(name):
            self.home.put(*texts, name=name)

    @rule(name=st.sampled_from(NAMES), uid=st.integers(1, 6))
    def expunge(self, name: str, uid: int) -> None:
        if self.there(name):
            finish(self.home.box(name).expunge([uid]))

    @rule(name=st.sampled_from(NAMES), uid=st.integers(1, 6), to=st.sampled_from(NAMES))
    def move(self, name: str, uid: int, to: str) -> None:
        if self.there(name) and self.there(to):
            finish(self.home.box(name).move([uid, uid + 1], to))

    @rule(name=st.sampled_from(NAMES), uid=st.integers(1, 6))
    def mark(self, name: str, uid: int) -> None:
        if self.there(name):
            finish(self.home.box(name).mark([uid], "add", normal(["\\Seen"])))

    @rule(name=st.sampled_from(["A", "B"]))
    def make_or_delete(self, name: str) -> None:
        if self.there(name):
            self.home.boxes.pop(name, None)
            finish(self.home.account.delete(name))
        else:
            finish(self.home.account.create(name))

    @rule()
    def rename(self) -> None:
        if self.there("A") and not self.there("B"):
            self.home.boxes.pop("A", None)
            finish(self.home.account.rename("A", "B"))

    @rule()
    def index(self) -> None:
        self.home.index()

    @rule(files=st.sets(st.sampled_from(["search.sqlite3", "index.sqlite3"])))
    def restart_without(self, files: set[str]) -> None:
        finish(self.home.store.close())
        for file in files:
            for path in self.home.folder.glob(f"{file}*"):
                path.unlink()
        self.home.start()

    @rule()
    def come_back_from_a_kill(self) -> None:
        self.home.start()

    @invariant()
    def answers_are_right(self) -> None:
        for name in NAMES:
            if self.there(name):
                for what in (HELLO, Contains("header", "world", "subject")):
                    self.home.search(what, name)


def _new_folder() -> bytes:
    import tempfile

    return os.fsencode(tempfile.mkdtemp(prefix="search-"))


Chance.TestCase.settings = settings(
    max_examples=15, stateful_step_count=15, suppress_health_check=list(HealthCheck)
)
TestChance = Chance.TestCase
