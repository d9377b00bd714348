"""Dovecot serves a maildir, then this server, then Dovecot again: nobody notices, and nothing is lost."""

import email.utils
import hashlib
import imaplib
import os
import poplib
import random
import re
import shutil
import smtplib
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tests.whole.clients import hello, run_in_terminal
from tests.whole.live import PATIENCE, LiveServer, needs
from tests.whole.peers import Dovecot, give
from tests.whole.process import select_nothing
from twisted_mail.store.durable import Disk

pytestmark = pytest.mark.whole

BOB = "bob@example.org"
SINCE = 1_600_000_000  # internal dates begin here

# Names as Dovecot writes them, with dots between levels.
FOLDERS = {
    "INBOX": 550,
    "Sent": 100,
    "Projects.2024.Mail": 80,
    "Projects.2024": 40,
    "INBOX.below": 20,
    "Entw&APw-rfe.Sp&AOQ-ter": 60,
    "&ZeVnLIqe-": 30,
    "R&-D": 20,
    'q"uo*te%d': 20,
    r"back\slash": 20,
    r"back\2fslash": 20,
    "a:b ~c": 20,
    "!#$()+,-;<=>?@^_`{|}": 20,
    "Empty": 0,
}
SUBSCRIBED = ("INBOX", "Sent", "Projects.2024", "Entw&APw-rfe.Sp&AOQ-ter", r"back\slash")
FLAGS = (
    "",
    "\\Seen",
    "\\Seen \\Answered $Forwarded",
    "\\Flagged $Junk",
    "\\Draft mine",
    "\\Deleted \\Seen",
    "$NotJunk mine yours",
)


# ---------------------------------------------------------------- ground


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a folder that every user may enter; what this server makes in it belongs to Dovecot too."""
    if os.getuid() == 0:
        monkeypatch.setattr(Disk, "create", _owned(Disk.create))
        monkeypatch.setattr(Disk, "overwrite", _owned(Disk.overwrite))
        monkeypatch.setattr(Disk, "make_folder", _owned(Disk.make_folder))
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def _owned(make: Callable[[Disk, bytes], Any]) -> Callable[[Disk, bytes], Any]:
    def made(disk: Disk, path: bytes) -> Any:
        result = make(disk, path)
        give(Path(os.fsdecode(path)))
        return result

    return made


class Ground:
    """One maildir, and the two servers that may serve it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.live = LiveServer(folder)
        self.live.stop()
        (folder / "state").chmod(0o711)
        self.maildir = self.live.maildir(BOB)
        for path in [*reversed(self.maildir.parents), self.maildir]:
            if not path.exists():
                path.mkdir(0o755)
                give(path)
        self.dovecot = Dovecot(folder / "dovecot", self.maildir)
        self.dovecot.stop()

    @contextmanager
    def dovecot_serves(self) -> Iterator[tuple[imaplib.IMAP4, "Look"]]:
        self.dovecot.start()
        try:
            client = self.imap(self.dovecot.imap_port)
            yield client, Look(self, self.dovecot.imap_port, self.dovecot.pop3_port, ".")
            client.logout()
        finally:
            self.dovecot.stop()

    @contextmanager
    def live_serves(self) -> Iterator[tuple[imaplib.IMAP4, "Look"]]:
        self.live.start()
        try:
            client = self.imap(self.live.ports["imap"])
            yield client, Look(self, self.live.ports["imap"], self.live.ports["pop3"], "/")
            client.logout()
        finally:
            self.live.stop()

    def imap(self, port: int) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", port, timeout=PATIENCE)
        client.login(BOB, "secret")
        return client

    def mbsync(self, port: int) -> str:
        """Synchronise everything with a server; return the counts."""
        near = self.folder / "near"
        near.mkdir(exist_ok=True)
        config = self.folder / "mbsyncrc"
        config.write_text(MBSYNC.format(port=port, folder=near))
        said = run_in_terminal([needs("mbsync"), "-c", str(config), "-a"], self.folder)
        return re.split(r"[\r\n]+", said.strip())[-1]


@pytest.fixture
def ground(folder: Path) -> Ground:
    needs("mbsync")
    return Ground(folder)


