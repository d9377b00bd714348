"""What a client is told of arguments that are none: the code for programs, the words for people.

Whoever alters a reply alters it here too. Reading these arguments is tested beside the grammar and the
extensions.
"""

import pytest

from tests.smtp.fakes import HELLO, LOGIN, MAIL, PROMISES, RCPT, FakeQueue, SmtpFixture, say
from twisted_mail.smtp.settings import Settings, SubmissionSettings

OWN = "MAIL FROM:<alice@example.org>"
LONG_LABEL, LONG_DOMAIN = "b" * 64 + ".example", "b." * 127 + "example"

AFTER_HELLO: dict[str | bytes, str] = {
    "EHLO": "501 5.5.4 Tell your name: EHLO hostname",
    "MAIL": "501 5.5.4 Syntax: MAIL FROM:<address>",
    "MAIL TO:<a@b>": "501 5.5.4 Syntax: MAIL FROM:<address>",
    "MAIL FROM:": "501 5.1.7 Write the address as <local@domain>",
    "MAIL FROM:<>SIZE=1": "501 5.5.4 A space comes between address and parameters",
    "MAIL FROM:<> =1": "501 5.5.4 Malformed parameter",
    "MAIL FROM:<> SIZE=1 size=2": "501 5.5.4 SIZE is given twice",
    "MAIL FROM:<> x=1": "555 5.5.4 Unsupported parameter: X",
    "MAIL FROM:<\xe9@b.example>": "550 5.6.7 Addresses in UTF-8 need the parameter SMTPUTF8",
    b"MAIL FROM:<\xff@b.example>": "501 5.1.7 That is neither ASCII nor UTF-8",
    "MAIL FROM:<a>": "501 5.1.7 Malformed address: an address needs an @ and a domain",
    "MAIL FROM:<@b>": "501 5.1.7 Malformed address: "
    "the local part is missing or has characters that need quotes",
    "MAIL FROM:<a@>": "501 5.1.7 Malformed address: the domain is missing or malformed",
    "MAIL FROM:<a@[1.2.3]>": "501 5.1.7 Malformed address: the address literal is malformed",
    f"MAIL FROM:<a@{LONG_LABEL}>": "501 5.1.7 Malformed address: "
    "a label of the domain is longer than 63 octets",
    f"MAIL FROM:<a@{LONG_DOMAIN}>": "501 5.1.7 Malformed address: "
    "the domain is longer than 255 octets",
    "MAIL FROM:<@b..c:a@d.example>": "501 5.1.7 Malformed source route: "
    "the domain is missing or malformed",
    "MAIL FROM:<@b.example,c.example:a@d.example>": "501 5.1.7 Malformed source route",
    "MAIL FROM:<> SIZE": "501 5.5.4 SIZE is a number of up to 20 digits",
    "MAIL FROM:<> SIZE=x": "501 5.5.4 SIZE is a number of up to 20 digits",
    "MAIL FROM:<> SIZE=99999999999": "552 5.3.4 The message is larger than this server takes",
    "MAIL FROM:<> BODY=9BIT": "501 5.5.4 BODY is 7BIT or 8BITMIME or BINARYMIME",
    "MAIL FROM:<> SMTPUTF8=1": "501 5.5.4 SMTPUTF8 has no value",
    "MAIL FROM:<> RET=ALL": "501 5.5.4 RET is FULL or HDRS",
    "MAIL FROM:<> ENVID=+": "501 5.5.4 ENVID is xtext of up to 100 characters",
    "MAIL FROM:<> REQUIRETLS": "530 5.7.10 REQUIRETLS is for connections under TLS",
    "VRFY": "501 5.5.4 Tell an address",
    "BDAT x": "501 5.5.4 Syntax: BDAT octets [LAST]; closing",
    "XCLIENT ADDR=192.0.2.1": "550 5.7.1 You may not speak for others",
    "QUIT now": "501 5.5.4 This command has no arguments",
}
AFTER_MAIL = {
    "RCPT": "501 5.5.4 Syntax: RCPT TO:<address>",
    "RCPT TO:<>": "501 5.1.3 Malformed address: "
    "the local part is missing or has characters that need quotes",
    "RCPT TO:<\xe9@b.example>": "553 5.6.7 Addresses in UTF-8 need SMTPUTF8 with MAIL",
    f"{RCPT} NOTIFY=X": "501 5.5.4 NOTIFY is NEVER, or a list of SUCCESS, FAILURE, DELAY",
    f"{RCPT} ORCPT=rf(c;x": "501 5.5.4 ORCPT is type;address of up to 500 characters",
    f"{RCPT} ORCPT": "501 5.5.4 ORCPT is type;address of up to 500 characters",
    f"{RCPT} ORCPT=rfc822;+": "501 5.5.4 ORCPT is type;address in xtext",
    f"{RCPT} ORCPT=utf-8;\\": "501 5.5.4 ORCPT is malformed: not an encoded UTF-8 address",
    f"{RCPT} ORCPT=utf-8;\\x{{D800}}": "501 5.5.4 ORCPT is malformed: there is no such character",
    f"{RCPT} SIZE=1": "555 5.5.4 Unsupported parameter: SIZE",
    MAIL: "503 5.5.1 Not while a mail transaction is open",
    "DATA": "554 5.5.1 No valid recipients",
}
AFTER_LOGIN = {
    "VRFY nobody": "550 5.1.1 There is no such mailbox here",
    "EXPN": "501 5.5.4 Tell an address",
    "EXPN nobody": "550 5.1.1 There is no such list",
    LOGIN: "503 5.5.1 Already authenticated",
    "MAIL FROM:<bob@example.org>": "553 5.7.1 This sender address does not belong to your account",
    f"{OWN} HOLDFOR=0": "501 5.5.4 HOLDFOR is a number of seconds",
    f"{OWN} HOLDFOR=86401": "501 5.5.4 Messages are held for 86400 seconds at most",
    f"{OWN} HOLDUNTIL=x": "501 5.5.4 HOLDUNTIL is a time such as 2027-01-31T12:00:00Z",
    f"{OWN} HOLDUNTIL=2001-09-09T01:46:40Z": "501 5.5.4 HOLDUNTIL is not in the future",
    f"{OWN} HOLDFOR=1 HOLDUNTIL=2001-09-09T02:00:00Z": "501 5.5.4 HOLDUNTIL and what comes before it "
    "exclude each other",
    f"{OWN} BY=x": "501 5.5.4 BY is seconds;N or seconds;R, and perhaps a T",
    f"{OWN} BY=0;R": "501 5.5.4 That time has passed",
    f"{OWN} BY=59;R": "555 5.5.4 Delivery takes 60 seconds at least",
    f"{OWN} HOLDFOR=101 BY=100;R": "501 5.5.4 The message would be held for longer than it has to be "
    "delivered",
    f"{OWN} MT-PRIORITY=10": "501 5.5.2 MT-PRIORITY is a number from -9 to 9",
    f"{OWN} MT-PRIORITY=3": "250 2.3.6 0 is the priority that this message gets",
    f"{OWN} AUTH=+": "501 5.5.4 AUTH is an address in xtext, or <>",
}
BEFORE_LOGIN = {
    "AUTH": "501 5.5.4 Syntax: AUTH mechanism",
    "AUTH X": "504 5.5.4 This authentication mechanism is not offered",
    "AUTH PLAIN a b": "501 5.5.2 Malformed Base64",
    OWN: "530 5.7.0 Authentication required",
}


