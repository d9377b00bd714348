"""What a client is told of wrong commands: the code for programs, the words for people.

Whoever alters an answer alters it here too. Reading the arguments is tested beside the grammar.
"""

import pytest

from tests.imap.talk import ImapFixture

SELECTED = {
    "": "BAD Missing a command",
    "FROB": "BAD Unknown command",
    "UID FROB": "BAD Unknown command",
    "LOGIN alice secret": "BAD Not possible with a mailbox selected",
    "SELECT": "BAD Missing argument",
    "SELECT\t": "BAD Expected a space",
    "CHECK now": "BAD Unexpected arguments at the end of the command",
    "SELECT &": "NO [CANNOT] The mailbox name is not valid modified UTF-7",
    "SELECT none": "NO [NONEXISTENT] There is no such mailbox.",
    "CREATE INBOX": "NO [ALREADYEXISTS] There is a mailbox of this name already.",
    "CREATE a//b": "NO [CANNOT] A mailbox name has no empty level.",
    "CREATE a (FROB)": "BAD Unknown parameter",
    "CREATE a (USE (\\Frob))": "NO [USEATTR] No mailbox can have this special use.",
    "CREATE a (USE (\\Sent \\Trash))": "NO [USEATTR] A mailbox has one special use at most",
    "DELETE INBOX": "NO [CANNOT] INBOX cannot be deleted.",
    "RENAME Sent Drafts": "NO [ALREADYEXISTS] There is a mailbox of this name already.",
    "RENAME Sent Sent/x": "NO [CANNOT] A mailbox cannot be put into itself.",
    "LIST (FROB) a b": "BAD Unknown option FROB",
    'LIST "" * FROB': "BAD Expected RETURN",
    'LIST "" * RETURN (FROB)': "BAD Unknown option FROB",
    'LIST (RECURSIVEMATCH) "" *': "BAD RECURSIVEMATCH needs SUBSCRIBED",
    "STATUS Sent (FROB)": "BAD Unknown item FROB",
    'ID "x"': "BAD Expected a list or NIL",
    f'ID ("{"x" * 31}" "b")': "BAD A field is too long",
    f'ID ("a" "{"x" * 1025}")': "BAD A field is too long",
    "APPEND none {1+}\r\na": "NO [TRYCREATE] There is no such mailbox.",
    "APPEND INBOX x": "BAD Expected a message as a literal",
    'APPEND INBOX "x" {1+}\r\na': (
        "BAD Malformed date and time: it looks like 17-Jul-1996 02:44:25 -0700"
    ),
    "APPEND INBOX {1+}\r\n\0": "NO [CANNOT] A message may not hold NUL",
    "COPY 1 none": "NO [TRYCREATE] There is no such mailbox.",
    "UID COPY 9 Sent": "OK No such messages, so nothing copied.",
    "UID MOVE 9 Sent": "OK No such messages, so nothing moved.",
}
MESSAGES = {
    "FETCH x FLAGS": "BAD Expected a set of message numbers",
    "FETCH 0 FLAGS": "BAD Malformed set of message numbers",
    "FETCH 9 FLAGS": "BAD There is no message with that number",
    "FETCH 1 FROB": "BAD Unknown item FROB",
    "FETCH 1 ()": "BAD Expected a word",
    "FETCH 1 BODY.PEEK": "BAD Unknown item BODY.PEEK",
    "FETCH 1 BODY[": "BAD Expected ']'",
    "FETCH 1 BODY[FROB]": "BAD Unknown section",
    "FETCH 1 BODY[MIME]": "BAD Unknown section",
    "FETCH 1 BODY[0]": "BAD Malformed part number",
    "FETCH 1 BODY[1TEXT]": "BAD A section needs a dot before its last word",
    f"FETCH 1 BODY[{'.'.join('1' * 101)}]": "BAD The section has too many part numbers",
    "FETCH 1 BODY[HEADER.FIELDS]": "BAD Expected a space",
    "FETCH 1 BODY[HEADER.FIELDS ()]": "BAD Expected a string or an atom",
    'FETCH 1 BODY[HEADER.FIELDS ("a b")]': "BAD Malformed header field name",
    f"FETCH 1 BODY[HEADER.FIELDS ({'a ' * 500}a)]": "BAD A section names at most 500 header fields",
    "FETCH 1 BODY[TEXT]<0.0>": "BAD A range has at least one octet",
    f"FETCH 1 ({' '.join(['FLAGS'] * 101)})": "BAD A FETCH has at most 100 items",
    f"FETCH 1 (BODY[HEADER.FIELDS ({'a ' * 300}a)] BODY[HEADER.FIELDS ({'b ' * 300}b)])": (
        "BAD A FETCH names at most 500 header fields"
    ),
    "STORE 1 FROB (a)": "BAD Unknown item FROB",
    "STORE 1 FLAGS (a": "BAD Expected ')'",
    "STORE 1 FLAGS (\\Frob)": "BAD Invalid system flag \\Frob",
    f"STORE 1 FLAGS ({'x' * 101})": "BAD A keyword is too long or malformed",
    "SEARCH FROB": "BAD Unknown search key FROB",
    "SEARCH CHARSET x ALL": "NO [BADCHARSET (US-ASCII UTF-8)] This charset is not known here",
    "SEARCH SINCE x": "BAD Malformed date",
    "SEARCH SINCE (": "BAD Expected a date",
    "SEARCH LARGER x": "BAD Expected a number",
    "SEARCH LARGER 4294967296": "BAD The number is too large",
    "SEARCH OLDER 0": "BAD Expected a number that does not begin with 0",
    "SEARCH KEYWORD (": "BAD Expected an atom",
    "SEARCH EMAILID !": "BAD Malformed object identifier",
    f"SEARCH {'NOT (OR ALL ' * 60}ALL{')' * 60}": "BAD The search program is nested too deeply",
    f"SEARCH {'ALL ' * 1000}ALL": "BAD A search program has at most 1000 keys",
    f"SEARCH {'TEXT x ' * 100}TEXT x": "NO [LIMIT] A search program looks for at most 100 texts",
}
EXAMINED = ("STORE 1 FLAGS ()", "EXPUNGE", "UID EXPUNGE 1", "MOVE 1 Sent")
BEFORE_LOGIN = {
    "SELECT INBOX": "BAD Not possible before login",
    "LOGIN alice": "BAD Missing argument",
    "LOGIN alice x": "NO [AUTHENTICATIONFAILED] Wrong name or password",
    "AUTHENTICATE FROB": "NO [CANNOT] Unknown authentication mechanism",
    "AUTHENTICATE PLAIN !": "BAD Malformed Base64",
    "STARTTLS": "NO [CANNOT] TLS is not available here",
}