MBSYNC = """\
FSync no

IMAPAccount one
Host 127.0.0.1
Port {port}
User bob@example.org
Pass secret
SSLType None
AuthMechs LOGIN

IMAPStore far
Account one

MaildirStore near
Path {folder}/
Inbox {folder}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns * !v1*
Create Near
Expunge None
SyncState *
"""
NOTHING = r"F: \+0/0 \*0/0 #0/0\s+N: \+0/0 \*0/0 #0/0"


# ---------------------------------------------------------------- what a client sees


@dataclass(frozen=True)
class Seen:
    """One mailbox: UIDVALIDITY, UIDNEXT, and for each UID flags, internal date, size and contents."""

    uidvalidity: int
    uidnext: int
    messages: dict[int, tuple[frozenset[str], int, int, str]]


@dataclass(frozen=True)
class View:
    """An account by mailbox name, with slashes between levels."""

    mailboxes: dict[str, Seen]
    subscribed: set[str]
    pop3: dict[str, str] = field(default_factory=dict)  # unique ids: message


def quoted(name: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def names(answer: list[Any], without: str = "") -> Iterator[str]:
    """Yield the names in a list, but for those with an attribute."""
    for line in answer:
        if line is None:
            continue
        text = (b"".join(line) if isinstance(line, tuple) else line).decode()
        match = re.fullmatch(r'\(([^)]*)\) "(.)" (.*)', re.sub(r"\{\d+\}", "", text))
        assert match, text
        if without and without in match[1].split():
            continue
        name = match[3]
        if name.startswith('"'):
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
        yield name.replace(match[2], "/")


@dataclass(frozen=True)
class Look:
    """Looks at the account as a server shows it; ``dot`` stands between levels there."""

    ground: Ground
    imap: int
    pop3: int
    dot: str

    def __call__(self) -> View:
        client = self.ground.imap(self.imap)
        found = list(names(client.list()[1], without="\\Noselect"))
        seen = {name: look(client, name.replace("/", self.dot)) for name in found}
        subscribed = set(names(client.lsub()[1]))
        client.logout()
        return View(seen, subscribed, unique_ids(self.pop3))


def look(client: imaplib.IMAP4, mailbox: str) -> Seen:
    answer, data = client.select(quoted(mailbox), readonly=True)
    assert answer == "OK", (mailbox, data)
    uidvalidity, uidnext = (int(client.response(code)[1][0]) for code in ("UIDVALIDITY", "UIDNEXT"))
    found: list[Any] = []
    if data != [b"0"]:
        found = client.fetch("1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")[1]
    messages = dict(described(*part) for part in found if isinstance(part, tuple))
    client.unselect()
    return Seen(uidvalidity, uidnext, messages)


def described(start: bytes, body: bytes) -> tuple[int, tuple[frozenset[str], int, int, str]]:
    def of(pattern: str) -> str:
        match = re.search(pattern, start.decode())
        assert match, start
        return match[1]

    flags = frozenset(of(r"FLAGS \(([^)]*)\)").split()) - {"\\Recent"}
    date = email.utils.parsedate_tz(of(r'INTERNALDATE "([^"]*)"').replace("-", " "))
    assert date
    size = int(of(r"RFC822.SIZE (\d+)"))
    assert len(body) == size
    content = hashlib.sha256(body).hexdigest()
    return int(of(r"UID (\d+)")), (flags, int(email.utils.mktime_tz(date)), size, content)


def unique_ids(port: int) -> dict[str, str]:
    client = poplib.POP3("127.0.0.1", port, timeout=PATIENCE)
    client.user(BOB)
    client.pass_("secret")
    found = [line.decode().split() for line in client.uidl()[1]]
    sizes = [line.decode().split() for line in client.list()[1]]
    client.quit()
    return {uid: size for (_, uid), (_, size) in zip(found, sizes, strict=True)}


# ---------------------------------------------------------------- filling


def message(name: str) -> bytes:
    """Return a message, some longer, all with lines that are not ASCII."""
    count = sum(name.encode()) % 40
    return (hello(name) + f"A line of {name}, naïve.\r\n" * count).encode()


def literals(mailbox: str, number: int) -> list[bytes]:
    parts = []
    for each in range(number):
        data = message(f"{len(mailbox)}-{ord(mailbox[0])}-{each}")
        date = imaplib.Time2Internaldate(SINCE + each * 86_411)
        flags = FLAGS[each % len(FLAGS)]
        parts.append(f" ({flags}) {date} {{{len(data)}+}}\r\n".encode() + data)
    return parts


def append(client: imaplib.IMAP4, mailbox: str, parts: list[bytes]) -> None:
    """Append messages, 50 in one command where that is possible (RFC 3502); imaplib cannot."""
    number = 50 if "MULTIAPPEND" in client.capabilities else 1
    for start in range(0, len(parts), number):
        tag = client._new_tag()
        command = tag + b" APPEND " + quoted(mailbox).encode()
        client.send(command + b"".join(parts[start : start + number]) + b"\r\n")
        answer, said = client._command_complete("APPEND", tag)
        assert answer == "OK", said


def done(answer: tuple[str, Any]) -> Any:
    assert answer[0] == "OK", answer
    return answer[1]


def serve_first(client: imaplib.IMAP4) -> None:
    """Have 1,000 messages, with gaps between their UIDs, and subscriptions."""
    for mailbox, number in FOLDERS.items():
        spare = range(3, number, 10)
        if mailbox != "INBOX":
            done(client.create(quoted(mailbox)))
        append(client, mailbox, literals(mailbox, number + len(spare)))
        done(client.select(quoted(mailbox)))
        if spare:
            uids = ",".join(map(str, spare))
            done(client.uid("STORE", uids, "+FLAGS.SILENT", "(\\Deleted gone)"))
            done(client.uid("EXPUNGE", uids))
        client.unselect()
    for mailbox in SUBSCRIBED:
        done(client.subscribe(quoted(mailbox)))


def change(client: imaplib.IMAP4) -> None:
    """Alter everything that can be altered, through this server."""
    done(client.select("INBOX"))
    done(client.uid("STORE", "1:40", "+FLAGS", "(\\Flagged fresh)"))
    done(client.uid("STORE", "20:60", "-FLAGS", "(mine $Junk \\Seen)"))
    done(client.uid("STORE", "61:70", "FLAGS", "(\\Answered $Phishing yours)"))
    done(client.uid("STORE", "71:80", "+FLAGS", "(\\Deleted)"))
    done(client.uid("EXPUNGE", "71:75"))
    done(client.uid("COPY", "100:120", "Empty"))
    done(client.uid("MOVE", "200:220", quoted("Projects/2024/Mail")))
    client.unselect()
    append(client, "Sent", literals("Sent again", 15))
    done(client.create(quoted("Neu/&AMQ-rger")))
    append(client, "Neu/&AMQ-rger", literals("x", 10))
    done(client.create("v1.2"))
    append(client, "v1.2", literals("v", 3))
    done(client.rename(quoted("Projects/2024"), quoted("Projects/&AMk-t&AOk- 2025")))
    done(client.select(quoted("a:b ~c")))
    done(client.uid("MOVE", "1:*", "Empty"))
    client.unselect()
    done(client.delete(quoted("a:b ~c")))
    done(client.unsubscribe("Sent"))
    done(client.subscribe(quoted("Neu/&AMQ-rger")))


def change_again(client: imaplib.IMAP4) -> None:
    """Alter some of that through Dovecot."""
    done(client.select("INBOX"))
    done(client.uid("STORE", "1:10", "-FLAGS", "(fresh)"))
    done(client.uid("STORE", "30:50", "+FLAGS", "($Phishing third)"))
    done(client.uid("STORE", "300:310", "+FLAGS", "(\\Deleted)"))
    done(client.uid("EXPUNGE", "300:310"))
    done(client.uid("COPY", "320:330", "Empty"))
    client.unselect()
    done(client.select("Empty"))
    done(client.uid("STORE", "1:*", "+FLAGS", "(fourth)"))
    client.unselect()
    done(client.delete("Sent"))
    done(client.create("Sent"))
    append(client, "Sent", literals("Sent anew", 5))
    done(client.rename(quoted("R&-D"), quoted("R&-E")))
    append(client, "INBOX", literals("late", 5))
    done(client.subscribe("Sent"))


def deliver(server: LiveServer, subjects: list[str]) -> None:
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=PATIENCE) as client:
        for subject in subjects:
            client.sendmail("alice@example.net", [BOB], message(subject))


