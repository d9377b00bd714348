from twisted_mail.directory.password_cache import PasswordCache
from twisted_mail.testing.doubles import StillClock


def test_a_login_is_remembered_until_its_time_is_over() -> None:
    clock = StillClock()
    remembered = PasswordCache(300, 10, clock.monotonic)
    remembered.add("hash", "alice", "secret")
    clock.seconds += 299
    assert remembered.has("hash", "alice", "secret")
    clock.seconds += 1
    assert not remembered.has("hash", "alice", "secret")


def test_another_password_name_or_hash_is_not_remembered() -> None:
    remembered = PasswordCache(300, 10, StillClock().monotonic)
    remembered.add("hash", "alice", "secret")
    assert not remembered.has("hash", "alice", "Secret")
    assert not remembered.has("hash", "bob", "secret")
    assert not remembered.has("hash2", "alice", "secret")
    assert not remembered.has("hasha", "lice", "secret")


def test_the_oldest_is_forgotten_first() -> None:
    remembered = PasswordCache(300, 2, StillClock().monotonic)
    for name in ("a", "b", "a", "c"):
        remembered.add("hash", name, "x")
    assert [remembered.has("hash", name, "x") for name in "abc"] == [True, False, True]


def test_nothing_is_remembered_for_no_time() -> None:
    remembered = PasswordCache(0, 10, StillClock().monotonic)
    remembered.add("hash", "alice", "secret")
    assert not remembered.has("hash", "alice", "secret")


def test_passwords_are_not_kept() -> None:
    remembered = PasswordCache(300, 10, StillClock().monotonic)
    remembered.add("hash", "alice", "hunter2")
    assert "hunter2" not in repr(vars(remembered))
