"""Several sessions on one account see each other's changes."""

import poplib
import socket
import ssl
from typing import Any

import pytest

from tests.whole.clients import hello, imap, send
from tests.whole.live import PATIENCE, LiveServer

pytestmark = pytest.mark.whole


def pop3(server: LiveServer, account: str = "bob@example.org") -> poplib.POP3:
    context = ssl.create_default_context(cafile=str(server.folder / "ca.pem"))
    context.check_hostname = False
    client = poplib.POP3_SSL("127.0.0.1", server.ports["pop3s"], context=context, timeout=PATIENCE)
    client.user(account)
    client.pass_("secret")
    return client


def untagged(client: Any, word: str) -> list[bytes]:
    """Return what the client was told without asking, and forget it."""
    return [data for data in client.response(word)[1] or [] if data is not None]


def test_two_imap_sessions_and_a_pop3_session(server: LiveServer) -> None:
    for number in range(3):
        send(server, f"message {number}")
    one, two = imap(server), imap(server)
    assert one.select("INBOX") == ("OK", [b"3"])
    assert two.select("INBOX") == ("OK", [b"3"])

    one.store("2", "+FLAGS", "(\\Flagged)")
    two.noop()
    assert b"\\Flagged" in b"".join(untagged(two, "FETCH"))

    third = pop3(server)
    assert third.stat()[0] == 3
    third.dele(1)
    one.noop()
    assert untagged(one, "EXPUNGE") == []  # deleted only when the POP3 session says QUIT
    third.quit()
    one.noop()
    two.noop()
    assert untagged(one, "EXPUNGE") == [b"1"]
    assert untagged(two, "EXPUNGE") == [b"1"]

    two.store("1", "+FLAGS", "(\\Deleted)")
    two.expunge()
    one.noop()
    assert untagged(one, "EXPUNGE") == [b"1"]
    assert one.fetch("1", "(FLAGS)")[0] == "OK"
    assert pop3(server).stat()[0] == 1


def test_a_pop3_session_keeps_its_numbers_while_others_expunge(server: LiveServer) -> None:
    for number in range(3):
        send(server, f"message {number}")
    drop = pop3(server)
    client = imap(server)
    client.select("INBOX")
    client.store("1", "+FLAGS", "(\\Deleted)")
    client.expunge()
    assert drop.stat()[0] == 3
    with pytest.raises(poplib.error_proto):
        drop.retr(1)
    assert b"Subject: message 2" in drop.retr(3)[1]
    drop.quit()


def test_only_one_pop3_session_holds_the_maildrop(server: LiveServer) -> None:
    send(server, "a message")
    first = pop3(server)
    with pytest.raises(poplib.error_proto, match="IN-USE"):
        pop3(server)
    first.quit()
    pop3(server).quit()


def idle(server: LiveServer) -> tuple[Any, socket.socket]:
    client = imap(server)
    client.select("INBOX")
    client.send(b"i1 IDLE\r\n")
    assert client.readline().startswith(b"+ ")
    return client, client.sock


@pytest.fixture
def patient_server(tmp_path: Any) -> Any:
    """A server that never looks at folders by itself while a client is idle."""
    live = LiveServer(tmp_path, "[imap]\nidle_poll_seconds = 3600\n")
    yield live
    live.stop()


def test_idle_is_told_of_a_delivery_at_once(patient_server: LiveServer) -> None:
    client, _ = idle(patient_server)
    send(patient_server, "news")
    assert client.readline() == b"* 1 EXISTS\r\n"
    assert client.readline() == b"* 1 RECENT\r\n"
    client.send(b"DONE\r\n")
    assert client.readline().startswith(b"i1 OK")


def test_idle_is_told_of_an_append_and_of_flags(patient_server: LiveServer) -> None:
    client, _ = idle(patient_server)
    other = imap(patient_server)
    other.append("INBOX", "(\\Seen)", None, hello("appended").encode())
    assert client.readline() == b"* 1 EXISTS\r\n"
    client.readline()
    other.select("INBOX")
    other.store("1", "+FLAGS", "($Junk)")
    told = client.readline()
    while b"FETCH" not in told:
        told = client.readline()
    assert b"$Junk" in told


def test_idle_is_told_of_what_another_program_puts_into_the_maildir(server: LiveServer) -> None:
    client, _ = idle(server)
    maildir = server.maildir("bob@example.org")
    (maildir / "tmp" / "1.1.elsewhere").write_bytes(hello("dropped in").encode())
    (maildir / "tmp" / "1.1.elsewhere").rename(maildir / "new" / "1.1.elsewhere")
    assert client.readline() == b"* 1 EXISTS\r\n"
    client.readline()
    [file] = [path for folder in ("new", "cur") for path in (maildir / folder).iterdir()]
    file.rename(maildir / "cur" / "1.1.elsewhere:2,FS")
    told = client.readline()
    while b"FETCH" not in told:
        told = client.readline()
    assert b"\\Flagged" in told
    assert b"\\Seen" in told
