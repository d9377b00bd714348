"""Tests of twisted_mail.store.tree.first_look, and of the items that are made by it."""

import os
from pathlib import Path

import apsw
import pytest

from tests.contracts.ground import draft, mail
from tests.faults import QuickDisk
from tests.store.shared_maildir import SharedMaildir, texts, uids
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.mail.mailbox.entry import UNKNOWN_DATE, ItemTier, RenderedItems
from twisted_mail.mail.mime import header
from twisted_mail.store.index import schema
from twisted_mail.store.index.rows import Row
from twisted_mail.store.tree import first_look
from twisted_mail.store.tree.first_look import FIRST, MAX_HEADER, look_at
from twisted_mail.store.tree.mailbox_row import mailbox_row
from twisted_mail.store.work import newcomers
from twisted_mail.testing.doubles import finish

NAME = b"1000000000.one.host"
HEADER, STRUCTURE, PREVIEW = ItemTier.HEADER, ItemTier.STRUCTURE, ItemTier.PREVIEW
HTML = b"Subject: a\r\nContent-Type: text/html\r\n\r\n<p>Hello</p>\r\n"


class CountingDisk(QuickDisk):
    """Counts the files that are opened for reading, and the calls that read them."""

    def __init__(self) -> None:
        self.opened = 0
        self.reads = 0

    def read(self, fd: int, size: int, offset: int) -> bytes:
        self.reads += 1
        return super().read(fd, size, offset)

    def open(self, path: bytes) -> int:
        self.opened += b"/cur/" in path
        return super().open(path)


class RealRenderer(ItemRenderer):
    """The renderer of IMAP; ``rendered`` notes how much of messages it was given."""

    def __init__(self) -> None:
        self.rendered: list[bytes] = []

    def __call__(self, data: bytes, tier: ItemTier = PREVIEW, known: RenderedItems | None = None):
        self.rendered.append(data)
        return super().__call__(data, tier, known)


@pytest.fixture(autouse=True)
def _lazy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newcomers, "MEASURED_AT_ONCE", 0)


@pytest.fixture
def disk() -> CountingDisk:
    return CountingDisk()


@pytest.fixture
def shared(tmp_path: Path, disk: CountingDisk) -> SharedMaildir:
    shared = SharedMaildir(tmp_path, disk)
    shared.render = RealRenderer()
    shared.restart()
    return shared


def unmeasured(base: bytes = NAME) -> Row:
    return Row(1, base, b"c:2,", frozenset(), 1, UNKNOWN_DATE, 0, 0)


def drop(shared: SharedMaildir, data: bytes, base: bytes = NAME) -> Row:
    shared.drop(f"cur/{base.decode()}:2,", data)
    return unmeasured(base)


def inbox_folder(shared: SharedMaildir):
    return shared.open()._folder


# ---------------------------------------------------------------- one look


@pytest.mark.parametrize("ends", [b"\r\n", b"\n"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"\r\nbody",
        b"Subject: a\r\n\r\n",
        b"Subject: a\r\n\r\nbody\r\n",
        b"Subject: no end",
        b"Subject: a\0b\r\n\r\nbody\0",
        b"X: y\r\n" * 4000 + b"\r\nbody\r\n",
        b"Subject: a\r\n" + b"X: y" + b"y" * (FIRST - 20) + b"\r\n\r\nbody\r\n",
        b"x" * (FIRST - 1) + b"\r\n\r\nbody\r\n",
        b"Subject: large\r\n\r\n" + b"line\r\n" * 40_000,
    ],
)
def test_it_gives_what_is_read_on_the_wire(shared: SharedMaildir, data: bytes, ends: bytes) -> None:
    row = drop(shared, data.replace(b"\r\n", ends))
    folder = inbox_folder(shared)
    known, octets = look_at(folder, row)
    assert (known.date, known.size) == (1_000_000_000, len(data))
    assert known.stored == len(data.replace(b"\r\n", ends))
    assert octets == data[: header.end(data)].replace(b"\0", b"\x80")
    assert look_at(folder, known) == (known, octets)


def test_a_header_without_end_is_left_to_who_reads_all(shared: SharedMaildir) -> None:
    row = drop(shared, b"x" * (MAX_HEADER + 100))
    assert look_at(inbox_folder(shared), row).header is None


