"""mutt: over IMAP and POP3, sending by SMTP, and on the maildir itself while the server serves it."""

import mailbox
import threading
from pathlib import Path

import pytest

from tests.whole.clients import imap, run, run_in_terminal, send, subjects
from tests.whole.live import LiveServer, needs

pytestmark = pytest.mark.whole

CONFIG = """\
set folder = "{folder}"
set certificate_file = "{ca}"
set ssl_starttls = yes
set ssl_force_tls = {force}
set imap_user = "bob@example.org"
set imap_pass = "secret"
set pop_user = "bob@example.org"
set pop_pass = "secret"
set pop_last = no
set pop_delete = no
set smtp_url = "smtp://alice@example.org@localhost:{submission}/"
set smtp_pass = "secret"
set from = "alice@example.org"
set copy = no
set record = ""
set move = no
set confirmappend = no
set confirmcreate = no
set delete = yes
set quit = yes
set wait_key = no
set mail_check = 1
set sleep_time = 0
set mark_old = no
set beep = no
set header_cache = ""
"""


def mutt(server: LiveServer, tmp_path: Path, *arguments: str, force: str = "yes") -> list[str]:
    file = tmp_path / "muttrc"
    values = {
        "folder": tmp_path,
        "ca": server.folder / "ca.pem",
        "submission": server.ports["submission"],
    }
    file.write_text(CONFIG.format(force=force, **values))
    return [needs("mutt"), "-n", "-F", str(file), *arguments]


@pytest.mark.parametrize("listener", ["imap", "imaps"])
def test_mutt_reads_and_flags_over_imap(server: LiveServer, tmp_path: Path, listener: str) -> None:
    send(server, "for mutt")
    send(server, "another")
    folder = f"{listener}://localhost:{server.ports[listener]}/INBOX"
    keys = f"<first-entry><copy-message><kill-line>{tmp_path}/copied<enter><flag-message>"
    keys += "<next-entry><delete-message><quit>"
    run_in_terminal(mutt(server, tmp_path, "-f", folder, "-e", f"push '{keys}'"), tmp_path)
    assert [message["Subject"] for message in mailbox.mbox(tmp_path / "copied")] == ["for mutt"]
    assert subjects(server) == ["for mutt"]
    client = imap(server)
    client.select("INBOX", readonly=True)
    assert client.search(None, "FLAGGED") == ("OK", [b"1"])


def test_mutt_reads_over_pop3(server: LiveServer, tmp_path: Path) -> None:
    send(server, "popped")
    folder = f"pops://localhost:{server.ports['pop3s']}/"
    keys = f"<first-entry><copy-message><kill-line>{tmp_path}/copied<enter><quit>"
    run_in_terminal(mutt(server, tmp_path, "-f", folder, "-e", f"push '{keys}'"), tmp_path)
    assert [message["Subject"] for message in mailbox.mbox(tmp_path / "copied")] == ["popped"]
    assert subjects(server) == ["popped"]


def test_mutt_sends(server: LiveServer, tmp_path: Path) -> None:
    attached = tmp_path / "notes.bin"
    attached.write_bytes(bytes(range(256)) * 100)
    command = mutt(server, tmp_path, "-s", "with a file", "-a", str(attached), "--")
    run([*command, "bob@example.org", "carol@example.net"], tmp_path, "Have a look.\n")
    assert subjects(server) == ["with a file"]
    assert subjects(server, "carol@example.net") == ["with a file"]


def test_mutt_on_the_maildir_and_the_server_together_lose_and_double_nothing(
    server: LiveServer, tmp_path: Path
) -> None:
    for number in range(40):
        send(server, f"before {number}")
    maildir = server.maildir("bob@example.org")
    failures: list[BaseException] = []
    is_open = threading.Event()

    def deliver_and_flag() -> None:
        try:
            client = imap(server)
            client.select("INBOX")
            is_open.set()
            for number in range(60):
                send(server, f"during {number}")
                client.uid("STORE", str(number % 40 + 1), "+FLAGS", "(\\Answered)")
                client.noop()
            client.logout()
        except BaseException as error:
            failures.append(error)

    other = threading.Thread(target=deliver_and_flag)
    other.start()
    assert is_open.wait(30)
    flag = "<tag-pattern>~s before<enter><tag-prefix><set-flag>!<sync-mailbox>"
    flag += "<tag-prefix><clear-flag>!<sync-mailbox>"
    delete = "<delete-pattern>~s before.3.<enter><sync-mailbox>"
    for keys in (flag, flag, delete):
        quitting = keys + 10 * "<quit>"  # mutt goes on if mail comes in while it closes the mailbox
        command = mutt(server, tmp_path, "-f", str(maildir), "-e", f"push '{quitting}'", force="no")
        run_in_terminal(command, tmp_path)
    other.join(60)
    assert not failures
    assert not other.is_alive()

    left = [f"before {n}" for n in range(40) if not 30 <= n < 40] + [
        f"during {n}" for n in range(60)
    ]
    assert sorted(subjects(server)) == sorted(left)
    files = [file for part in ("new", "cur") for file in (maildir / part).iterdir()]
    assert len(files) == len(left)
    client = imap(server)
    client.select("INBOX", readonly=True)
    assert len(client.search(None, "ANSWERED")[1][0].split()) == 30
    assert client.search(None, "FLAGGED") == ("OK", [b""])
