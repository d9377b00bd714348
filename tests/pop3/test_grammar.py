import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.outcome import Outcome, ProtocolError, Refused, Unavailable
from twisted_mail.pop3 import grammar


def test_a_command_is_a_keyword_in_any_case_and_the_rest():
    assert grammar.parse(b"retr 1") == ("RETR", b"1")
    assert grammar.parse(b"NOOP") == ("NOOP", b"")
    assert grammar.parse(b"PASS  a b ") == ("PASS", b" a b ")
    assert grammar.parse(b"") == ("", b"")
    assert grammar.parse(b"\xff\0") == ("ÿ\0", b"")


def test_numbers_are_read():
    assert grammar.number(b"1") == 1
    assert grammar.number(b" 007 ") == 7
    assert grammar.number_and_lines(b"3 10") == (3, 10)
    assert grammar.number_and_lines(b" 3  0 ") == (3, 0)


@pytest.mark.parametrize("argument", [b"", b"x", b"-1", b"1 2", b"1x", b"\xb2", b"1" * 11, b"+1"])
def test_what_is_no_number_is_refused(argument):
    with pytest.raises(ProtocolError):
        grammar.number(argument)


@pytest.mark.parametrize(
    "argument", [b"", b"1", b"1 2 3", b"1 -1", b"x 1", b"1\t", b"1 9999999999x"]
)
def test_what_is_no_pair_of_numbers_is_refused(argument):
    with pytest.raises(ProtocolError):
        grammar.number_and_lines(argument)


def test_spaces_are_no_argument():
    grammar.no_argument(b"  ")
    with pytest.raises(ProtocolError):
        grammar.no_argument(b"1")


def test_text_is_utf_8_without_nul():
    assert grammar.text("å b".encode(), "It") == "å b"
    for argument, fault in ((b"", "is needed"), (b"\xff", "is not UTF-8"), (b"\0", "holds a NUL")):
        with pytest.raises(ProtocolError, match=f"^It {fault}$"):
            grammar.text(argument, "It")


def test_replies_are_one_line_of_printable_ascii():
    assert grammar.ok() == b"+OK\r\n"
    assert grammar.ok("2 320") == b"+OK 2 320\r\n"
    assert grammar.err("a\r\n+OK é") == b"-ERR a??+OK ?\r\n"


def test_only_a_code_begins_with_a_bracket():
    assert grammar.err("[AUTH] a") == b"-ERR AUTH] a\r\n"
    assert grammar.err("a", "AUTH") == b"-ERR [AUTH] a\r\n"


def test_a_reply_may_have_512_octets():
    assert len(grammar.ok("x" * 600)) == 512


@given(st.text(), st.sampled_from(["", "AUTH", "SYS/TEMP"]))
def test_no_reply_is_longer_than_512_octets(words, code):
    reply = grammar.err(words, code)
    assert len(reply) <= 512
    assert reply.endswith(b"\r\n")
    assert reply.count(b"\n") == 1


@pytest.mark.parametrize(
    ("error", "is_login", "code"),
    [
        (Refused("no", "IN-USE"), True, "IN-USE"),
        (Refused(Outcome(450, "4.2.0", "no"), "IN-USE"), True, "IN-USE"),
        (Refused("no", "AUTHENTICATIONFAILED"), True, "AUTH"),
        (Refused(Outcome(454, "4.7.0", "no")), True, "SYS/TEMP"),
        (Unavailable("no"), True, "SYS/TEMP"),
        (Unavailable("no"), False, "SYS/TEMP"),
        (Refused("no"), False, "SYS/PERM"),
        (Refused("no", "NONEXISTENT"), False, ""),
        (ProtocolError("no"), False, ""),
    ],
)
def test_errors_have_response_codes(error, is_login, code):
    expected = f"-ERR [{code}] no\r\n" if code else "-ERR no\r\n"
    assert grammar.refusal(error, is_login) == expected.encode()


def test_unique_ids_are_those_of_dovecot():
    assert grammar.unique_id(1, 1_700_000_000) == b"000000016553f100"


@given(*[st.tuples(st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1))] * 2)
def test_unique_ids_are_unique(one, other):
    assert (grammar.unique_id(*one) == grammar.unique_id(*other)) == (one == other)