# ---------------------------------------------------------------- there and back


def check_claims(ground: Ground, seen: View) -> None:
    """Check what Dovecot's files and unique ids are said to look like."""
    inbox = seen.mailboxes["INBOX"]
    assert set(seen.pop3) == {f"{uid:08x}{inbox.uidvalidity:08x}" for uid in inbox.messages}
    keywords = (ground.maildir / "dovecot-keywords").read_text().splitlines()
    letters = {chr(ord("a") + int(number)): name for number, name in map(str.split, keywords)}
    files = [path.name.rpartition(",")[2] for path in (ground.maildir / "cur").iterdir()]
    for letter, name in letters.items():
        number = sum(name in flags for flags, *_ in inbox.messages.values())
        assert number == sum(letter in file for file in files), name
    assert {"a", "b", "c", "d"} <= letters.keys()


def check_same(one: View, other: View) -> None:
    """Compare mailbox by mailbox, so that a difference can be read."""
    assert one.mailboxes.keys() == other.mailboxes.keys()
    for name, seen in one.mailboxes.items():
        assert seen == other.mailboxes[name], name
    assert one.subscribed == other.subscribed
    assert one.pop3 == other.pop3


def dotted(found: View) -> View:
    """Return what Dovecot shows as this server shows it: it has no dots in names."""
    mailboxes = {name.replace(r"\2e", "."): seen for name, seen in found.mailboxes.items()}
    return replace(found, mailboxes=mailboxes)


