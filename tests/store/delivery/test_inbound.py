"""Tests of twisted_mail.store.delivery.inbound: one message, its files, names and copies."""

import errno

import pytest

from tests.contracts.ground import ALICE, BOB, BrokenBlob, NotedBlob, mail
from tests.store.delivery.inboxes import CAROL, Place, message
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Unavailable


def test_copies_of_one_message_share_its_octets(place: Place) -> None:
    place.deliver(([ALICE, BOB], message("one")), ([CAROL], message("two")))
    found = [*place.root.glob("*/alice/Maildir/new/*"), *place.root.glob("*/bob/Maildir/new/*")]
    assert len({path.stat().st_ino for path in found}) == 1


def test_a_message_alone_syncs_its_file_and_its_folder(place: Place) -> None:
    assert place.deliver(([ALICE], message("one"))) == [{ALICE: None}]
    assert place.disk.syncs == ["file", "folder"]
    assert NotedBlob.closed == [mail("one")]


def test_a_message_that_cannot_be_read_keeps_nobody_from_theirs(place: Place) -> None:
    broken = Message(BrokenBlob(b"broken"))
    [failed, done] = place.deliver(([ALICE, BOB], broken), ([ALICE], message("one")))
    assert {name: type(error) for name, error in failed.items()} == {
        ALICE: Unavailable,
        BOB: Unavailable,
    }
    assert done == {ALICE: None}
    assert place.texts(ALICE) == [mail("one")]
    assert place.left == []


def test_an_account_without_a_maildir_gets_one(place: Place) -> None:
    answers = place.deliver((["dora@example.org"], message("one")), ([ALICE], message("two")))
    assert answers == [{"dora@example.org": None}, {ALICE: None}]
    assert place.texts("dora@example.org") == [mail("one")]


def test_a_file_on_another_file_system_is_synced_by_itself(place: Place) -> None:
    place.disk.elsewhere = b"/alice/"
    place.disk.failing["all"] = 1
    [one, two] = place.deliver(([ALICE, BOB], message("one")), ([CAROL], message("two")))
    assert place.disk.syncs == ["file", "all", "all", "folder", "folder"]
    assert one == {ALICE: None, BOB: None}
    assert isinstance(two[CAROL], Unavailable)


def test_a_copy_where_no_link_can_be_is_synced_by_itself(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(path: bytes, new_path: bytes) -> None:
        raise OSError(errno.EXDEV, "another mount")

    monkeypatch.setattr(place.disk, "link", no_links)
    answers = place.deliver(([ALICE, BOB], message("one")), ([CAROL], message("two")))
    assert answers == [{ALICE: None, BOB: None}, {CAROL: None}]
    assert place.texts(BOB) == [mail("one")]
    assert place.disk.syncs == ["all", "file", "all", "folder"]
    assert place.left == []


def test_a_file_that_failed_elsewhere_relies_on_the_sync_of_all(place: Place) -> None:
    """Written in alice's tmp on another file system in vain, and then in bob's on the store's."""
    place.disk.elsewhere = b"/alice/"
    place.disk.failing |= {"file": 0, "all": 0}
    [one, two] = place.deliver(([ALICE, BOB], message("one")), ([CAROL], message("two")))
    errors = [one[ALICE], one[BOB], two[CAROL]]
    assert [type(error) for error in errors] == [Unavailable] * 3
    assert (place.texts(BOB), place.left) == ([], [])


def test_where_every_message_is_elsewhere_nothing_is_synced_for_all(place: Place) -> None:
    place.disk.elsewhere = b"Maildir"
    assert place.deliver(([ALICE], message("one")), ([BOB], message("two"))) == [
        {ALICE: None},
        {BOB: None},
    ]
    assert "all" not in place.disk.syncs


def test_a_copy_that_gets_no_name_does_not_stay(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(path: bytes, new_path: bytes) -> None:
        raise OSError(errno.EXDEV, "another mount")

    def no_names(path: bytes, new_path: bytes) -> None:
        raise OSError(errno.EDQUOT, "as told")

    monkeypatch.setattr(place.disk, "link", no_links)
    monkeypatch.setattr(place.disk, "rename", no_names)
    [answers] = place.deliver(([ALICE, BOB], message("one")))
    assert all(isinstance(error, Unavailable) for error in answers.values())
    assert place.left == []


def test_a_message_for_nobody_is_delivered_at_once(place: Place) -> None:
    [answers] = place.deliver(([], message("one")))
    assert answers == {}
    assert NotedBlob.closed == [mail("one")]
