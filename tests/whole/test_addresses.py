"""Programs and mailing lists on the real server, over its ports and with its control command."""

import smtplib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole.live import LiveServer
from tests.whole.queued import wait_until_empty
from twisted_mail.config import load
from twisted_mail.control import main
from twisted_mail.directory.editing.editor import DirectoryEditor

ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.net"
NEWS, TICKETS = "news@example.org", "tickets@example.org"
PROGRAM = """
[[program]]
name = "ticket"
command = ["/bin/sh", "-c", "cat > {out}/$MESSAGE.part && mv {out}/$MESSAGE.part {out}/$MESSAGE.got"]
"""

pytestmark = pytest.mark.whole


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    with tempfile.TemporaryDirectory() as out:
        Path(out).chmod(0o777)  # for nobody, where the tests run as root
        (tmp_path / "out").symlink_to(out)
        live = LiveServer(tmp_path, PROGRAM.format(out=out))
        with register(live) as directory:
            directory.lists.add_members(NEWS, [CAROL])  # beside alice and bob
        yield live
        live.stop()


def register(live: LiveServer) -> DirectoryEditor:
    config = load(live.folder / "mail.toml")
    return DirectoryEditor(config.accounts_file, config.passwords, config.domains)


def send(live: LiveServer, *recipients: str, sender: str = ALICE) -> None:
    with smtplib.SMTP("127.0.0.1", live.ports["smtp"], timeout=10) as client:
        client.sendmail(sender, recipients, "Subject: hello\n\nbody\n")


def inbox(live: LiveServer, account: str) -> list[str]:
    return [path.read_text() for path in (live.maildir(account) / "new").glob("*")]


def wait_for(live: LiveServer, account: str, count: int) -> list[str]:
    for _ in range(200):
        found = inbox(live, account) if (live.maildir(account) / "new").exists() else []
        if len(found) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{account} has {len(found)} messages of {count}")


def got(folder: Path) -> list[str]:
    for _ in range(200):
        if found := list((folder / "out").glob("*.got")):
            return [path.read_text() for path in found]
        time.sleep(0.05)
    raise AssertionError("the program got nothing")


def test_a_program_and_an_account_get_one_message_each(server: LiveServer) -> None:
    send(server, TICKETS, ALICE)
    assert len(wait_for(server, ALICE, 1)) == 1
    (text,) = got(server.folder)
    assert text.startswith(f"Return-Path: <{ALICE}>\nDelivered-To: {TICKETS}\nReceived: ")
    assert text.endswith("\n\nbody\n")
    assert len(inbox(server, ALICE)) == 1


def test_a_post_reaches_all_members(server: LiveServer) -> None:
    send(server, NEWS)
    for account in (ALICE, BOB, CAROL):
        (text,) = wait_for(server, account, 1)
        assert "List-Id: <news.example.org>" in text
    with pytest.raises(smtplib.SMTPDataError, match="Only members"):
        send(server, NEWS, sender="eve@elsewhere.example")


def test_what_was_taken_is_done_after_a_restart(server: LiveServer) -> None:
    send(server, NEWS, TICKETS)
    server.stop()
    server.start()
    for account in (ALICE, BOB, CAROL):
        assert len(wait_for(server, account, 1)) == 1
    assert len(got(server.folder)) == 1


def test_a_held_post_is_approved_with_the_control_command(
    server: LiveServer, capsys: pytest.CaptureFixture[str]
) -> None:
    def command(*words: str) -> str:
        assert main.main(["--config", str(server.folder / "mail.toml"), *words]) == 0
        return capsys.readouterr().out

    command("list", "set", NEWS, "--moderated", "yes", "--owner", CAROL)
    send(server, NEWS)
    (letter,) = wait_for(server, CAROL, 1)
    assert "waits for a word" in letter
    (line,) = command("list", "held").splitlines()[1:]
    command("list", "approve", line.split()[0])
    assert len(wait_for(server, BOB, 1)) == 1
    wait_until_empty(server.folder / "state")
