"""IMAP: literals of all sizes, programs of all depths, sets of all lengths, names like paths."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.hostile import (
    Raw,
    answer_to_dribble,
    good_client_is_served,
    logged_in,
    plain,
    raw,
    selected,
)
from tests.whole.live import LiveServer
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.message import MemoryBlob, Message

pytestmark = pytest.mark.whole

MAX = 4294967295


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("imap")
    live = LiveServer(folder, "[imap]\nlogin_timeout = 2.0\n")
    for number in range(5):
        blob = MemoryBlob(b"Subject: %d\r\n\r\nhello\r\n" % number)
        live.put("bob@example.org", "INBOX", NewMessage(Message(blob)))
    yield live
    live.stop()


@pytest.fixture
def bob(server: LiveServer) -> Iterator[Raw]:
    with raw(server, "imap") as client:
        yield selected(client)


def told(client: Raw, command: bytes) -> bytes:
    """Return the tagged answer to a command."""
    client.send(b"t " + command + b"\r\n")
    answer = client.until(b"t ")[-1]
    assert answer.startswith(b"t "), answer
    assert b"SERVERBUG" not in answer
    return answer[2:]


# ---------------------------------------------------------------- literals

TOO_LARGE = [b"4097", b"%d" % MAX, b"99999999999999999999", b"9" * 4000]


@pytest.mark.parametrize("size", TOO_LARGE, ids=["4097", "32 bits", "20 digits", "4000 digits"])
def test_a_literal_too_large_before_login_is_refused_before_it_comes(
    server: LiveServer, size: bytes
) -> None:
    with raw(server, "imap") as client:
        assert client.ask(b"a LOGIN {%b}" % size).startswith(b"a BAD")
        assert client.ask(b"b NOOP").startswith(b"b OK")


@pytest.mark.parametrize("size", [b"100000", b"%d" % MAX, b"99999999999999999999"])
def test_a_literal_nobody_asked_for_is_thrown_away_or_ends_the_session(
    server: LiveServer, size: bytes
) -> None:
    with raw(server, "imap") as client:
        client.send(b"a LOGIN {%b+}\r\n" % size + b"x CAPABILITY\r\n" * 10_000)
        answers = client.finish()
    assert b"x OK" not in answers
    assert b"* CAPABILITY" not in answers


@pytest.mark.parametrize("size", [b"-1", b"+", b"1e3", b"0x10", b" 3", b"3 ", b"", b"\xb2", b"3-"])
def test_what_is_no_literal_is_a_bad_command(server: LiveServer, size: bytes) -> None:
    with raw(server, "imap") as client:
        assert client.ask(b"a LOGIN {%b}" % size).startswith(b"a BAD")
        assert client.ask(b"b NOOP").startswith(b"b OK")


@pytest.mark.parametrize("login", [False, True])
def test_a_flood_of_literals_ends(server: LiveServer, login: bool) -> None:
    with raw(server, "imap") as client:
        if login:
            logged_in(client)
        client.send(b"a NOOP" + b" {10+}\r\n0123456789" * 200_000 + b"\r\n")
        answers = client.finish()
    assert answers.startswith(b"a BAD")
    assert len(answers) < 1000


@pytest.mark.parametrize("login", [False, True])
def test_a_line_without_end_ends_the_session(server: LiveServer, login: bool) -> None:
    with raw(server, "imap") as client:
        if login:
            logged_in(client)
        client.send(b"a NOOP " + b"x" * 200_000_000 if login else b"a NOOP " + b"x" * 1_000_000)
        assert b"BYE" in client.rest()


def test_silence_and_octets_now_and_then_end_before_login(server: LiveServer) -> None:
    with raw(server, "imap") as client:
        assert answer_to_dribble(client, 0.1, 60).startswith(b"* BYE")


def test_guessing_by_authenticate_ends(server: LiveServer) -> None:
    with raw(server, "imap") as client:
        client.send(b"".join(b"a%d AUTHENTICATE PLAIN\r\n*\r\n" % number for number in range(1000)))
        answers = client.finish()
    assert b"BYE" in answers
    assert answers.count(b"BAD") <= 10


def test_authenticate_of_a_megabyte_is_refused(server: LiveServer) -> None:
    with raw(server, "imap") as client:
        assert client.ask(b"a AUTHENTICATE PLAIN").startswith(b"+")
        client.send(b"A" * 1_000_000 + b"\r\n")
        assert b"BAD" in client.rest()


@pytest.mark.parametrize(
    "state",
    [b"", b"l LOGIN bob@example.org secret\r\n", b"l LOGIN bob@example.org secret\r\ni IDLE\r\n",
     b"l LOGIN bob@example.org secret\r\ns SELECT INBOX\r\n", b"a AUTHENTICATE LOGIN\r\n"],
)  # fmt: skip
@pytest.mark.parametrize(
    "junk",
    [bytes(range(256)) * 20, b"\0" * 5000 + b"\r\n", b"\r\n" * 3000, b"\xff(" * 3000 + b"\r\n"],
)
def test_junk_ends_in_words_of_the_protocol(server: LiveServer, state: bytes, junk: bytes) -> None:
    with raw(server, "imap") as client:
        client.send(state + junk)
        for line in client.finish().split(b"\r\n"):
            assert not line or line.split(b" ", 1)[0].isascii(), line
    good_client_is_served(server)


# ---------------------------------------------------------------- programs, sets and lists


@pytest.mark.parametrize("depth", [10, 100, 900, 20_000])
@pytest.mark.parametrize("shape", [b"(%bALL%b)", b"NOT ", b"OR SEEN ", b"NOT OR SEEN "])
def test_a_search_of_any_depth_is_answered(bob: Raw, depth: int, shape: bytes) -> None:
    if shape.startswith(b"("):
        program = b"(" * depth + b"ALL" + b")" * depth
    else:
        program = shape * min(depth, 60_000 // len(shape)) + b"ALL"
    assert told(bob, b"SEARCH " + program).startswith((b"OK", b"BAD"))


@pytest.mark.parametrize(
    "items", [b"(" * 10_000, b"BODY[" + b"1." * 10_000 + b"1]", b"BODY[" * 9000]
)
def test_a_fetch_of_any_depth_is_answered(bob: Raw, items: bytes) -> None:
    assert told(bob, b"FETCH 1 " + items).startswith(b"BAD")


@pytest.mark.parametrize(
    "numbers",
    [
        b",".join(b"%d" % number for number in range(1, 10_000)),
        b",".join([b"1:4294967295"] * 4000),
        b",".join([b"*:1"] * 10_000),
        b"4294967295",
        b"1:4294967295",
        b"*",
    ],
    ids=["many", "all again and again", "backwards", "last", "all", "star"],
)
def test_a_set_of_any_length_costs_little(bob: Raw, numbers: bytes) -> None:
    assert told(bob, b"UID FETCH %b (FLAGS)" % numbers).startswith(b"OK")
    assert told(bob, b"UID SEARCH UID %b" % numbers).startswith(b"OK")


@pytest.mark.parametrize(
    "numbers",
    [b"0", b"4294967296", b"99999999999999999999", b"-1", b"1:", b":1", b"1,,2", b"1:2:3", b"01"],
)
def test_what_is_no_set_is_a_bad_command(bob: Raw, numbers: bytes) -> None:
    assert told(bob, b"UID FETCH %b (FLAGS)" % numbers).startswith(b"BAD")


@pytest.mark.parametrize(
    "range_",
    [b"<0.18446744073709551616>", b"<9999999999999999999.1>", b"<1.0>", b"<4294967296.4294967296>"],
)
def test_a_range_beyond_the_message_is_empty_or_refused(bob: Raw, range_: bytes) -> None:
    assert told(bob, b"FETCH 1 (BODY.PEEK[]%b)" % range_).startswith((b"OK", b"BAD"))


def test_thousands_of_flags_are_refused_and_the_mailbox_goes_on(bob: Raw) -> None:
    flags = b" ".join(b"k%d" % number for number in range(8000))
    assert told(bob, b"STORE 1 +FLAGS (%b)" % flags).startswith(b"NO [LIMIT]")
    for start in range(0, 3000, 100):
        flags = b" ".join(b"j%d" % number for number in range(start, start + 100))
        assert told(bob, b"STORE 1 +FLAGS.SILENT (%b)" % flags).startswith((b"OK", b"NO [LIMIT]"))
    assert told(bob, b"STORE 1 FLAGS ()").startswith(b"OK")
    assert told(bob, b"STORE 1 +FLAGS (\\Seen)").startswith(b"OK")


@pytest.mark.parametrize(
    ("date", "answer"),
    [
        (b'"99-Foo-9999 99:99:99 +9999"', b"BAD"),
        (b'"31-Feb-2020 00:00:00 +0000"', b"BAD"),
        (b'" 1-Jan-0000 00:00:00 +0000"', b"BAD"),
        (b'" 1-Jan-2020 24:00:00 +0000"', b"BAD"),
        (b'" 1-Jan-2020 00:00:00 +9960"', b"BAD"),
        (b'" 1-Jan-0001 00:00:00 +2359"', b"OK"),
        (b'"31-Dec-9999 23:59:59 -2359"', b"OK"),
        (b'"' + b"1" * 5000 + b'"', b"BAD"),
        (b'"\xff"', b"BAD"),
    ],
)
def test_dates_of_append_are_read_strictly(bob: Raw, date: bytes, answer: bytes) -> None:
    assert told(bob, b"APPEND Trash %b {3+}\r\nx\r\n" % date).startswith(answer)
    told(bob, b"SELECT Trash")
    assert told(bob, b"FETCH 1:* (INTERNALDATE)").startswith((b"OK", b"BAD"))
    assert told(bob, b"SEARCH SINCE 31-Dec-9999 BEFORE 1-Jan-0001 OLDER 4294967295").startswith(
        b"OK"
    )


@pytest.mark.parametrize("wildcard", [b"%a", b"*a", b"%*", b"*%a"])
def test_patterns_take_linear_time(bob: Raw, wildcard: bytes) -> None:
    told(bob, b"CREATE " + b"a" * 200)
    pattern = wildcard * (3990 // len(wildcard)) + b"b"
    for number in range(20):
        command = b'LIST "" "%b"' if number % 2 else b'LSUB "" "%b"'
        assert told(bob, command % pattern).startswith(b"OK")
    assert told(bob, b'LIST "" "%b"' % (b"%a" * 3000)).startswith(b"BAD")


# ---------------------------------------------------------------- names that look like paths

PATHS = [
    b"../../x", b"..", b".", b"a/../../b", b"./x", b".x", b"x.", b"a.b", b"~", b"~root", b"a\\b",
    b"cur", b"new", b"tmp", b"INBOX/../..", b"maildirfolder", b"dovecot-uidlist", b"index.sqlite3",
    b"subscriptions", b"-rf", b"$(id)", b"a b", b"&-", b"%", b"*", b"a%2e%2e", b"con", b"\\2e\\2e",
]  # fmt: skip
BAD_PATHS = [
    b"/", b"//", b"/etc", b"a//b", b"x/" * 500 + b"x", b"x" * 300, b"a/" * 30 + b"b", b"&AC8-",
    b"&AC4ALg-", b"&AAA-", b"&2AA-", b"&", b"&x", b"\xff", b"\x01", b"a\tb", b"&AA0ACg-", b"",
]  # fmt: skip

COMMANDS = [
    b"CREATE %b", b"SELECT %b", b"STATUS %b (MESSAGES)", b"SUBSCRIBE %b", b"DELETE %b", b"COPY 1 %b",
    b"RENAME INBOX %b", b"RENAME %b y", b"APPEND %b {3+}\r\nx\r\n",
]  # fmt: skip


@pytest.mark.parametrize("name", PATHS)
def test_a_name_is_a_name_and_no_path(server: LiveServer, bob: Raw, name: bytes) -> None:
    outside = _outside(server)
    written = b"{%d+}\r\n%b" % (len(name), name)
    assert told(bob, b"CREATE " + written).startswith((b"OK", b"NO [ALREADYEXISTS]"))
    assert told(bob, b"APPEND %b {3+}\r\nx\r\n" % written).startswith(b"OK")
    assert told(bob, b"SELECT " + written).startswith(b"OK")
    assert told(bob, b"FETCH * (BODY[])").startswith(b"OK")
    assert told(bob, b"SUBSCRIBE " + written).startswith(b"OK")
    assert told(bob, b"RENAME %b {3+}\r\nz/z" % written).startswith(b"OK")
    assert told(bob, b"RENAME z/z " + written).startswith(b"OK")
    assert told(bob, b"DELETE " + written).startswith(b"OK")
    assert told(bob, b"UNSUBSCRIBE " + written).startswith(b"OK")
    assert _outside(server) == outside


@pytest.mark.parametrize("name", BAD_PATHS)
def test_what_cannot_be_a_name_is_refused(server: LiveServer, bob: Raw, name: bytes) -> None:
    written = b"{%d+}\r\n%b" % (len(name), name)
    for command in COMMANDS:
        assert told(bob, command % written).startswith((b"NO", b"BAD")), command


def test_a_name_with_nul_is_refused(server: LiveServer) -> None:
    with raw(server, "imap") as client:
        logged_in(client)
        for name in (b"{3+}\r\na\0b", b'"a\0b"', b"a\0b", b"&AGEAAABi-"):
            assert client.ask(b"t CREATE " + name).startswith((b"t BAD", b"t NO"))


def _outside(server: LiveServer) -> list[str]:
    """Return all files but those within bob's folder."""
    inside = str(server.maildir("bob@example.org").parent)
    top = server.folder
    paths = [os.path.join(folder, name) for folder, _, names in os.walk(top) for name in names]
    return sorted(path for path in paths if not path.startswith(inside) and "sqlite3-" not in path)


def test_links_in_the_maildir_lead_nowhere(server: LiveServer, bob: Raw) -> None:
    maildir = server.maildir("bob@example.org")
    (server.folder / "private").write_text("Subject: private\r\n\r\nnot for bob\r\n")
    (maildir / "new" / "99.link").symlink_to(server.folder / "private")
    os.mkfifo(maildir / "new" / "99.fifo")
    (maildir / "new" / "99.folder").mkdir()
    server.maildir("alice@example.org").mkdir(parents=True, exist_ok=True)
    (maildir / ".stolen").symlink_to(server.maildir("alice@example.org"))
    assert told(bob, b"SELECT INBOX").startswith(b"OK")
    bob.send(b"f FETCH 1:* (BODY.PEEK[])\r\n")
    assert b"not for bob" not in b"".join(bob.until(b"f OK"))
    assert told(bob, b"SELECT stolen").startswith(b"NO")
    (maildir / "new" / "99.folder").rmdir()


def test_plain_text_on_the_tls_port_and_back(server: LiveServer) -> None:
    with plain(server.ports["imaps"]) as client:
        client.send(b"a LOGIN bob@example.org secret\r\n")
        assert b"OK" not in client.finish()
    good_client_is_served(server)