def last_reply(*texts: str | bytes, settings: Settings | None = None) -> str:
    return say(*texts, smtp=SmtpFixture(queue=FakeQueue(PROMISES)), settings=settings)[-1]


@pytest.mark.parametrize("said", AFTER_HELLO)
def test_after_hello(said: str | bytes) -> None:
    assert last_reply(HELLO, said) == AFTER_HELLO[said]


@pytest.mark.parametrize("said", AFTER_MAIL)
def test_after_mail(said: str) -> None:
    assert last_reply(HELLO, MAIL, said) == AFTER_MAIL[said]


@pytest.mark.parametrize("said", AFTER_LOGIN)
def test_after_login(said: str) -> None:
    settings = SubmissionSettings(max_hold=86400)
    assert last_reply("EHLO c", LOGIN, said, settings=settings) == AFTER_LOGIN[said]


@pytest.mark.parametrize("said", BEFORE_LOGIN)
def test_before_login(said: str) -> None:
    assert last_reply("EHLO c", said, settings=SubmissionSettings()) == BEFORE_LOGIN[said]


# ------------------------------------------------------------ HELP

COMMANDS = """
EHLO hostname
HELO hostname
MAIL FROM:<address> [parameters]
RCPT TO:<address> [parameters]
NOOP [text]
VRFY address [SMTPUTF8]
"""
EXTENSIONS = """
PIPELINING: commands may be sent before earlier ones are answered (RFC 2920)
SIZE: MAIL FROM:<address> SIZE=octets announces the size of the message (RFC 1870)
ENHANCEDSTATUSCODES: replies have a second code (RFC 2034)
8BITMIME: MAIL FROM:<address> BODY=8BITMIME announces octets above 127 (RFC 6152)
SMTPUTF8: MAIL FROM:<address> SMTPUTF8 announces addresses and header in UTF-8 (RFC 6531)
CHUNKING: BDAT octets [LAST] sends a message in chunks (RFC 3030)
BINARYMIME: MAIL FROM:<address> BODY=BINARYMIME announces any octets, by BDAT (RFC 3030)
DSN: MAIL has RET and ENVID, RCPT has NOTIFY and ORCPT, about reports (RFC 3461)
LIMITS: how much is taken (RFC 9422)
FUTURERELEASE: MAIL FROM:<address> HOLDFOR=seconds or HOLDUNTIL=time sends later (RFC 4865)
DELIVERBY: MAIL FROM:<address> BY=seconds;N or seconds;R wants delivery in time (RFC 2852)
MT-PRIORITY: MAIL FROM:<address> MT-PRIORITY=number, from -9 to 9 (RFC 6710)
"""


