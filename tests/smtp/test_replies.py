import re

import pytest

from twisted_mail.mail.outcome import Outcome
from twisted_mail.smtp import replies
from twisted_mail.smtp.replies import encode, encode_lines

CONSTANTS = [value for value in vars(replies).values() if isinstance(value, bytes)]

# Clients act on the codes, and people on the words: whoever alters one alters it here too.
SAID = """
OK: 250 2.0.0 Ok
SENDER_OK: 250 2.1.0 Sender ok
RECIPIENT_OK: 250 2.1.5 Recipient ok
SEND_DATA: 354 End data with <CR><LF>.<CR><LF>
LOGGED_IN: 235 2.7.0 Authentication successful
READY_FOR_TLS: 220 2.0.0 Ready to start TLS
NOT_VERIFIED: 252 2.5.2 Not verified here; send mail and see
NEEDS_UTF8: 252 2.6.8 The answer is in UTF-8; ask with SMTPUTF8
IDLE_TOO_LONG: 421 4.4.2 Too long without a command; closing
STOPPING: 421 4.3.2 The service is stopping; try again soon
TOO_MANY_ERRORS: 421 4.7.0 Too many errors; closing
TOO_MANY_UNKNOWN: 421 4.7.0 Too many unknown recipients; closing
TOO_MANY_LOGINS: 421 4.7.0 Too many failed logins; closing
TOO_MANY_MESSAGES: 421 4.5.3 Too many messages in one conversation; send the rest in another
NOT_SMTP: 421 4.7.0 This server speaks SMTP; closing
TALKED_EARLY: 554 5.5.1 Wait for the greeting before you speak
TOO_MANY_RECIPIENTS: 452 4.5.3 Too many recipients; send to the rest in another message
BARE_LINE_END: 500 5.5.2 A line ends with CR LF; neither may stand alone
NUL_IN_LINE: 500 5.5.2 A line may not hold NUL
LINE_TOO_LONG: 500 5.5.2 The line is too long
UNKNOWN_COMMAND: 500 5.5.1 Unknown command
NO_ARGUMENT: 501 5.5.4 This command has no arguments
NOT_OFFERED: 502 5.5.1 This command is not offered here
HELLO_FIRST: 503 5.5.1 Say EHLO first
LHLO_FIRST: 503 5.5.1 Say LHLO first
NO_RECIPIENTS: 503 5.5.1 No valid recipients
MAIL_FIRST: 503 5.5.1 MAIL comes before this command
RECIPIENTS_FIRST: 554 5.5.1 No valid recipients
MAIL_IS_OPEN: 503 5.5.1 Not while a mail transaction is open
TLS_IS_ON: 503 5.5.1 TLS is on already
TLS_SYNTAX: 503 5.5.1 Nothing may follow STARTTLS before TLS is on; closing
DATA_BY_CHUNKS: 503 5.5.1 This message comes by BDAT
CHUNKS_HAVE_BEGUN: 503 5.5.1 Not after BDAT
CHUNK_SYNTAX: 501 5.5.4 Syntax: BDAT octets [LAST]; closing
IS_LOGGED_IN: 503 5.5.1 Already authenticated
UNKNOWN_MECHANISM: 504 5.5.4 This authentication mechanism is not offered
NO_SUCH_TOPIC: 504 5.5.4 There is no help on that
LOGIN_NEEDED: 530 5.7.0 Authentication required
TLS_NEEDED: 530 5.7.0 Must issue a STARTTLS command first
TLS_FOR_PASSWORD: 538 5.7.11 Must issue a STARTTLS command first
WRONG_LOGIN: 535 5.7.8 Authentication credentials invalid
TOO_LARGE: 552 5.3.4 The message is larger than this server takes
MALFORMED: 550 5.6.11 The message has a CR or LF that stands alone (bare CR or bare LF)
HAS_NUL: 550 5.6.11 The message holds NUL, which no text may
LOOPING: 554 5.4.6 Too many hops: the message seems to be in a loop
NOT_TRUSTED: 550 5.7.1 You may not speak for others
NO_RELAY: 550 5.7.1 Relaying denied
NOT_YOUR_SENDER: 553 5.7.1 This sender address does not belong to your account
BUG: 451 4.3.0 Something went wrong here; try again later
"""


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


@pytest.mark.parametrize("line", SAID.strip().splitlines())
def test_every_reply_is_said_as_it_is_written_here(line: str) -> None:
    name, _, wanted = line.partition(": ")
    reply = getattr(replies, name)
    assert (encode(reply) if isinstance(reply, Outcome) else reply) == f"{wanted}\r\n".encode()


@pytest.mark.parametrize("reply", CONSTANTS, ids=repr)
def test_constant_replies_agree_with_their_enhanced_codes(reply: bytes) -> None:
    match = re.fullmatch(rb"([2345])\d\d (?:(\d)\.\d\.\d+ )?[\x20-\x7e]*\r\n", reply)
    assert match is not None
    assert match[2] in (None, match[1])
