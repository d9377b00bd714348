import pytest
from twisted.logger import formatEvent, globalLogPublisher

from twisted_mail.interfaces import Peer
from twisted_mail.log import LogJournal
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
    )
    LogJournal().received(envelope, 5)
    assert "from=<a@client.example> to=<b@example.org>,<c@example.org> size=5" in lines[0]
    assert " host=192.0.2.1 " in lines[0]


def test_a_refusal_before_there_is_a_message_has_no_empty_name(lines):
    LogJournal().refused("smtp", CLIENT, "", "550 5.7.1 No")
    LogJournal().refused("smtp", CLIENT, "1", "550 5.7.1 No")
    assert lines == [
        "smtp refused 192.0.2.1: 550 5.7.1 No",
        "1: smtp refused 192.0.2.1: 550 5.7.1 No",
    ]


def test_a_client_over_a_unix_socket_is_called_so(lines):
    LogJournal().logged_in("lmtp", LOCAL, "alice@example.org")
    assert lines == ["lmtp: alice@example.org logged in from unix"]


def test_an_attempt_has_its_reason_if_there_is_one(lines):
    LogJournal().tried("1-1", "|ticket", "done", "")
    LogJournal().tried("1-1", "|ticket", "later", "too slow")
    assert lines == ["1-1: |ticket: done", "1-1: |ticket: later: too slow"]


def test_lines_go_to_the_mail_log_where_there_is_one(lines):
    written = []
    journal = LogJournal(notes_connections=True, write=written.append)
    journal.connected("smtp", CLIENT)
    journal.delivered("1", ["alice@example.org", "bob@example.org"])
    journal.login_failed("imap", CLIENT, "x" * 200)
    journal.indexed("alice@example.org", "INBOX", 5, 10)
    journal.disconnected("smtp", CLIENT, "quit")
    assert lines == []
    assert written == [
        "smtp: connection from 192.0.2.1",
        "1: delivered to alice@example.org, bob@example.org",
        f"imap: login as '{'x' * 100}' refused from 192.0.2.1",
        "alice@example.org: 5 of 10 messages of INBOX are indexed for SEARCH",
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
