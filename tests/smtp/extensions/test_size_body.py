import pytest

from tests.smtp.fakes import HELLO, RCPT, SmtpFixture, say
from twisted_mail.smtp.settings import Settings


def mail(parameters: str, settings: Settings | None = None) -> str:
    return say(HELLO, f"MAIL FROM:<a@b.example> {parameters}", settings=settings)[-1]


@pytest.mark.parametrize("size", ["0", "1000", "00000000000000001000"])
def test_a_size_is_taken(size: str) -> None:
    smtp = SmtpFixture()
    say(HELLO, f"MAIL FROM:<> SIZE={size}", RCPT, "DATA", ".", smtp=smtp)
    assert smtp.queue.accepted[0][0].declared_size == int(size)


@pytest.mark.parametrize("size", ["SIZE", "SIZE=-1", "SIZE=1x", "SIZE=+1", "SIZE=" + "9" * 21])
def test_what_is_no_size(size: str) -> None:
    assert mail(size).startswith("501 5.5.4 SIZE")


def test_digits_of_other_scripts_are_no_size() -> None:
    assert mail("SIZE=\u0663 SMTPUTF8").startswith("501 5.5.4 SIZE")


def test_a_size_beyond_the_limit_is_refused_at_once() -> None:
    assert mail("SIZE=101", settings=Settings(max_size=100)).startswith("552 5.3.4")
    assert mail("SIZE=100", settings=Settings(max_size=100)).startswith("250")


@pytest.mark.parametrize("body", ["7BIT", "8BITMIME", "8bitmime"])
def test_bodies(body: str) -> None:
    assert mail(f"BODY={body}").startswith("250")


@pytest.mark.parametrize("body", ["BODY", "BODY=9BIT", "BODY=BINARY"])
def test_what_is_no_body(body: str) -> None:
    assert mail(body).startswith("501 5.5.4 BODY")


def test_a_binary_body_needs_chunks() -> None:
    assert mail("BODY=BINARYMIME").startswith("250")
    for keyword in ("BINARYMIME", "CHUNKING"):
        hidden = Settings(hidden_keywords=(keyword,))
        assert mail("BODY=BINARYMIME", settings=hidden).startswith("501")
