import re

import pytest

from twisted_mail.mail.outcome import Outcome
from twisted_mail.smtp import replies
from twisted_mail.smtp.replies import encode, encode_lines

CONSTANTS = [value for value in vars(replies).values() if isinstance(value, bytes)]


def test_a_reply_is_code_enhanced_code_and_text() -> None:
    assert encode(Outcome(250, "2.0.0", "Ok")) == b"250 2.0.0 Ok\r\n"


def test_all_lines_of_a_reply_but_the_last_have_a_dash() -> None:
    assert encode_lines(250, "", ["host", "SIZE 1"]) == b"250-host\r\n250 SIZE 1\r\n"
    assert encode_lines(214, "2.0.0", ["a b", "c"]) == b"214-2.0.0 a b\r\n214 2.0.0 c\r\n"


def test_no_text_breaks_the_line_or_fills_more_than_one() -> None:
    reply = encode(Outcome(550, "5.1.1", "a\r\n250 ok\0\xe4" + "x" * 9999))
    assert reply.startswith(b"550 5.1.1 a  250 ok ?xxx")
    assert len(reply) < 512
    assert reply.index(b"\r\n") == len(reply) - 2


@pytest.mark.parametrize("reply", CONSTANTS, ids=repr)
def test_constant_replies_agree_with_their_enhanced_codes(reply: bytes) -> None:
    match = re.fullmatch(rb"([2345])\d\d (?:(\d)\.\d\.\d+ )?[\x20-\x7e]*\r\n", reply)
    assert match is not None
    assert match[2] in (None, match[1])