def help_on(topic: str) -> str:
    return last_reply("EHLO c", LOGIN, f"HELP {topic}", settings=SubmissionSettings())


@pytest.mark.parametrize("syntax", COMMANDS.strip().splitlines())
def test_help_says_how_a_command_is_written(syntax: str) -> None:
    assert help_on(syntax.split()[0]) == f"214 2.0.0 Syntax: {syntax}"


@pytest.mark.parametrize("line", EXTENSIONS.strip().splitlines())
def test_help_says_what_an_extension_is_for(line: str) -> None:
    assert help_on(line.split(":")[0]) == f"214 2.0.0 {line}"


def test_help_says_both_of_a_command_that_is_an_extension() -> None:
    smtp, settings = SmtpFixture(queue=FakeQueue(PROMISES)), SubmissionSettings()
    command, extension = say("EHLO c", LOGIN, "HELP EXPN", smtp=smtp, settings=settings)[-2:]
    assert command == "214-2.0.0 Syntax: EXPN address [SMTPUTF8]"
    assert extension == "214 2.0.0 EXPN: EXPN address says who is on a list (RFC 5321)"
    command, extension = say("EHLO c", "HELP AUTH", smtp=smtp, settings=settings)[-2:]
    assert command == "214-2.0.0 Syntax: AUTH mechanism [initial-response]"
    assert extension == (
        "214 2.0.0 AUTH: users can log in (RFC 4954); "
        "MAIL FROM:<address> AUTH=address says who wrote the message"
    )


def test_help_names_what_there_is() -> None:
    commands, extensions, more = say(HELLO, "HELP")[1:]
    assert commands == "214-2.0.0 Commands: EHLO HELO MAIL RSET NOOP QUIT VRFY HELP"
    assert extensions == (
        "214-2.0.0 Extensions: PIPELINING SIZE ENHANCEDSTATUSCODES 8BITMIME SMTPUTF8 CHUNKING "
        "BINARYMIME LIMITS HELP"
    )
    assert more == "214 2.0.0 HELP with one of these says more; postmaster reads what people write"
