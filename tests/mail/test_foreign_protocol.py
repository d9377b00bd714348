import pytest

from twisted_mail.mail.foreign_protocol import METHODS, is_http


@pytest.mark.parametrize("method", METHODS)
def test_requests_are_known(method: str) -> None:
    assert is_http(f"{method} /path?x=1 HTTP/1.1".encode())


def test_the_field_that_every_browser_sends_is_known() -> None:
    assert is_http(b"hOST: mail.example.org")


@pytest.mark.parametrize(
    "line",
    [b"", b"GET NOOP", b"GET LOGIN HTTP/x", b"a1 NOOP", b"USER host:", b"HOST", b"get / HTTP/1.1"],
)
def test_commands_are_not(line: bytes) -> None:
    assert not is_http(line)
