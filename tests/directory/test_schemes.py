import hashlib
from base64 import b64encode
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.directory import libcrypt, schemes
from twisted_mail.directory.schemes import Uncheckable, check_form, matches, split

# Each hash is of "secret"; passlib made them.
HASHES = [
    "{BLF-CRYPT}$2b$05$FYGdf7e/r9WYrFVL7yHbRu6wxasOQTpqu4OPPibq535vvEpzqhIoa",
    "$2b$05$FYGdf7e/r9WYrFVL7yHbRu6wxasOQTpqu4OPPibq535vvEpzqhIoa",
    "{BLF-CRYPT}$2y$05$FYGdf7e/r9WYrFVL7yHbRu6wxasOQTpqu4OPPibq535vvEpzqhIoa",
    "{MD5-CRYPT}$1$ISZVpdwx$7KP670/OHr3R35JF3npDK0",
    "{MD5}$1$ISZVpdwx$7KP670/OHr3R35JF3npDK0",
    "{CRYPT}$1$ISZVpdwx$7KP670/OHr3R35JF3npDK0",
    "{PLAIN}secret",
    "{plain}secret",
    "{CLEARTEXT}secret",
]


def salted(scheme: str, algorithm: str, salt: bytes) -> str:
    digest = hashlib.new(algorithm, b"secret" + salt).digest() + salt
    return f"{{{scheme}}}{b64encode(digest).decode()}"


def digests() -> list[str]:
    return [
        salted("SHA", "sha1", b""),
        salted("SHA1", "sha1", b""),
        salted("SHA256", "sha256", b""),
        salted("SHA512", "sha512", b""),
        salted("SSHA", "sha1", b"salt"),
        salted("SSHA256", "sha256", b"salt"),
        salted("SSHA512", "sha512", b"salt" * 4),
        salted("SMD5", "md5", b"salt"),
        salted("LDAP-MD5", "md5", b""),
        "{PLAIN-MD5}" + hashlib.md5(b"secret").hexdigest(),
        "{SHA256.HEX}" + hashlib.sha256(b"secret").hexdigest(),
        "{SHA512.b64}" + b64encode(hashlib.sha512(b"secret").digest()).decode(),
        "{PBKDF2}$1$salty$1000$" + hashlib.pbkdf2_hmac("sha1", b"secret", b"salty", 1000).hex(),
    ]


def of_libcrypt(setting: str) -> str:
    made = libcrypt.crypt(b"secret", setting)
    if made is None:
        pytest.skip("this crypt(3) does not know the method")
    return made


@pytest.mark.parametrize("stored", digests())
def test_digests_are_checked(stored: str) -> None:
    check_form(stored)
    assert matches(stored, b"secret")
    assert not matches(stored, b"Secret")


@pytest.mark.parametrize("stored", HASHES)
def test_hashes_of_other_systems_are_checked(stored: str) -> None:
    check_form(stored)
    assert matches(stored, b"secret")
    assert not matches(stored, b"secret ")


@pytest.mark.parametrize(
    "setting", ["$y$j75$abcdefgh$", "$gy$j75$abcdefgh$", "$5$rounds=1000$salt$", "$6$salt$"]
)
@pytest.mark.parametrize("scheme", ["", "{CRYPT}"])
def test_what_crypt_makes_is_checked(setting: str, scheme: str) -> None:
    stored = scheme + of_libcrypt(setting)
    check_form(stored)
    assert matches(stored, b"secret")
    assert not matches(stored, b"secreT")


@pytest.mark.parametrize("kind", ["argon2i", "argon2id"])
def test_argon2_is_checked_with_and_without_braces(kind: str) -> None:
    from argon2 import Type
    from argon2.low_level import hash_secret

    type_ = {"argon2i": Type.I, "argon2id": Type.ID}[kind]
    stored = hash_secret(b"secret", b"saltsalt", 1, 64, 1, 16, type_).decode()
    for text in (stored, f"{{{kind.upper()}}}{stored}"):
        check_form(text)
        assert matches(text, b"secret")
        assert not matches(text, b"other")


@pytest.mark.parametrize("stored", [h for h in HASHES if h.startswith("{") and "$1$" in h])
def test_without_the_system_library_the_extra_checks(
    stored: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("passlib")
    monkeypatch.setattr(libcrypt, "crypt", lambda password, setting: None)
    monkeypatch.setattr(libcrypt, "supports", lambda sample: False)
    check_form(stored)
    assert matches(stored, b"secret")
    assert not matches(stored, b"other")


def test_bcrypt_of_the_extra_looks_at_72_octets(monkeypatch: pytest.MonkeyPatch) -> None:
    bcrypt = pytest.importorskip("bcrypt")
    monkeypatch.setattr(libcrypt, "crypt", lambda password, setting: None)
    stored = bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)).decode()
    assert matches(stored, b"x" * 80)
    assert not matches(stored, b"x" * 71)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(libcrypt, "crypt", lambda password, setting: None)
    monkeypatch.setattr(libcrypt, "supports", lambda sample: False)
    monkeypatch.setitem(sys.modules, "bcrypt", None)
    with pytest.raises(Uncheckable, match=r"twisted-mail\[legacy-passwords\]"):
        check_form(HASHES[0])
    with pytest.raises(Uncheckable, match=r"twisted-mail\[legacy-passwords\]"):
        matches(HASHES[0], b"secret")


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "secret",
        "{}secret",
        "{NOPE}secret",
        "{PLAIN}",
        "{ARGON2ID}secret",
        "{ARGON2ID}$argon2id$v=19$m=99999999,t=3,p=4$c2FsdHNhbHQ$c2FsdHNhbHQ",
        "{BLF-CRYPT}$2y$31$" + "a" * 53,
        "{BLF-CRYPT}$2y$05$short",
        "{SHA512-CRYPT}$6$salt$short",
        "{PLAIN.HEX}736563726574",
        "{PBKDF2}$1$salt$0$" + "0" * 40,
        "{SHA256}!!!",
        "{PLAIN}" + "x" * 2000,
        "$1$salt$tooshort",
    ],
)
def test_what_is_no_hash_is_named(stored: str) -> None:
    with pytest.raises(Uncheckable):
        check_form(stored)


@pytest.mark.parametrize("stored", ["{SSHA}" + "A" * 8, "{SHA256}" + "A" * 80, "{SHA}" + "A" * 27])
def test_a_digest_of_the_wrong_size_never_matches(stored: str) -> None:
    with suppress(Uncheckable):
        assert not matches(stored, b"secret")


def test_the_scheme_is_read_without_case() -> None:
    assert split("{sha512-crypt}$6$x") == ("SHA512-CRYPT", "$6$x")


@given(st.text(max_size=80), st.sampled_from(["", *[f"{{{name}}}" for name in schemes.SCHEMES]]))
def test_no_text_breaks_the_check(text: str, scheme: str) -> None:
    if "$2" in text or "$6" in text or "$5" in text or "$y" in text or "$7" in text:
        return  # what crypt(3) says to a broken hash is its own affair, and may take seconds
    for work in (lambda: check_form(scheme + text), lambda: matches(scheme + text, b"secret")):
        with suppress(Uncheckable):
            work()
