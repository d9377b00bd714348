import pytest

from twisted_mail.directory import schemes
from twisted_mail.directory.passwords import (
    MAX_PASSWORD,
    PasswordSettings,
    check,
    dummy_hash,
    hash_password,
    is_current,
)
from twisted_mail.directory.schemes import Uncheckable, check_form

CHEAP = PasswordSettings(memory_mib=1, passes=1, lanes=1)
STORED = hash_password("secret", CHEAP)


def test_a_new_hash_is_argon2id_with_the_set_cost() -> None:
    assert STORED.startswith("{ARGON2ID}$argon2id$v=19$m=1024,t=1,p=1$")
    check_form(STORED)


def test_a_new_hash_has_a_new_salt() -> None:
    assert hash_password("secret", CHEAP) != STORED


def test_the_right_password_and_no_other_is_right() -> None:
    assert check(STORED, "secret", CHEAP)
    assert not check(STORED, "Secret", CHEAP)
    assert not check(STORED, "", CHEAP)


def test_nobody_has_a_password() -> None:
    assert not check(None, "secret", CHEAP)


def test_passwords_beyond_ascii_are_utf_8() -> None:
    stored = hash_password("pässwörd ☂", CHEAP)
    assert check(stored, "pässwörd ☂", CHEAP)


@pytest.mark.parametrize("password", ["", "a\0b", "x" * (MAX_PASSWORD + 1), "\udcff\0"])
def test_what_cannot_be_a_password_is_wrong(password: str) -> None:
    assert not check("{PLAIN}" + (password or "x"), password, CHEAP)


def test_a_lone_surrogate_does_not_break_the_check() -> None:
    assert not check(STORED, "\udcff", CHEAP)


def test_an_unknown_account_costs_one_hash_of_the_same_strength(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    costs: list[str] = []
    real = schemes.matches
    monkeypatch.setattr(
        schemes, "matches", lambda stored, word: costs.append(stored) or real(stored, word)
    )

    def cost_of(stored: str | None, password: str) -> list[str]:
        costs.clear()
        check(stored, password, CHEAP)
        return [text.rpartition("$")[0].rpartition("$")[0] for text in costs]

    current = "{ARGON2ID}$argon2id$v=19$m=1024,t=1,p=1"
    assert cost_of(None, "x") == [current]
    assert cost_of(STORED, "x") == [current]
    assert cost_of(STORED, "a\0b") == [current]
    assert cost_of(STORED, "x" * 5000) == [current]
    assert cost_of("{PLAIN}secret", "x")[1:] == [current]


def test_the_dummy_looks_like_any_hash() -> None:
    check_form(dummy_hash(CHEAP))
    assert is_current(dummy_hash(CHEAP), CHEAP)
    assert len(dummy_hash(CHEAP)) == len(STORED)


@pytest.mark.parametrize(
    "stored",
    [
        hash_password("x", PasswordSettings(2, 1, 1)),
        hash_password("x", PasswordSettings(1, 2, 1)),
        "{PLAIN}x",
        "x",
        "{ARGON2ID}",
    ],
)
def test_other_costs_and_schemes_are_not_current(stored: str) -> None:
    assert is_current(STORED, CHEAP)
    assert not is_current(stored, CHEAP)


def test_a_hash_nobody_can_check_is_told_from_a_wrong_password() -> None:
    with pytest.raises(Uncheckable):
        check("{NOPE}x", "x", CHEAP)


@pytest.mark.parametrize(
    "wrong", [{"memory_mib": 0}, {"passes": 0}, {"lanes": 65}, {"threads": 0}, {"waiting": 0}]
)
def test_costs_out_of_bounds_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        PasswordSettings(**wrong)
