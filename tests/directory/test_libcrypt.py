from collections.abc import Iterator

import pytest

from twisted_mail.directory import libcrypt

MD5 = "$1$ISZVpdwx$7KP670/OHr3R35JF3npDK0"  # of "secret"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    libcrypt._function.cache_clear()
    libcrypt.supports.cache_clear()
    yield
    libcrypt._function.cache_clear()
    libcrypt.supports.cache_clear()


def test_the_system_hashes_where_it_can() -> None:
    if libcrypt._function() is None:
        pytest.skip("this system has no crypt_r")
    assert libcrypt.crypt(b"secret", MD5) == MD5
    assert libcrypt.crypt(b"other", MD5) != MD5
    assert libcrypt.supports(MD5)


def test_an_unknown_method_gives_nothing() -> None:
    assert libcrypt.crypt(b"secret", "$nope$salt$") is None
    assert libcrypt.crypt(b"secret", "*0") is None
    assert not libcrypt.supports("$nope$salt$")


def test_a_setting_beyond_ascii_gives_nothing() -> None:
    assert libcrypt.crypt(b"secret", "$1$s\xe4lt$") is None


def test_without_the_library_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libcrypt, "_LIBRARIES", ("libnowhere.so.9",))
    assert libcrypt.crypt(b"secret", MD5) is None
    assert not libcrypt.supports(MD5)
