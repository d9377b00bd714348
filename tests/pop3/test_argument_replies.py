"""What a client is told of wrong commands: the code for programs, the words for people.

Whoever alters a reply alters it here too. Reading the arguments is tested beside the grammar.
"""

import pytest

from tests.pop3.fakes import Pop3Fixture

MESSAGE = b"Subject: one\r\n\r\n.dot\r\n"
GONE = "-ERR No such message, only 1 in the maildrop"

TRANSACTION = {
    "": "-ERR Unknown command",
    "APOP alice x": "-ERR Unknown command",
    "USER alice": "-ERR Not possible in this state",
    "STAT now": "-ERR This command takes no argument",
    "LIST x": "-ERR A message number is needed",
    "LIST 2": GONE,
    "RETR": "-ERR A message number is needed",
    "RETR 0": GONE,
    "DELE 2": GONE,
    "TOP 1": "-ERR A message number and a number of lines are needed",
    "TOP x 1": "-ERR The message number is malformed",
    "TOP 1 x": "-ERR The number of lines is malformed",
    "UIDL 2": GONE,
    "x" * 300: "-ERR The line is too long",
    "NO\rOP": "-ERR A line ends with CR LF; neither may stand alone",
    "NO\0OP": "-ERR A line may not hold NUL",
}
AUTHORIZATION = {
    "STAT": "-ERR Not possible in this state",
    "USER": "-ERR The user name is needed",
    "USER \xff": "-ERR The user name is not UTF-8",
    "PASS secret": "-ERR USER comes first",
    "USER alice\r\nPASS": "-ERR The password is needed",
    "USER alice\r\nPASS \xff": "-ERR The password is not UTF-8",
    "USER alice\r\nPASS wrong": "-ERR [AUTH] Authentication credentials invalid",
    "STLS": "-ERR TLS is not available",
    "AUTH FROB": "-ERR There is no such mechanism",
    "AUTH PLAIN !": "-ERR Malformed Base64",
    "AUTH PLAIN a b": "-ERR AUTH takes a mechanism and an initial response",
    "AUTH PLAIN\r\n*": "-ERR Authentication cancelled",
}


@pytest.mark.parametrize("said", TRANSACTION)
def test_after_login(said: str) -> None:
    assert Pop3Fixture(MESSAGE).replies(f"{said}\r\n".encode()) == [TRANSACTION[said]]


@pytest.mark.parametrize("said", AUTHORIZATION)
def test_before_login(said: str) -> None:
    text = Pop3Fixture().talk(f"{said}\r\n".encode("latin-1")).text
    assert text.split("\r\n")[-2] == AUTHORIZATION[said]


def test_a_message_that_is_deleted_is_named() -> None:
    replies = Pop3Fixture(MESSAGE).replies(b"DELE 1\r\nRETR 1\r\nLIST 1\r\nUIDL\r\nRSET\r\n")
    assert replies == [
        "+OK Message 1 deleted",
        "-ERR Message 1 is deleted",
        "-ERR Message 1 is deleted",
        "+OK 0 messages (0 octets)",
        ".",
        "+OK 1 message (22 octets)",
    ]
