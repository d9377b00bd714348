"""Tests of twisted_mail.store.delivery.inbound: one message, its files, names and copies."""

import errno

import pytest

from tests.contracts.ground import ALICE, BOB, BrokenBlob, NotedBlob, mail
from tests.store.delivery.inboxes import CAROL, Inboxes, message
from twisted_mail.mail.message import PIECE, MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.format import layout


def test_copies_of_one_message_share_its_octets(inboxes: Inboxes) -> None:
    inboxes.deliver(([ALICE, BOB], message("one")), ([CAROL], message("two")))
    found = [*inboxes.root.glob("*/alice/Maildir/new/*"), *inboxes.root.glob("*/bob/Maildir/new/*")]
    assert len({path.stat().st_ino for path in found}) == 1


def test_a_message_alone_syncs_its_file_and_its_folder(inboxes: Inboxes) -> None:
    assert inboxes.deliver(([ALICE], message("one"))) == [{ALICE: None}]
    assert inboxes.disk.syncs == ["file", "folder"]
    assert NotedBlob.closed == []


def test_a_message_that_cannot_be_read_keeps_nobody_from_theirs(inboxes: Inboxes) -> None:
    broken = Message(BrokenBlob(b"broken"))
    [failed, done] = inboxes.deliver(([ALICE, BOB], broken), ([ALICE], message("one")))
    assert {name: type(error) for name, error in failed.items()} == {
        ALICE: Unavailable,
        BOB: Unavailable,
    }
    assert done == {ALICE: None}
    assert inboxes.texts(ALICE) == [mail("one")]
    assert inboxes.left == []


def test_an_account_without_a_maildir_gets_one(inboxes: Inboxes) -> None:
    answers = inboxes.deliver((["dora@example.org"], message("one")), ([ALICE], message("two")))
    assert answers == [{"dora@example.org": None}, {ALICE: None}]
    assert inboxes.texts("dora@example.org") == [mail("one")]


def test_a_file_on_another_file_system_is_synced_by_itself(inboxes: Inboxes) -> None:
    inboxes.disk.elsewhere = b"/alice/"
    inboxes.disk.failing["all"] = 1
    [one, two] = inboxes.deliver(([ALICE, BOB], message("one")), ([CAROL], message("two")))
    assert inboxes.disk.syncs == ["file", "all", "all", "folder", "folder"]
    assert one == {ALICE: None, BOB: None}
    assert isinstance(two[CAROL], Unavailable)


def test_a_copy_where_no_link_can_be_is_synced_by_itself(
    inboxes: Inboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(path: bytes, new_path: bytes) -> None:
        raise OSError(errno.EXDEV, "another mount")

    monkeypatch.setattr(inboxes.disk, "link", no_links)
    answers = inboxes.deliver(([ALICE, BOB], message("one")), ([CAROL], message("two")))
    assert answers == [{ALICE: None, BOB: None}, {CAROL: None}]
    assert inboxes.texts(BOB) == [mail("one")]
    assert inboxes.disk.syncs == ["all", "file", "all", "folder"]
    assert inboxes.left == []


def test_a_file_that_failed_elsewhere_relies_on_the_sync_of_all(inboxes: Inboxes) -> None:
    """Written in alice's tmp on another file system in vain, and then in bob's on the store's."""
    inboxes.disk.elsewhere = b"/alice/"
    inboxes.disk.failing |= {"file": 0, "all": 0}
    [one, two] = inboxes.deliver(([ALICE, BOB], message("one")), ([CAROL], message("two")))
    errors = [one[ALICE], one[BOB], two[CAROL]]
    assert [type(error) for error in errors] == [Unavailable] * 3
    assert (inboxes.texts(BOB), inboxes.left) == ([], [])


def test_where_every_message_is_elsewhere_nothing_is_synced_for_all(inboxes: Inboxes) -> None:
    inboxes.disk.elsewhere = b"Maildir"
    assert inboxes.deliver(([ALICE], message("one")), ([BOB], message("two"))) == [
        {ALICE: None},
        {BOB: None},
    ]
    assert "all" not in inboxes.disk.syncs


def test_a_copy_that_gets_no_name_does_not_stay(
    inboxes: Inboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(path: bytes, new_path: bytes) -> None:
        raise OSError(errno.EXDEV, "another mount")

    def no_names(path: bytes, new_path: bytes) -> None:
        raise OSError(errno.EDQUOT, "as told")

    monkeypatch.setattr(inboxes.disk, "link", no_links)
    monkeypatch.setattr(inboxes.disk, "rename", no_names)
    [answers] = inboxes.deliver(([ALICE, BOB], message("one")))
    assert all(isinstance(error, Unavailable) for error in answers.values())
    assert inboxes.left == []


def test_a_message_for_nobody_is_delivered_at_once(inboxes: Inboxes) -> None:
    [answers] = inboxes.deliver(([], message("one")))
    assert answers == {}


def test_the_path_of_an_account_is_computed_once(
    inboxes: Inboxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []
    real = layout.account_path

    def noted(root: bytes, name: str) -> bytes:
        computed.append(name)
        return real(root, name)

    monkeypatch.setattr(layout, "account_path", noted)
    assert inboxes.deliver(([ALICE, BOB], message("one"))) == [{ALICE: None, BOB: None}]
    assert sorted(computed) == [ALICE, BOB]


def test_a_name_given_twice_gets_one_copy(inboxes: Inboxes) -> None:
    assert inboxes.deliver(([ALICE, ALICE], message("one"))) == [{ALICE: None}]
    assert inboxes.texts(ALICE) == [mail("one")]


@pytest.mark.parametrize("size", [PIECE, PIECE + 1, 3 * PIECE])
def test_a_blob_that_is_shorter_than_it_says_is_not_delivered(inboxes: Inboxes, size: int) -> None:
    class Short(MemoryBlob):
        @property
        def size(self) -> int:
            return len(self.data) + 1

    [answers] = inboxes.deliver(([ALICE, BOB], Message(Short(b"x" * (size - 1)))))
    assert all(isinstance(error, Unavailable) for error in answers.values())
    assert (inboxes.texts(ALICE), inboxes.left) == ([], [])
