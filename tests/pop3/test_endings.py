"""How conversations end: the last reply, and what the log says of it."""

import pytest

from tests.pop3.fakes import Pop3Fixture
from twisted_mail.testing.wire import PEER

STLS = "-ERR Nothing may follow STLS before TLS has begun"


@pytest.mark.parametrize(
    ("said", "reply", "reason"),
    [
        (b"QUIT\r\n", "+OK Bye", "quit"),
        (b"STLS\r\nNOOP\r\n", STLS, "commands behind STLS"),
        (b"FROB\r\n" * 30, "-ERR Unknown command", "errors"),
        (
            b"USER alice\r\nPASS x\r\n" * 6,
            "-ERR [AUTH] Authentication credentials invalid",
            "failed logins",
        ),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", "-ERR This server speaks POP3", "another protocol"),
    ],
)
def test_a_client_is_told_and_the_log_says_why(said: bytes, reply: str, reason: str) -> None:
    pop3 = Pop3Fixture()
    assert pop3.talk(said, may_start_tls=True).text.split("\r\n")[-2] == reply
    assert pop3.reasons == [reason]


def test_the_log_says_which_protocol_it_was() -> None:
    pop3 = Pop3Fixture()
    pop3.talk(b"GET / HTTP/1.1\r\nHost: x\r\n")
    refused = [said for event, said in pop3.journal.events if event == "refused"]
    assert refused == [("pop3", PEER, "", "it does not speak POP3: HTTP")]


def test_tls_where_it_has_not_been_asked_for_is_named_too() -> None:
    pop3 = Pop3Fixture()
    pop3.talk(b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03")
    refused = [said for event, said in pop3.journal.events if event == "refused"]
    assert refused == [("pop3", PEER, "", "it does not speak POP3: TLS")]
    assert pop3.reasons == ["another protocol"]
