import apsw
import pytest

from twisted_mail.policy import greylist_store
from twisted_mail.policy.greylist_store import (
    GreylistRules,
    GreylistStore,
    GreylistUnreadable,
    TripletStatus,
)

TERMS = GreylistRules(delay=60, window=3600, known=86400, passes=1, max_entries=1000)


def rows(path, table="met"):
    connection = apsw.Connection(str(path))
    [[count]] = connection.execute(f"SELECT count(*) FROM {table}")
    connection.close()
    return count


def test_what_is_too_old_goes(tmp_path):
    known = GreylistStore(tmp_path / "db", TERMS)
    for at in range(100):
        known.check_triplet("n", b"%d" % at, 1000.0)
    known.check_triplet("n", b"0", 1060.0)
    known.check_triplet("other", b"new", 1000.0 + 3600 + 61)
    assert rows(tmp_path / "db") == 2
    known.check_triplet("other", b"newer", 1060.0 + 2 * 86400)
    assert rows(tmp_path / "db") == 1
    assert rows(tmp_path / "db", "networks") == 0


def test_there_are_never_much_more_than_the_bound(tmp_path):
    known = GreylistStore(tmp_path / "db", TERMS)
    for at in range(5000):
        known.check_triplet("n", b"%d" % at, 1000.0 + at)
    assert rows(tmp_path / "db") <= 1000 + greylist_store.CLEAN_SECONDS + 1
    assert known.check_triplet("n", b"4999", 6000.0 + 60)[0] is TripletStatus.PASSED


def test_much_that_is_too_old_goes_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(greylist_store, "CLEAN_ROWS", 10)
    known = GreylistStore(tmp_path / "db", TERMS)
    for at in range(25):
        known.check_triplet("n", b"%d" % at, 1000.0)
    left = []
    for _ in range(4):
        known.check_triplet("n", b"x", 100_000.0)
        left.append(rows(tmp_path / "db"))
    assert left == [16, 6, 1, 1]


def test_another_process_at_work_is_not_waited_for_long(tmp_path, monkeypatch):
    monkeypatch.setattr(greylist_store, "BUSY_MILLISECONDS", 1)
    known = GreylistStore(tmp_path / "db", TERMS)
    known.check_triplet("n", b"x", 1000.0)
    other = apsw.Connection(str(tmp_path / "db"))
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(GreylistUnreadable):
        known.check_triplet("n", b"y", 1000.0)
    other.execute("ROLLBACK")
    assert known.check_triplet("n", b"y", 1001.0) == (TripletStatus.NEW, 60)


def test_it_can_be_closed_and_used_again(tmp_path):
    known = GreylistStore(tmp_path / "db", TERMS)
    known.check_triplet("n", b"x", 1000.0)
    known.close()
    known.close()
    assert known.check_triplet("n", b"x", 1060.0)[0] is TripletStatus.PASSED


def test_invented_triplets_displace_none_that_passed(tmp_path):
    known = GreylistStore(tmp_path / "db", TERMS)
    known.check_triplet("good", b"good", 1000.0)
    assert known.check_triplet("good", b"good", 1060.0)[0] is TripletStatus.PASSED
    for at in range(5000):
        known.check_triplet("bad", b"%04d" % at, 2000.0 + at / 10)
    for at in range(3):
        known.check_triplet("bad", b"%d" % at, 2600.0 + greylist_store.CLEAN_SECONDS)
    assert rows(tmp_path / "db") <= 1003
    found = known.check_triplet("elsewhere", b"good", 4000.0)
    assert found[0] is TripletStatus.KNOWN


def test_a_network_that_invents_triplets_displaces_its_own(tmp_path):
    known = GreylistStore(tmp_path / "db", TERMS)
    known.check_triplet("other", b"oth-1", 1000.0)
    for at in range(200):
        known.check_triplet("bad", b"bad-%03d" % at, 1000.0)
    assert rows(tmp_path / "db") == 1 + 1000 // greylist_store.NETWORK_SHARE
    assert known.check_triplet("other", b"oth-1", 1060.0)[0] is TripletStatus.PASSED
