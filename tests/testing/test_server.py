"""The server in memory: what goes in, what comes out, and real clients over TCP."""

import imaplib
import poplib
import smtplib
import ssl
import threading
from email.message import EmailMessage
from typing import Any

import pytest
from twisted.internet.protocol import Factory, Protocol

from twisted_mail.plugin import ServerBackend
from twisted_mail.plugins.protocols import ImapProtocol
from twisted_mail.testing.connection import MemoryConnection
from twisted_mail.testing.received import ReceivedMessage
from twisted_mail.testing.server import MailServer

ALICE, BOB = "alice@example.org", "bob@example.org"
TEXT = "Subject: hi\n\nhello\n"


def send(connection: MemoryConnection, *recipients: str, text: str = TEXT) -> list[str]:
    """Send a message by hand; return the reply to its end."""
    connection.command("HELO client.example", "MAIL FROM:<me@client.example>")
    connection.command(*(f"RCPT TO:<{recipient}>" for recipient in recipients), "DATA")
    return connection.command(*text.splitlines(), ".")


def test_a_message_is_taken_as_a_value_and_lies_in_the_inbox() -> None:
    with MailServer() as server:
        [reply] = send(server.connect("smtp"), ALICE, BOB)
        assert reply.startswith("250 2.0.0 Ok")
        [message] = server.messages
        assert message.sender == "me@client.example"
        assert message.recipients == [ALICE, BOB]
        assert message.content == b"Subject: hi\r\n\r\nhello\r\n"
        assert message.trace.startswith(b"Received: from client.example")
        assert message.parsed()["Subject"] == "hi"
        assert message.parsed().get_content() == "hello\n"
        [stored] = server.mailbox(ALICE)
        assert stored.content.endswith(message.trace + message.content)
        assert stored.date.isoformat() == "2001-09-09T01:46:40+00:00"
        assert [stored.content for stored in server.mailbox(BOB)] == [stored.content]


def test_mail_for_other_domains_is_kept_and_goes_nowhere() -> None:
    with MailServer() as server:
        send(server.connect("smtp"), "someone@elsewhere.example")
        assert server.messages[0].recipients == ["someone@elsewhere.example"]


def test_mail_for_other_domains_is_refused_if_so_wanted() -> None:
    with MailServer(takes_foreign_mail=False) as server:
        client = server.connect("smtp")
        client.command("HELO client.example", "MAIL FROM:<>")
        [reply] = client.command("RCPT TO:<someone@elsewhere.example>")
        assert reply.startswith("550")
        assert not server.messages


def test_an_unknown_address_of_a_domain_that_is_here_is_refused() -> None:
    with MailServer() as server:
        client = server.connect("smtp")
        client.command("HELO client.example", "MAIL FROM:<>")
        [reply] = client.command("RCPT TO:<nobody@example.org>")
        assert reply.startswith("550 5.1.1")


def test_an_alias_leads_to_accounts() -> None:
    with MailServer(aliases={"team@example.org": [ALICE, BOB]}) as server:
        send(server.connect("smtp"), "team@example.org")
        assert len(server.mailbox(ALICE)) == len(server.mailbox(BOB)) == 1


def test_lmtp_takes_messages_too() -> None:
    with MailServer() as server:
        client = server.connect("lmtp")
        client.command("LHLO client.example", "MAIL FROM:<>", f"RCPT TO:<{ALICE}>", "DATA")
        client.command("Subject: hi", "", ".")
        assert [message.recipients for message in server.messages] == [[ALICE]]


def test_messages_are_there_beforehand() -> None:
    letter = EmailMessage()
    letter["Subject"] = "Grüße"
    letter.set_content("hello")
    with MailServer(messages={ALICE: [TEXT, letter, b"Subject: 3\r\n\r\n"]}) as server:
        assert [message.uid for message in server.mailbox(ALICE)] == [1, 2, 3]
        assert server.mailbox(ALICE)[1].parsed()["Subject"] == "Grüße"
        assert not server.messages


def test_a_message_is_put_with_flags_into_a_mailbox_that_was_made() -> None:
    with MailServer() as server:
        server.create_mailbox(ALICE, "Work")
        server.put(ALICE, TEXT, "Work", ["\\seen"])
        assert server.mailbox(ALICE, "Work")[0].flags == {"\\Seen"}


def test_only_accounts_have_mailboxes() -> None:
    with MailServer() as server, pytest.raises(LookupError, match="nobody@example"):
        server.put("nobody@example.org", TEXT)


def test_an_account_can_be_added() -> None:
    with MailServer({}) as server:
        server.add_account("Carol@example.net", "word")
        client = server.connect("pop3")
        assert client.command("USER carol@example.net", "PASS word")[-1].startswith("+OK")


def test_an_account_is_an_address() -> None:
    with pytest.raises(ValueError, match="needs an @"):
        MailServer({"alice": "secret"})


def test_a_wrong_password_is_answered_at_once() -> None:
    with MailServer() as server:
        client = server.connect("imap")
        assert client.command("1 LOGIN alice wrong")[-1].startswith("1 NO")


def test_passwords_in_clear_can_be_refused() -> None:
    with MailServer(takes_cleartext_passwords=False) as server:
        client = server.connect("imap", tls="starttls")
        assert client.command("1 LOGIN alice secret")[-1].startswith("1 NO")
        assert client.command("2 STARTTLS")[-1].startswith("2 OK")
        assert client.transport.is_tls
        assert client.command("3 LOGIN alice secret")[-1].startswith("3 OK")