def answer(opening: str, said: str) -> str:
    server = ImapFixture()
    server.put()
    *_, last, noop = server.inside(opening, f"b {said}", "c NOOP")
    assert noop.startswith("c OK ")
    return last


@pytest.mark.parametrize("said", SELECTED)
def test_a_command_that_is_none_or_cannot_be(said: str) -> None:
    assert answer("a SELECT INBOX", said) == f"b {SELECTED[said]}"


@pytest.mark.parametrize("said", MESSAGES)
def test_a_command_about_messages(said: str) -> None:
    assert answer("a SELECT INBOX", said) == f"b {MESSAGES[said]}"


@pytest.mark.parametrize("said", EXAMINED)
def test_nothing_is_altered_in_an_examined_mailbox(said: str) -> None:
    wanted = "b NO [READ-ONLY] The mailbox is selected for reading only."
    assert answer("a EXAMINE INBOX", said) == wanted


@pytest.mark.parametrize("said", BEFORE_LOGIN)
def test_before_login(said: str) -> None:
    assert ImapFixture().talk(f"b {said}") == [f"b {BEFORE_LOGIN[said]}"]


def test_a_text_that_is_not_in_its_charset() -> None:
    server = ImapFixture()
    search = b'b SEARCH CHARSET UTF-8 TEXT "\xff"'
    assert server.inside("a SELECT INBOX", search + b"\r\n")[-1] == (
        "b BAD A string is not in the charset of the search"
    )


def test_a_name_or_password_that_is_no_text() -> None:
    for login in (b'b LOGIN "\xff" secret\r\n', b'b LOGIN alice "\xff"\r\n'):
        server = ImapFixture()
        wanted = "b NO [AUTHENTICATIONFAILED] Name and password must be UTF-8"
        assert server.talk(login) == [wanted]
        assert len(server.events("login_failed")) == 1