def test_there_and_back(ground: Ground) -> None:
    with ground.dovecot_serves() as (client, dovecot):
        serve_first(client)
        first = dovecot()
        check_claims(ground, first)
        assert sum(len(seen.messages) for seen in first.mailboxes.values()) == 1000
        assert re.search(r"N: \+1000/1000", ground.mbsync(dovecot.imap))

    with ground.live_serves() as (client, live):
        check_same(first, live())
        assert re.search(NOTHING, ground.mbsync(live.imap))
        deliver(ground.live, ["one", "two", "three"])
        change(client)
        second = live()
        for name in ("Projects/2024", "a:b ~c"):  # mbsync cannot follow these
            shutil.rmtree(ground.folder / "near" / name)
        assert re.search(r"N: \+\d\d", ground.mbsync(live.imap))
        assert re.search(NOTHING, ground.mbsync(live.imap))

    with ground.dovecot_serves() as (client, dovecot):
        check_same(second, dotted(dovecot()))
        assert re.search(NOTHING, ground.mbsync(dovecot.imap))
        change_again(client)
        third = dovecot()
        assert not ground.dovecot.complaints()

    with ground.live_serves() as (client, live):
        check_same(dotted(third), live())
        deliver(ground.live, ["four", "five"])

    with ground.dovecot_serves() as (client, dovecot):
        inbox = dovecot().mailboxes["INBOX"]
        before = third.mailboxes["INBOX"]
        assert inbox.uidnext == before.uidnext + 2
        assert before.messages.items() <= inbox.messages.items()
        assert not ground.dovecot.complaints()


# ---------------------------------------------------------------- both at once