def test_settings_are_those_of_the_configuration() -> None:
    with MailServer(settings={"smtp": {"max_recipients": 1}}) as server:
        client = server.connect("smtp")
        client.command("HELO client.example", "MAIL FROM:<>")
        replies = client.command(f"RCPT TO:<{ALICE}>", f"RCPT TO:<{BOB}>")
        assert [reply[:3] for reply in replies] == ["250", "452"]


def test_time_stands_still_until_it_is_moved() -> None:
    with MailServer() as server:
        client = server.connect("imap")
        client.lines()
        server.advance(10 * 60)
        assert client.lines()[-1].startswith("* BYE")
        assert client.is_closed


def test_what_the_server_would_log_is_there() -> None:
    with MailServer() as server:
        server.connect("pop3")
        assert server.events[0][0] == "connected"
        assert not server.bugs


def test_a_failure_of_the_server_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("twisted_mail.testing.backend.RecordingQueue._read", fail)
    server = MailServer()
    with pytest.raises(RuntimeError, match="ZeroDivisionError"), server:
        assert send(server.connect("smtp"), ALICE)[0].startswith("451")


def test_a_protocol_is_made_once_for_all_its_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    make = ImapProtocol.make

    def count(protocol: ImapProtocol, settings: Any, backend: ServerBackend) -> Any:
        made.append(settings)
        return make(protocol, settings, backend)

    monkeypatch.setattr(ImapProtocol, "make", count)
    with MailServer(settings={"imap": {"max_size": 1000}}) as server:
        clients = [server.connect("imap") for _ in range(3)]
        assert all(client.line().startswith("* OK") for client in clients)
    assert [settings.max_size for settings in made] == [1000]


def test_servers_do_not_know_each_other() -> None:
    with MailServer() as one, MailServer() as other:
        send(one.connect("smtp"), ALICE)
        assert one.address("smtp") != other.address("smtp")
        assert len(one.messages) == 1
        assert not other.messages


# ---------------------------------------------------------------- over TCP


def test_smtplib_imaplib_and_poplib_work_over_tcp() -> None:
    with MailServer() as server:
        with smtplib.SMTP(*server.address("smtp")) as smtp:
            assert smtp.sendmail("me@client.example", [ALICE], TEXT) == {}
        with imaplib.IMAP4(*server.address("imap")) as imap:
            imap.login("alice", "secret")
            assert imap.select() == ("OK", [b"1"])
            imap.store("1", "+FLAGS", "\\Flagged")
        pop = poplib.POP3(*server.address("pop3"))
        pop.user(BOB)
        pop.pass_("secret")
        assert pop.stat() == (0, 0)
        pop.quit()
        assert server.mailbox(ALICE)[0].flags == {"\\Flagged"}


def test_tls_works_over_tcp() -> None:
    with MailServer(takes_cleartext_passwords=False) as server:
        trust = server.client_context()
        with smtplib.SMTP(*server.address("submission", tls="starttls")) as smtp:
            smtp.starttls(context=trust)
            smtp.login(BOB, "secret")
            smtp.sendmail(BOB, [ALICE], TEXT)
        with imaplib.IMAP4_SSL(*server.address("imap", tls="implicit"), ssl_context=trust) as imap:
            imap.login("alice", "secret")
            assert imap.select() == ("OK", [b"1"])


def test_a_client_without_our_certificate_does_not_trust_it() -> None:
    with MailServer() as server, pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL(
            *server.address("imap", tls="implicit"), ssl_context=ssl.create_default_context()
        )


def test_a_port_is_opened_once() -> None:
    with MailServer() as server:
        assert server.address("smtp") == server.address("smtp")


def test_a_server_that_was_closed_can_be_used_again() -> None:
    server = MailServer()
    for count in (1, 2):
        with smtplib.SMTP(*server.address("smtp")) as smtp:
            smtp.sendmail("", [ALICE], TEXT)
        server.close()
        assert len(server.mailbox(ALICE)) == count


def test_a_closed_server_takes_clients_of_another_kind() -> None:
    server = MailServer()
    server.endpoint("smtp").connect(Factory.forProtocol(Protocol))
    server.close()
    with smtplib.SMTP(*server.address("smtp")) as smtp:
        assert smtp.sendmail("", [ALICE], TEXT) == {}
    server.close()
    assert send(server.connect("smtp"), ALICE)[0].startswith("250")
    server.close()


def test_a_test_waits_for_what_another_thread_sends() -> None:
    with MailServer() as server:
        host, port = server.address("smtp")

        def deliver() -> None:
            with smtplib.SMTP(host, port) as smtp:
                smtp.sendmail("", [ALICE], TEXT)

        sender = threading.Thread(target=deliver)
        sender.start()
        [message] = server.wait_for_messages()
        sender.join()
        assert isinstance(message, ReceivedMessage)


def test_waiting_for_messages_has_an_end() -> None:
    with MailServer() as server, pytest.raises(TimeoutError, match="0 of 1"):
        server.wait_for_messages(timeout=0)


def test_time_is_moved_over_tcp_too() -> None:
    with MailServer() as server:
        imap = imaplib.IMAP4(*server.address("imap"))
        server.advance(10 * 60)
        with pytest.raises(imaplib.IMAP4.abort):
            imap.noop()
        imap.shutdown()


def test_lines_by_hand_work_while_there_are_ports() -> None:
    with MailServer() as server:
        server.address("smtp")
        assert send(server.connect("smtp"), ALICE)[0].startswith("250")
