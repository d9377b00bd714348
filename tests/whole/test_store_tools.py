"""``twisted-mail store`` as people run it: a process of its own, beside the running server.

``TWISTED_MAIL_MESSAGES=10000`` makes the mailboxes larger than they are in everyday runs.
"""

import imaplib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.corpus import Sample, mails
from tests.whole.clients import imap
from tests.whole.live import HOSTNAME, LiveServer
from twisted_mail.control.store import mbox
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.message import MemoryBlob, Message

NUMBER = int(os.environ.get("TWISTED_MAIL_MESSAGES", "1000"))
COMMAND = Path(sys.executable).parent / "twisted-mail"
ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.net"


def start(server: LiveServer, *words: object, password: bool = False) -> subprocess.Popen[bytes]:
    command = [str(COMMAND), "--config", str(server.folder / "mail.toml"), "store"]
    process = subprocess.Popen(
        [*command, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    if password:
        process.stdin.write(b"secret\n")
    process.stdin.close()
    process.stdin = None
    return process


def run(server: LiveServer, *words: object, code: int = 0, password: bool = False) -> Any:
    process = start(server, *words, "--json", password=password)
    out, err = process.communicate(timeout=600)
    assert process.returncode == code, (out, err)
    assert b"Traceback" not in err
    return json.loads(out)


def kill_often(server: LiveServer, folder: Path, *words: object, password: bool = False) -> int:
    """Run a command to its end, though it is killed each time more files are in ``folder``.

    Returns how often it was killed.
    """
    kills = last = 0
    while True:
        process = start(server, *words, password=password)
        while process.poll() is None:
            time.sleep(0.005)
            if kills < 6 and _number(folder) > last + kills * kills:
                process.send_signal(signal.SIGKILL)
                kills += 1
                break
        out, err = process.communicate()
        last = _number(folder)
        if process.returncode != -signal.SIGKILL:
            assert process.returncode == 0, (out, err)
            return kills


def _number(folder: Path) -> int:
    """Return how many files a folder has, or how large a file is."""
    with suppress(FileNotFoundError):
        return len(os.listdir(folder)) if folder.is_dir() else folder.stat().st_size
    return 0


def mbox_file(path: Path, number: int) -> Path:
    with path.open("wb") as file:
        for each in mails(number):
            file.write(mbox.write(each.data, each.flags, int(each.date.timestamp())))
    return path


def fill(server: LiveServer, account: str, found: list[Sample]) -> None:
    for each in found:
        draft = NewMessage(Message(MemoryBlob(each.data)), normal(each.flags), each.date)
        server.put(account, "INBOX", draft)


def contents(server: LiveServer, account: str, mailbox: str = "INBOX") -> Counter[bytes]:
    """Return the messages of a mailbox as a client reads them."""
    client = imap(server, account)
    _, [number] = client.select(f'"{mailbox}"', readonly=True)
    found: Counter[bytes] = Counter()
    last = int(number or 0)
    for first in range(1, last + 1, 500):
        _, answers = client.fetch(f"{first}:{min(last, first + 499)}", "(BODY.PEEK[])")
        found.update(answer[1] for answer in answers if isinstance(answer, tuple))
    client.logout()
    return found


def told(server: LiveServer, account: str) -> list[str]:
    """Return UIDs, flags and dates of INBOX."""
    client = imap(server, account)
    client.select("INBOX", readonly=True)
    _, answers = client.fetch("1:*", "(UID FLAGS INTERNALDATE)")
    client.logout()
    lines = [answer.decode() for answer in answers if isinstance(answer, bytes)]
    plain = (" ".join(line.replace("\\Recent", "").split()) for line in lines)
    return [line.replace("( ", "(").replace(" )", ")") for line in plain]


def without_uids(lines: list[str]) -> list[str]:
    return sorted(line.partition("FLAGS")[2] for line in lines)


def wanted(number: int) -> Counter[bytes]:
    return Counter(each.data for each in mails(number))


# ---------------------------------------------------------------- import and export


def test_an_import_that_is_killed_often_misses_and_doubles_nothing(
    server: LiveServer, tmp_path: Path
) -> None:
    source = mbox_file(tmp_path / "old.mbox", NUMBER)
    watching = imap(server)
    watching.select("INBOX")
    kills = kill_often(server, server.maildir(BOB) / "cur", "import", BOB, source)
    assert kills > 2
    assert contents(server, BOB) == wanted(NUMBER)
    _, [number] = watching.select("INBOX")
    assert number == b"%d" % NUMBER
    watching.logout()
    assert run(server, "import", BOB, source)["imported"] == 0
    assert run(server, "check", BOB)["findings"] == 0


def test_a_maildir_goes_out_and_comes_back_with_its_uids(
    server: LiveServer, tmp_path: Path
) -> None:
    number = NUMBER // 2
    run(server, "import", BOB, mbox_file(tmp_path / "old.mbox", number))
    client = imap(server)
    client.select("INBOX")
    client.store("2:9", "+FLAGS", "(\\Deleted)")
    client.expunge()
    client.logout()
    assert kill_often(server, tmp_path / "out" / "cur", "export", BOB, tmp_path / "out") > 2
    staged = server.maildir(CAROL).parent / "arriving" / "INBOX" / "cur"
    assert kill_often(server, staged, "import", CAROL, tmp_path / "out") > 2
    assert told(server, CAROL) == told(server, BOB)
    assert contents(server, CAROL) == contents(server, BOB)
    assert run(server, "check")["findings"] == 0


def test_mboxes_go_out_and_come_back(server: LiveServer, tmp_path: Path) -> None:
    fill(server, ALICE, list(mails(50)))
    box = tmp_path / "out" / "INBOX.mbox"
    assert kill_often(server, box, "export", ALICE, tmp_path / "out", "--format", "mbox") > 0
    run(server, "import", BOB, tmp_path / "out")
    assert contents(server, BOB) == wanted(50)


@pytest.mark.parametrize("tls", ["imaps", "imap"])
def test_another_imap_server_is_a_source(server: LiveServer, tmp_path: Path, tls: str) -> None:
    run(server, "import", ALICE, mbox_file(tmp_path / "old.mbox", 300))
    client = imap(server, ALICE)
    client.create('"Lists/K&APY-ln"')
    client.append('"Lists/K&APY-ln"', "(\\Flagged ketchup)", None, b"Subject: x\r\n\r\ny\r\n")
    client.subscribe('"Lists/K&APY-ln"')
    client.logout()
    url = f"{tls}://alice%40example.org@127.0.0.1:{server.ports[tls]}/"
    words: list[object] = [BOB, url, "--password-stdin", "--ca", server.folder / "ca.pem"]
    words += ["--tls-name", HOSTNAME, *(["--starttls"] if tls == "imap" else [])]
    dry = run(server, "import", *words, "--dry-run", password=True)
    assert dry["imported"] == 301
    assert kill_often(server, server.maildir(BOB) / "cur", "import", *words, password=True) > 0
    assert contents(server, BOB) == wanted(300)
    assert without_uids(told(server, BOB)) == without_uids(told(server, ALICE))
    assert sum(contents(server, BOB, "Lists/K&APY-ln").values()) == 1
    assert run(server, "import", *words, password=True)["imported"] == 0


def test_a_wrong_password_and_a_wrong_name_are_told(server: LiveServer) -> None:
    url = f"imaps://nobody@127.0.0.1:{server.ports['imaps']}/"
    authority = server.folder / "ca.pem"
    words: list[object] = ["import", BOB, url, "--password-stdin"]
    answer = run(server, *words, "--ca", authority, code=1, password=True)
    assert "refuses the login" in answer["error"]
    answer = run(server, *words, code=1, password=True)
    assert "cannot prove its name" in answer["error"]
    answer = run(
        server, *words, "--ca", authority, "--tls-name", "other.example", code=1, password=True
    )
    assert "cannot prove its name" in answer["error"]


# ---------------------------------------------------------------- beside a busy server


class Busy:
    """A client that moves messages to and fro, marks them, and adds some, until told to stop."""

    def __init__(self, server: LiveServer, account: str) -> None:
        self._client = imap(server, account)
        self._stop = threading.Event()
        self.turns = 0
        self.failed: list[str] = []
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def _work(self) -> None:
        try:
            while not self._stop.is_set():
                for here, there in (("INBOX", "Archive"), ("Archive", "INBOX")):
                    self._client.select(here)
                    self._ask("store", "1:3", "+FLAGS", "(\\Seen work)")
                    self._client._simple_command("MOVE", "1:3", there)
                    self.turns += 1
        except (OSError, imaplib.IMAP4.error) as error:
            self.failed.append(str(error))

    def _ask(self, command: str, *arguments: str) -> None:
        answer, data = getattr(self._client, command)(*arguments)
        if answer != "OK":
            self.failed.append(f"{command}: {data}")

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()
        self._client.logout()


def test_a_backup_of_a_busy_account_has_every_message_once(
    server: LiveServer, tmp_path: Path
) -> None:
    run(server, "import", ALICE, mbox_file(tmp_path / "old.mbox", NUMBER))
    busy = Busy(server, ALICE)
    try:
        first = run(server, "backup", tmp_path / "backups")
        built = (
            tmp_path
            / "backups"
            / ".unfinished"
            / server.maildir(ALICE).relative_to(server.folder / "state")
        )
        kill_often(server, built / "cur", "backup", tmp_path / "backups")
        checked = run(server, "check", ALICE)
    finally:
        busy.stop()
    assert busy.failed == []
    assert busy.turns > 0
    assert checked["findings"] == 0, checked
    assert first["messages"] == NUMBER
    restored = run(server, "restore", tmp_path / "backups", "--into", tmp_path / "new")
    assert restored["restored"] == NUMBER
    found = Counter(
        path.read_bytes() for path in (tmp_path / "new").rglob("cur/*") if "/Maildir/" in str(path)
    )
    assert found == wanted(NUMBER)


def test_a_restore_beside_the_server_gives_clients_the_same_mailbox(
    server: LiveServer, tmp_path: Path
) -> None:
    run(server, "import", ALICE, mbox_file(tmp_path / "old.mbox", NUMBER // 4))
    before = told(server, ALICE)
    run(server, "backup", tmp_path / "backups")
    client = imap(server, ALICE)
    client.select("INBOX")
    client.store("1:*", "+FLAGS", "(\\Deleted)")
    client.expunge()
    client.logout()
    staged = server.maildir(ALICE).parent / "arriving" / "INBOX" / "cur"
    assert kill_often(server, staged, "restore", tmp_path / "backups", ALICE) > 0
    assert told(server, ALICE) == before


def test_undelete_is_seen_by_an_open_session(server: LiveServer) -> None:
    fill(server, BOB, list(mails(3)))
    client = imap(server)
    client.select("INBOX")
    client.store("2", "+FLAGS", "(\\Deleted)")
    client.expunge()
    assert run(server, "undelete", BOB)["mailboxes"]["INBOX"] == [{"old_uid": 2, "uid": 4}]
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and sum(contents(server, BOB).values()) < 3:
        time.sleep(0.1)
    assert contents(server, BOB) == wanted(3)
    client.logout()


def test_repair_and_reindex_beside_an_open_session(server: LiveServer) -> None:
    fill(server, BOB, list(mails(20)))
    before = told(server, BOB)
    client = imap(server)
    client.select("INBOX")
    run(server, "reindex", BOB)
    run(server, "repair", BOB)
    _, answers = client.fetch("1:*", "(UID)")
    assert len(answers) == 20
    assert client.store("1", "+FLAGS", "(\\Flagged)")[0] == "OK"
    client.logout()
    assert len(told(server, BOB)) == len(before)
    assert run(server, "check", BOB)["findings"] == 0


def test_a_message_whose_octets_a_repair_changes_is_another_one_for_an_open_session(
    server: LiveServer,
) -> None:
    fill(server, BOB, list(mails(2)))
    data = b"Subject: x\n\ny\n"
    tmp = server.maildir(BOB) / "tmp" / "1.M1P1.host"
    tmp.write_bytes(data)  # as it was once kept: LF, and a name that takes them for CRLF
    tmp.rename(server.maildir(BOB) / "cur" / f"1.M1P1.host,S={len(data)},W={len(data)}:2,S")
    client = imap(server)
    assert client.select("INBOX")[1] == [b"3"]
    assert client.fetch("3", "(UID RFC822.SIZE)")[1] == [b"3 (UID 3 RFC822.SIZE 14)"]
    assert run(server, "repair", BOB)["accounts"][0]["left"] == []
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and client.response("EXPUNGE")[1] == [None]:
        time.sleep(0.1)
        client.noop()
    assert client.response("EXISTS")[1][-1] == b"3"
    answer = client.fetch("3", "(UID RFC822.SIZE FLAGS)")[1]
    assert answer == [b"3 (UID 4 RFC822.SIZE 17 FLAGS (\\Seen \\Recent))"]
    client.logout()