def test_what_the_name_says_is_not_counted(
    shared: SharedMaildir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(first_look, "counted_size")
    row = drop(shared, b"a\nb\n", b"1000000000.one.host,S=4,W=6")
    assert look_at(inbox_folder(shared), row).row.size == 6


@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "nothing"])
def test_what_is_no_message_is_not_found(shared: SharedMaildir, kind: str) -> None:
    folder = inbox_folder(shared)
    path = shared.maildir / "cur" / f"{NAME.decode()}:2,"
    match kind:
        case "link":
            path.symlink_to("/etc/hostname")
        case "pipe":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
    with pytest.raises(FileNotFoundError):
        look_at(folder, unmeasured())


# ---------------------------------------------------------------- tiers


def test_what_is_asked_of_headers_opens_and_reads_each_file_once(
    shared: SharedMaildir, disk: CountingDisk
) -> None:
    for number in range(5):
        drop(shared, mail(str(number)).replace(b"\r\n", b"\n"), b"100000000%d.x.host" % number)
    inbox = shared.open()
    disk.opened = disk.reads = 0
    finish(inbox.measure_with_headers(uids(inbox)))
    assert UNKNOWN_DATE not in inbox.columns.dates
    found = finish(inbox.items(uids(inbox), HEADER))
    assert (disk.opened, disk.reads) == (5, 5)
    expected = [ItemRenderer()(mail(str(number)), HEADER) for number in range(5)]
    assert found == expected
    assert shared.render.rendered == [mail(str(n))[: expected[n].header_size] for n in range(5)]


def test_each_tier_is_made_when_it_is_asked_for_and_holds_those_before(
    shared: SharedMaildir, disk: CountingDisk
) -> None:
    finish(shared.account.append("INBOX", [draft(HTML)]))
    for tier in (HEADER, STRUCTURE, PREVIEW, STRUCTURE, HEADER):
        inbox = shared.open()
        [found] = finish(inbox.items([1], tier))
        assert found is not None
        assert found.tier >= tier
        assert found == ItemRenderer()(HTML, found.tier)
        inbox.close()
        shared.close()
        shared.restart()
    whole = [HTML] * 2
    assert shared.render.rendered == [HTML[: header.end(HTML)], *whole]


def test_items_do_not_become_fewer_by_those_of_another_process(shared: SharedMaildir) -> None:
    finish(shared.account.append("INBOX", [draft(HTML)]))
    inbox = shared.open()
    finish(inbox.items([1], STRUCTURE))
    folder = inbox._folder

    def save(folder, work) -> None:
        state = mailbox_row(folder, work)
        less = {1: ItemRenderer()(HTML, HEADER)}
        work.index.rendered.save(state, ItemRenderer.version, less)
        found = work.index.rendered.items(state, [1], ItemRenderer.version, STRUCTURE)
        assert found == {1: ItemRenderer()(HTML, STRUCTURE)}

    finish(shared.account.lane.perform_on(folder, save))


def test_items_of_an_index_of_before_are_used(shared: SharedMaildir) -> None:
    finish(shared.account.append("INBOX", [draft(HTML)]))
    [made] = finish(shared.open().items([1], PREVIEW))
    shared.close()
    path = shared.maildir.parent / "index.sqlite3"
    old = apsw.Connection(str(path))
    old.execute("ALTER TABLE items DROP COLUMN tier")
    old.pragma("user_version", schema.STEPS.index(schema._TIERS))
    old.close()
    shared.restart()
    shared.render.rendered.clear()
    assert finish(shared.open().items([1], PREVIEW)) == [made]
    assert shared.render.rendered == []


def test_a_file_that_is_renamed_meanwhile_is_found(shared: SharedMaildir) -> None:
    drop(shared, mail("a"))
    inbox = shared.open()
    path = shared.maildir / "cur" / f"{NAME.decode()}:2,"
    path.rename(path.with_name(f"{NAME.decode()}:2,S"))
    finish(inbox.measure_with_headers([1]))
    assert texts(inbox) == [mail("a")]
    assert finish(inbox.items([1], HEADER)) == [ItemRenderer()(mail("a"), HEADER)]