class Client(threading.Thread):
    """A client of one of the servers: appends, marks and expunges until its time is over.

    ``mine`` are the messages it has: subject and flags by UID. ``shared`` are messages that every
    client marks, each with its own keyword; ``marked`` are those that it did.
    """

    def __init__(self, imap: imaplib.IMAP4, name: str, shared: list[int]) -> None:
        super().__init__()
        self.imap, self.keyword, self.shared = imap, name, shared
        self.mine: dict[int, tuple[str, frozenset[str]]] = {}
        self.marked: set[int] = set()
        self.gone: set[str] = set()
        self.number = 0
        self.chance = random.Random(name)
        self.until = 0.0
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            done(self.imap.select("INBOX"))
            while time.monotonic() < self.until:
                self.step()
        except BaseException as error:
            self.error = error

    def step(self) -> None:
        act = self.chance.choice([self.append, self.append, self.mark, self.share, self.expunge])
        act()

    def append(self) -> None:
        self.number += 1
        subject = f"{self.keyword}-{self.number}"
        flags = frozenset(self.chance.sample(["\\Seen", "\\Flagged", self.keyword], 2))
        date = imaplib.Time2Internaldate(SINCE)
        answer = self.imap.append("INBOX", f"({' '.join(flags)})", date, hello(subject).encode())
        match = re.search(rb"APPENDUID \d+ (\d+)", done(answer)[0])
        assert match
        self.mine[int(match[1])] = subject, flags

    def mark(self) -> None:
        if not self.mine:
            return
        uid = self.chance.choice(list(self.mine))
        subject, flags = self.mine[uid]
        flag = self.chance.choice(["\\Seen", "\\Answered", "common", self.keyword])
        done(self.imap.uid("STORE", str(uid), "-+"[flag not in flags] + "FLAGS", f"({flag})"))
        self.mine[uid] = subject, flags ^ {flag}

    def share(self) -> None:
        uid = self.chance.choice(self.shared)
        done(self.imap.uid("STORE", str(uid), "+FLAGS.SILENT", f"({self.keyword})"))
        self.marked.add(uid)

    def expunge(self) -> None:
        if len(self.mine) < 5:
            return
        uid = self.chance.choice(list(self.mine))
        done(self.imap.uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)"))
        done(self.imap.uid("EXPUNGE", str(uid)))
        self.gone.add(self.mine.pop(uid)[0])


def expected(clients: list[Client], shared: list[int]) -> dict[int, tuple[str, frozenset[str]]]:
    """Return what must be there in the end: subject and flags by UID."""
    found = {uid: one for client in clients for uid, one in client.mine.items()}
    for uid in shared:
        marks = frozenset(client.keyword for client in clients if uid in client.marked)
        found[uid] = f"shared-{uid}", marks
    return found


def shown(client: imaplib.IMAP4) -> dict[int, tuple[str, frozenset[str]]]:
    done(client.select("INBOX", readonly=True))
    header = "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"
    parts: list[Any] = client.fetch("1:*", f"(UID FLAGS {header})")[1]
    found = {}
    for start, text in [part for part in parts if isinstance(part, tuple)]:
        match = re.search(r"UID (\d+) FLAGS \(([^)]*)\)", start.decode())
        assert match, start
        flags = frozenset(match[2].split()) - {"\\Recent"}
        found[int(match[1])] = text.decode().partition(":")[2].strip(), flags
    assert len(found) == sum(isinstance(part, tuple) for part in parts)
    return found


def eventually(look: Callable[[], Any], wanted: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while (found := look()) != wanted and time.monotonic() < deadline:
        select_nothing(0.3)
    assert found == wanted


def test_both_at_once(ground: Ground) -> None:
    with (
        ground.dovecot_serves() as (theirs, dovecot),
        ground.live_serves() as (ours, live),
    ):
        shared = list(range(1, 21))
        for uid in shared:
            done(
                theirs.append(
                    "INBOX", "", imaplib.Time2Internaldate(SINCE), hello(f"shared-{uid}").encode()
                )
            )
        ports = [dovecot.imap, live.imap] * 2
        clients = [
            Client(ground.imap(port), f"k{number}", shared) for number, port in enumerate(ports)
        ]
        alternately(clients[:2])
        for client in clients:
            client.until = time.monotonic() + 4
            client.start()
        for client in clients:
            client.join()
        errors = [client.error for client in clients if client.error]
        assert not errors
        wanted = expected(clients, shared)
        eventually(lambda: shown(theirs), wanted)
        eventually(lambda: shown(ours), wanted)


def alternately(clients: list[Client]) -> None:
    """Act in turns; each sees at once what the other did."""
    for client in clients:
        done(client.imap.select("INBOX"))
    for one, other in [clients, clients[::-1]] * 10:
        select_nothing(0.02)  # a file system's clock ticks every 4 ms
        one.step()
        done(other.imap.noop())
        for uid, (_, flags) in one.mine.items():
            assert told_flags(other.imap, uid) == flags


def told_flags(client: imaplib.IMAP4, uid: int) -> frozenset[str]:
    answer = done(client.uid("FETCH", str(uid), "(UID FLAGS)"))
    found = [line.decode() for line in answer if f"UID {uid} ".encode() in line]
    match = re.search(r"FLAGS \(([^)]*)\)", found[-1])
    assert match, found
    return frozenset(match[1].split()) - {"\\Recent"}
