"""SMTP: messages in chunks, parameters and addresses from those who mean harm."""

from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path

import pytest

from tests.whole.hostile import eventually, good_client_is_served, inbox, raw
from tests.whole.live import LiveServer
from tests.whole.test_hostile_smtp import FALSE_ENDS, codes

pytestmark = pytest.mark.whole

START = b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<bob@example.org>\r\n"
SECOND = START.partition(b"\r\n")[2] + b"DATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\nQUIT\r\n"
MAX_SIZE = 6_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder: Path = tmp_path_factory.mktemp("chunks")
    live = LiveServer(
        folder,
        f"[smtp]\nerror_delay = 0.0\nmax_size = {MAX_SIZE}\nblock_timeout = 1.0\n"
        "message_timeout = 3.0\nslowest_rate = 10_000_000\n",
    )
    yield live
    live.stop()


def chunk(content: bytes, last: bytes = b"") -> bytes:
    return b"BDAT %d%b\r\n%b" % (len(content), last, content)


def new_mail(server: LiveServer, before: list[str]) -> list[str]:
    return list((Counter(inbox(server)) - Counter(before)).elements())


def answers(server: LiveServer, stream: bytes) -> list[bytes]:
    """Return what is answered behind EHLO, MAIL and RCPT."""
    with raw(server, "smtp") as client:
        client.send(START + stream + b"QUIT\r\n")
        found = codes(client.rest())
    assert found[:3] == [b"250"] * 3
    return found[3:]


@pytest.mark.parametrize("end", [b"\r\n.\r\n", *FALSE_ENDS], ids=repr)
def test_a_chunk_is_never_seen_as_two_messages(server: LiveServer, end: bytes) -> None:
    before = inbox(server)
    text = b"Subject: first\r\n\r\ntext" + end + SECOND
    found = answers(server, chunk(text, b" LAST"))
    assert found[-1] == b"221"
    assert len(found) == 2, "one chunk, one answer"
    assert new_mail(server, before) == (["first"] if found[0] == b"250" else [])


@pytest.mark.parametrize("end", [b"\r\n.\r\n", b"\n.\n", b"\r\n.\n"], ids=repr)
def test_a_false_end_across_two_chunks_ends_nothing(server: LiveServer, end: bytes) -> None:
    before = inbox(server)
    for cut in range(1, len(end)):
        first, second = b"Subject: cut\r\n\r\nx" + end[:cut], end[cut:] + SECOND
        found = answers(server, chunk(first) + chunk(second, b" LAST"))
        assert len(found) == 3
        assert found[1] == b"250"
    assert new_mail(server, before) == ["cut"] * (len(end) - 1)


def test_what_lies_in_a_refused_chunk_is_never_run(server: LiveServer) -> None:
    before = inbox(server)
    with raw(server, "smtp") as client:
        client.send(b"EHLO x\r\n" + chunk(SECOND) * 3 + chunk(SECOND, b" LAST") + b"QUIT\r\n")
        found = codes(client.rest())
    assert found == [b"250", *[b"503"] * 4, b"221"]
    assert new_mail(server, before) == []


def test_commands_behind_a_malformed_chunk_are_never_run(server: LiveServer) -> None:
    before = inbox(server)
    assert answers(server, b"BDAT %d\r\n" % 10**30 + SECOND) == [b"501"]
    assert new_mail(server, before) == []


def test_a_chunk_larger_than_every_buffer_is_taken_whole(server: LiveServer) -> None:
    before = inbox(server)
    text = b"Subject: large\r\n\r\n" + b"y" * 998 * 5000 + b"\r\n"
    assert answers(server, chunk(text, b" LAST")) == [b"250", b"221"]
    assert new_mail(server, before) == ["large"]
    files = (server.maildir("bob@example.org") / "new").iterdir()
    assert any(file.read_bytes().endswith(text) for file in files)


def test_a_chunk_larger_than_allowed_is_read_and_refused(server: LiveServer) -> None:
    before = inbox(server)
    next_one = START.partition(b"\r\n")[2] + chunk(b"Subject: next\r\n", b" LAST")
    found = answers(server, chunk(b"z" * (MAX_SIZE + 1)) + chunk(b"", b" LAST") + next_one)
    assert found == [b"552", b"503", b"250", b"250", b"250", b"221"]
    assert new_mail(server, before) == ["next"]


def test_a_chunk_without_measure_is_not_read(server: LiveServer) -> None:
    with raw(server, "smtp") as client:
        client.send(START + b"BDAT 9999999999999999999\r\n" + b"x" * 100_000)
        assert codes(client.rest())[-1] == b"552"


def test_chunks_of_nothing_do_not_go_on_for_ever(server: LiveServer) -> None:
    with raw(server, "smtp") as client:
        client.send(START + b"BDAT 0\r\n" * 10_000)
        found = codes(client.rest())
    assert found[-1] == b"421"
    assert len(found) < 300


def test_a_chunk_that_does_not_come_is_given_up(server: LiveServer) -> None:
    with raw(server, "smtp") as client:
        client.send(START + b"BDAT 100\r\nSubject: half")
        assert codes(client.rest())[3:] == [b"421"]


