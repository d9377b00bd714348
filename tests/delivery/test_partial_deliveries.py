"""Who has a message that its sender keeps: remembered for its retries, and for nothing else."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.contracts.ground import FakeRenderer
from twisted_mail.delivery import partial_deliveries as room
from twisted_mail.delivery.acceptance import MailAcceptance
from twisted_mail.delivery.doors import DeliveryBackend
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.delivery.partial_deliveries import PartialDeliveries
from twisted_mail.delivery.partial_folder import PartialFolder
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import Blob, MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal

ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.org"
LETTER = b"Message-ID: <1@client.example>\r\n\r\nbody\r\n"


class UnreadBlob(MemoryBlob):
    """A blob of a message that resembles none, and is not to be read."""

    def pieces(self, start: int = 0, stop: int | None = None):
        raise AssertionError("it is read")


class Memory:
    """One process over a folder."""

    def __init__(self, folder: Path | None = None) -> None:
        self.clock = StillClock()
        self.faults: list[str] = []
        files = None if folder is None else PartialFolder(str(folder), DiskFiles())
        self.partial = PartialDeliveries(
            self.clock, InlineBlocking(), files, lambda where, error: self.faults.append(where)
        )

    def served(self, data: bytes = LETTER, sender: str = "s@client.example") -> set[str]:
        return set(finish(self.partial.served(_envelope(sender), MemoryBlob(data))))

    def settle(
        self,
        done: Sequence[str],
        retried: Sequence[str],
        data: bytes = LETTER,
        sender: str = "s@client.example",
    ) -> None:
        finish(self.partial.settle(_envelope(sender), MemoryBlob(data), done, retried))

    def refresh(self) -> None:
        finish(self.partial.refresh())


def _envelope(sender: str) -> Envelope:
    return Envelope("id1", parse(sender), (parse(ALICE),))


def test_those_who_have_it_are_known_at_the_retry() -> None:
    memory = Memory()
    memory.settle([BOB], [ALICE, BOB])
    assert memory.served() == {BOB}
    memory.settle([BOB, ALICE], [ALICE, BOB, CAROL])
    assert memory.served() == {ALICE, BOB}


def test_who_is_not_tried_again_is_forgotten() -> None:
    memory = Memory()
    memory.settle([ALICE, BOB], [ALICE, BOB, CAROL])
    memory.settle([BOB], [])
    assert memory.served() == {ALICE}
    memory.settle([ALICE], [])
    assert memory.served() == set()
    assert len(memory.partial) == 0


@pytest.mark.parametrize(
    ("data", "sender"),
    [
        (LETTER.replace(b"body", b"BODY"), "s@client.example"),
        (LETTER + b"more\r\n", "s@client.example"),
        (LETTER.replace(b"1@", b"2@"), "s@client.example"),
        (LETTER, "t@client.example"),
    ],
    ids=["same Message-ID, other octets", "longer", "other Message-ID", "other sender"],
)
def test_another_message_is_never_taken_for_a_retry(data: bytes, sender: str) -> None:
    memory = Memory()
    memory.settle([BOB], [ALICE, BOB])
    assert memory.served(data, sender) == set()


def test_a_message_that_resembles_none_is_not_read() -> None:
    memory = Memory()
    memory.settle([BOB], [ALICE, BOB])
    blob: Blob = UnreadBlob(LETTER + b"more\r\n")
    assert finish(memory.partial.served(_envelope("s@client.example"), blob)) == frozenset()
    finish(memory.partial.settle(_envelope("s@client.example"), blob, [BOB], []))


def test_after_a_day_it_is_forgotten(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.settle([BOB], [ALICE, BOB])
    memory.clock.seconds += room.KEPT_SECONDS - 1
    memory.refresh()
    assert memory.served() == {BOB}
    memory.clock.seconds += 1
    assert memory.served() == set()
    memory.refresh()
    assert len(memory.partial) == 0
    assert list(tmp_path.iterdir()) == []


def test_what_is_known_after_a_day_begins_anew(tmp_path: Path) -> None:
    memory = Memory(tmp_path)
    memory.settle([BOB], [ALICE, BOB])
    memory.clock.seconds += room.KEPT_SECONDS
    memory.settle([ALICE], [ALICE, BOB])
    memory.refresh()
    assert memory.served() == {ALICE}


def test_it_outlives_a_restart(tmp_path: Path) -> None:
    Memory(tmp_path / "partial").settle([BOB], [ALICE, BOB])
    again = Memory(tmp_path / "partial")
    again.refresh()
    assert again.served() == {BOB}


def test_several_processes_know_the_same(tmp_path: Path) -> None:
    one, other = Memory(tmp_path), Memory(tmp_path)
    one.settle([BOB], [ALICE, BOB, CAROL])
    other.refresh()
    other.settle([BOB, ALICE], [ALICE, BOB, CAROL])
    one.refresh()
    assert one.served() == {ALICE, BOB}
    one.settle([ALICE, BOB, CAROL], [])
    other.refresh()
    assert other.served() == set()
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_of_too_many_are_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MAX_MESSAGES", 2)
    memory = Memory(tmp_path)
    for number in range(3):
        memory.settle([BOB], [ALICE, BOB], b"%d\r\n" % number)
    assert [memory.served(b"%d\r\n" % number) for number in range(3)] == [set(), {BOB}, {BOB}]
    assert len(list(tmp_path.iterdir())) == 2


def test_the_accounts_of_all_messages_together_are_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(room, "MAX_ACCOUNTS", 3)
    memory = Memory()
    for number in range(2):
        memory.settle([ALICE, BOB], [ALICE, BOB, CAROL], b"%d\r\n" % number)
    assert [memory.served(b"%d\r\n" % number) for number in range(2)] == [set(), {ALICE, BOB}]


def test_what_cannot_be_written_is_known_in_this_process_and_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    memory = Memory(tmp_path / "file" / "partial")
    memory.settle([BOB], [ALICE, BOB])
    memory.refresh()
    assert memory.served() == {BOB}
    assert memory.faults == [str(tmp_path / "file" / "partial")]


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"until": "soon", "accounts": []}', b"\xff"])
def test_a_damaged_file_says_nothing_and_goes(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "0-1.2").write_bytes(data)
    memory = Memory(tmp_path)
    memory.refresh()
    assert len(memory.partial) == 0
    assert list(tmp_path.iterdir()) == []


def test_five_tries_for_an_account_whose_folder_is_broken_make_one_copy_for_the_other(
    tmp_path: Path,
) -> None:
    root = tmp_path / "mail"
    store = MaildirStore(root, InlineBlocking(), StillClock(), FakeRenderer())
    (root / "example.org").mkdir(parents=True)
    (root / "example.org" / "alice").write_bytes(b"no folder")
    directory = FixedDirectory({ALICE: "", BOB: ""})
    memory = Memory(tmp_path / "partial")
    doors = DeliveryBackend(
        LocalRouter(directory),
        store,
        ListJournal(),
        memory.clock,
        partial_deliveries=memory.partial,
    )
    envelope = Envelope("id1", parse("s@client.example"), (parse(ALICE), parse(BOB)))
    for attempt in range(5):
        received = f"Received: {attempt}\r\n".encode()
        with pytest.raises(Unavailable):
            finish(MailAcceptance(doors).accept(envelope, Message(MemoryBlob(LETTER), received)))
    assert len(list(root.glob("example.org/bob/Maildir/new/*"))) == 1
    (root / "example.org" / "alice").unlink()
    finish(MailAcceptance(doors).accept(envelope, Message(MemoryBlob(LETTER), b"")))
    for name in ("alice", "bob"):
        assert len(list(root.glob(f"example.org/{name}/Maildir/new/*"))) == 1
    assert list((tmp_path / "partial").iterdir()) == []
