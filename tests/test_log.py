import pytest
from twisted.logger import formatEvent, globalLogPublisher

from twisted_mail.interfaces import Peer, TlsInfo
from twisted_mail.log import MAX_LINE, LogJournal
from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope

CLIENT, LOCAL = Peer("192.0.2.1", 40000), Peer("", 0)


@pytest.fixture
def lines():
    found = []

    def note(event):
        found.append(formatEvent(event))

    globalLogPublisher.addObserver(note)
    yield found
    globalLogPublisher.removeObserver(note)


def test_the_recipients_of_a_message_are_named_like_its_sender(lines):
    envelope = Envelope(
        id="1",
        sender=parse("a@client.example"),
        recipients=(parse("b@example.org"), parse("c@example.org")),
        client_host="192.0.2.1",
        tls="TLSv1.3/TLS_AES_128_GCM_SHA256",
        message_id="<x@client.example>",
    )
    LogJournal().received(envelope, 5)
    assert "from=<a@client.example> to=<b@example.org>,<c@example.org> size=5" in lines[0]
    assert " host=192.0.2.1 " in lines[0]
    assert lines[0].endswith(" tls=TLSv1.3/TLS_AES_128_GCM_SHA256 message-id=<x@client.example>")


def test_a_refusal_before_there_is_a_message_has_no_empty_name(lines):
    LogJournal().refused("smtp", CLIENT, "", "550 5.7.1 No")
    LogJournal().refused("smtp", CLIENT, "1", "550 5.7.1 No")
    assert lines == [
        "smtp refused 192.0.2.1: 550 5.7.1 No",
        "1: smtp refused 192.0.2.1: 550 5.7.1 No",
    ]


def test_a_client_over_a_unix_socket_is_called_so(lines):
    LogJournal().logged_in("lmtp", LOCAL, "alice@example.org", "PLAIN", None)
    assert lines == ["lmtp: alice@example.org logged in from unix mechanism=PLAIN tls=none"]


def test_an_attempt_has_its_reason_if_there_is_one(lines):
    LogJournal().tried("1-1", "|ticket", "done", "")
    LogJournal().tried("1-1", "|ticket", "later", "too slow")
    assert lines == ["1-1: |ticket: done", "1-1: |ticket: later: too slow"]


def test_lines_go_to_the_mail_log_where_there_is_one(lines):
    written = []
    journal = LogJournal(notes_connections=True, write=written.append)
    journal.connected("smtp", CLIENT)
    journal.delivered("1", ["alice@example.org", "bob@example.org"], "INBOX")
    journal.login_failed("imap", CLIENT, "x" * 200)
    journal.indexed("alice@example.org", "INBOX", 5, 10)
    journal.rendered("alice@example.org", "INBOX", 6, 10)
    journal.disconnected("smtp", CLIENT, "quit")
    assert lines == []
    assert written == [
        "smtp: connection from 192.0.2.1",
        "1: delivered to alice@example.org, bob@example.org mailbox=INBOX",
        f"imap: login as '{'x' * 100}' refused from 192.0.2.1",
        "alice@example.org: 5 of 10 messages of INBOX are indexed for SEARCH",
        "alice@example.org: 6 of 10 messages of INBOX are prepared for lists",
        "smtp: 192.0.2.1 gone: quit",
    ]


def test_bugs_go_to_the_log_of_all_programs(lines):
    written = []
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        LogJournal(write=written.append).failed("smtp")
    assert written == []
    assert "smtp failed: this is a bug" in lines[0]


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("\r\n1: received", r"\r\n1: received"),
        ("\x1b[2J\x07\x00\x7f\t", r"\x1b[2J\x07\x00\x7f\t"),
        ("\x9b1m\x85", r"\x9b1m\x85"),  # C1: a terminal's escapes in one character, and a line end
        ("a\u202eb\u2066c", r"a\u202eb\u2066c"),  # what turns the direction
        ("\u2028\u2029\u200b\ufeff", r"\u2028\u2029\u200b\ufeff"),
        ("\udcff", r"\udcff"),  # octets that are no UTF-8
        ("jos\xe9 \u6f22", "jos\xe9 \u6f22"),
    ],
)
def test_what_others_say_is_one_line_of_visible_characters(lines, said, written):
    journal = LogJournal()
    journal.tried("1", "|ticket", "later", said)
    journal.warned("ticket", said)
    journal.refused("smtp", CLIENT, "1", said)
    assert lines == [
        f"1: |ticket: later: {written}",
        f"ticket {written}",
        f"1: smtp refused 192.0.2.1: {written}",
    ]


def test_the_mail_log_has_the_same_escapes():
    written = []
    LogJournal(write=written.append).warned("ticket", "a\nb")
    assert written == [r"ticket a\nb"]


def test_a_line_has_a_length():
    written = []
    LogJournal(write=written.append).warned("x", "y" * (MAX_LINE + 8))
    assert written == [f"x {'y' * (MAX_LINE - 2)}... (10 more)"]


def test_a_login_has_its_mechanism_and_tls(lines):
    tls_info = TlsInfo("TLSv1.3", "TLS_AES_128_GCM_SHA256", 128)
    LogJournal().logged_in("imap", CLIENT, "alice@example.org", "PLAIN", tls_info)
    who = "imap: alice@example.org logged in from 192.0.2.1"
    assert lines == [f"{who} mechanism=PLAIN tls=TLSv1.3/TLS_AES_128_GCM_SHA256"]
