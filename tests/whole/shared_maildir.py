"""One maildir that Dovecot and this server serve, and what clients see of it."""

import email.utils
import hashlib
import imaplib
import os
import poplib
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.whole.live import PATIENCE, LiveServer, needs
from tests.whole.mbsync import Synchronised, mbsync
from tests.whole.peers import Dovecot, give
from twisted_mail.store.disk.calls import Disk

BOB = "bob@example.org"


@contextmanager
def shared_maildir(monkeypatch: pytest.MonkeyPatch) -> Iterator["SharedMaildir"]:
    """Make a maildir in a folder that every user may enter.

    What this server makes in it belongs to the user that Dovecot serves mail as.
    """
    needs("mbsync")
    if os.getuid() == 0:
        monkeypatch.setattr(Disk, "create", _owned(Disk.create))
        monkeypatch.setattr(Disk, "overwrite", _owned(Disk.overwrite))
        monkeypatch.setattr(Disk, "make_folder", _owned(Disk.make_folder))
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield SharedMaildir(Path(name))


def _owned(make: Callable[[Disk, bytes], Any]) -> Callable[[Disk, bytes], Any]:
    def made(disk: Disk, path: bytes) -> Any:
        result = make(disk, path)
        give(Path(os.fsdecode(path)))
        return result

    return made


class SharedMaildir:
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

    def mbsync(self, port: int) -> Synchronised:
        """Synchronise everything with a server."""
        near = self.folder / "near"
        near.mkdir(exist_ok=True)
        config = self.folder / "mbsyncrc"
        config.write_text(MBSYNC.format(port=port, folder=near))
        return mbsync(config)


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

    maildir: SharedMaildir
    imap: int
    pop3: int
    dot: str

    def __call__(self) -> View:
        client = self.maildir.imap(self.imap)
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


def done(answer: tuple[str, Any]) -> Any:
    assert answer[0] == "OK", answer
    return answer[1]
