"""Tests of twisted_mail.store.file_names."""

from twisted_mail.mail.mailbox import flags
from twisted_mail.store.file_names import FileName, FileNames
from twisted_mail.store.index.rows import Row

NEW = FileName(b"/new/new", b"n", flags.NONE, 5)


def names(*uids: int) -> dict[int, FileName]:
    return {uid: FileName(b"/cur/%d" % uid, b"c", flags.NONE, 5) for uid in uids}


def test_nothing_is_known_at_first() -> None:
    assert not FileNames().of(1)


def test_mailboxes_have_names_of_their_own() -> None:
    known = FileNames()
    known.put(1, names(5))
    known.put(2, names(6))
    assert known.of(1) == names(5)
    assert known.of(2) == names(6)


def test_a_new_name_replaces_the_old_one() -> None:
    known = FileNames(max_names=2)
    known.put(1, names(5))
    known.put(1, {5: NEW, **names(6)})
    assert known.of(1) == {5: NEW, **names(6)}


def test_the_mailbox_that_was_read_from_last_keeps_its_names() -> None:
    known = FileNames(max_names=4)
    known.put(1, names(1, 2))
    known.put(2, names(1, 2))
    known.put(1, names(3))
    assert known.of(1) == names(1, 2, 3)
    assert not known.of(2)


def test_a_mailbox_that_is_read_from_by_known_names_keeps_them() -> None:
    known = FileNames(max_names=4)
    known.put(1, names(1, 2))
    known.put(2, names(1, 2))
    assert known.of(1) == names(1, 2)
    known.put(3, names(1, 2))
    assert known.of(1) == names(1, 2)
    assert not known.of(2)


def test_one_mailbox_does_not_drive_out_all_others() -> None:
    known = FileNames(max_names=6, max_share=4)
    known.put(1, names(1, 2))
    for uid in range(100):
        known.put(2, names(uid))
        assert uid in known.of(2)
    assert 2 <= len(known.of(2)) <= 4
    assert known.of(1) == names(1, 2)


def test_more_names_than_there_is_room_for_are_not_kept() -> None:
    known = FileNames(max_names=4, max_share=4)
    known.put(1, names(*range(9)))
    assert known.of(1) == names(7, 8)


def test_the_names_of_a_closed_mailbox_make_room() -> None:
    known = FileNames(max_names=3)
    known.put(1, names(1, 2))
    known.forget(1)
    known.forget(1)
    known.put(2, names(1, 2))
    known.put(3, names(1))
    assert known.of(2) == names(1, 2)
    assert known.of(3) == names(1)


def name_of(base: bytes, tail: bytes, known: flags.Flags) -> FileName:
    return FileName.of(Row(1, base, tail, known, 1, 1, 7, 5))


def test_a_name_is_where_the_index_has_the_file() -> None:
    name = name_of(b"one.host", b"c:2,S", flags.normal([flags.SEEN]))
    assert (name.place, name.stored) == (b"/cur/one.host:2,S", 5)
    assert name_of(b"one.host", b"n", flags.NONE).place == b"/new/one.host"


def test_a_name_follows_the_flags_of_its_message() -> None:
    name = name_of(b"one.host", b"c:2,SXa", flags.normal([flags.SEEN]))
    letters = {"$Work": "a", "$Home": "b"}

    def place(*words: str) -> bytes:
        return name.place_with(flags.normal(words), letters)

    assert place(flags.SEEN, flags.FLAGGED, "$Work") == b"/cur/one.host:2,FSXa"
    assert place("$Home", "$Other") == b"/cur/one.host:2,Xb"


def test_a_new_message_with_flags_lies_in_cur() -> None:
    name = name_of(b"one.host", b"n", flags.NONE)
    assert name.place_with(flags.normal([flags.SEEN]), {}) == b"/cur/one.host:2,S"