@pytest.mark.parametrize("opening", [b"BDAT 99999\r\n", b"DATA\r\n"])
def test_a_dribble_of_a_message_is_given_up(server: LiveServer, opening: bytes) -> None:
    before = inbox(server)
    with raw(server, "smtp") as client:
        client.send(START + opening)
        client.socket.settimeout(0.2)
        found = b""
        for _ in range(100):
            client.send(b"x")
            try:
                found = client.line()
            except TimeoutError:
                continue
            if found.startswith(b"421") or client.is_over:
                break
        assert found.startswith(b"421")
    assert new_mail(server, before) == []


def test_octets_one_by_one_are_chunks_like_any_other(server: LiveServer) -> None:
    before = inbox(server)
    with raw(server, "smtp") as client:
        for octet in START + chunk(b"Subject: ") + chunk(b"slow\r\n") + chunk(b"", b" LAST"):
            client.send(bytes([octet]))
        client.send(b"QUIT\r\n")
        assert codes(client.rest())[-2:] == [b"250", b"221"]
    assert new_mail(server, before) == ["slow"]


def test_a_client_that_vanishes_between_chunks_leaves_nothing(server: LiveServer) -> None:
    before = inbox(server)
    stream = chunk(b"Subject: half\r\n\r\n") + chunk(b"x" * 400_000) + b"BDAT 10\r\nx"
    for cut in (1, 8, 25, 40, 300_000, 400_040, len(stream)):
        client = raw(server, "smtp")
        client.send(START + stream[:cut])
        client.close()
    good_client_is_served(server)
    assert new_mail(server, before) == []
    spool = server.folder / "state" / "tmp"
    assert eventually(lambda: not list(spool.iterdir()))


def test_a_binary_message_is_kept_in_lines(server: LiveServer) -> None:
    octets = bytes(range(256)) * 2000
    head = b"Subject: binary\r\nMIME-Version: 1.0\r\nContent-Type: image/png\r\n"
    text = head + b"Content-Transfer-Encoding: binary\r\n\r\n" + octets
    with raw(server, "smtp") as client:
        mail = START.replace(b"<a@example.com>", b"<a@example.com> BODY=BINARYMIME")
        client.send(mail + chunk(text[:999]) + chunk(text[999:], b" LAST") + b"QUIT\r\n")
        assert codes(client.rest())[3:] == [b"250", b"250", b"221"]
    files = [file.read_bytes() for file in (server.maildir("bob@example.org") / "new").iterdir()]
    (kept,) = [file for file in files if b"Subject: binary" in file]
    assert b"\0" not in kept
    assert kept.count(b"\n") == kept.count(b"\r\n") == kept.count(b"\r")
    assert message_from_bytes(kept).get_payload(decode=True) == octets


# ------------------------------------------------------------ parameters and addresses


@pytest.mark.parametrize(
    "parameters",
    [
        b" ".join(b"P%d=1" % number for number in range(250)),
        b"SIZE=" + b"9" * 1900,
        b"SIZE=\xd9\xa3 SMTPUTF8",
        b"BODY=8BITMIME BODY=8BITMIME",
        b"SMTPUTF8 SMTPUTF8",
        b"=" * 1000,
        b"AUTH=" + b"+41" * 600,
        b"RET=FULL ENVID=" + b"x" * 1000,
        b"HOLDFOR=1",
        b"REQUIRETLS",
        b"\x00=\x00",
        b"SIZE=1\x0bBODY=7BIT X",
    ],
)
def test_no_parameters_do_more_than_be_refused(server: LiveServer, parameters: bytes) -> None:
    with raw(server, "smtp") as client:
        client.send(b"EHLO x\r\n")
        client.until(b"250 ")
        assert client.ask(b"MAIL FROM:<a@example.com> " + parameters)[:1] == b"5"
        assert client.ask(b"MAIL FROM:<a@example.com>").startswith(b"250")


@pytest.mark.parametrize(
    "path",
    [
        b"\xc0\xafbob@example.org",  # overlong
        b"\xed\xa0\x80@example.org",  # a surrogate
        b"\xf4\x90\x80\x80@example.org",  # beyond Unicode
        b"\xc3@example.org",  # unfinished
        b"bob\xc2\x85@example.org",  # a line end to some
        b"bob\xe2\x80\xa8@example.org",
        "\u202ebob@example.org".encode(),  # turns the direction of writing
        "bob\u200b@example.org".encode(),  # no width
        "ｂｏｂ@example.org".encode(),  # wide letters
        "bob@example．org".encode(),
        "bob@\u202eexample.org".encode(),
        "é/../../bob@example.org".encode(),
        ("é" * 33 + "@example.org").encode(),  # 66 octets
        ("bob@" + "é" * 60 + ".org").encode(),
    ],
)
def test_no_form_of_utf8_is_a_way_in_or_out(server: LiveServer, path: bytes) -> None:
    with raw(server, "smtp") as client:
        client.send(b"EHLO x\r\n")
        client.until(b"250 ")
        assert client.ask(b"MAIL FROM:<a@example.com> SMTPUTF8").startswith(b"250")
        assert client.ask(b"RCPT TO:<%b>" % path)[:1] == b"5"
    accounts = server.folder / "state" / "mail"
    assert {path.name for path in accounts.glob("*")} <= {"example.org", "example.net"}
    assert {path.name for path in accounts.glob("*/*")} <= {"alice", "bob", "carol"}
