"""How long opening a large mailbox takes, what it holds in memory, and bulk alterations of it.

    python -m bench.opening --count 100000            # through the store's door
    python -m bench.opening --imap 15143 --user u1@bench.test --maildir FOLDER/.../u1/Maildir

The second form fills the maildir of an account of a running server, ours or another's, and measures
SELECT over the wire; ``--reset`` names what else must go, such as an index, and ``--owner`` whom the
files belong to. Each round begins with a maildir that no server has seen.
"""

import argparse
import gc
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from bench.clock import RealClock
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.imap.view import View
from twisted_mail.mail.mailbox import flags as flag
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.testing.doubles import InlineBlocking, finish

ACCOUNT = "u1@bench.test"
BODIES = 200  # different files; the others are links to them
SESSIONS = 5


# ---------------------------------------------------------------- a mailbox that nobody has seen


def build(maildir: Path, count: int, names: str) -> None:
    """Make a maildir of ``count`` messages; ``names`` is ``plain``, or ``sized`` with S= and W=."""
    for place in ("cur", "new", "tmp"):
        (maildir / place).mkdir(parents=True)
    sources = []
    for number in range(BODIES):
        file = maildir.parent / f"body{number}"
        file.write_bytes(body(number))
        sources.append((str(file), file.stat().st_size, body(number).count(b"\n")))
    for number in range(count):
        source, size, lines = sources[number % BODIES]
        moment = f"{1_700_000_000 + number}.M{number * 7919 % 1_000_000:06}"
        base = f"{moment}P{number % 5000}Q{number}.host"
        sizes = f",S={size},W={size + lines}" if names == "sized" else ""
        os.link(source, maildir / "cur" / f"{base}{sizes}:2,{'S' if number % 7 else ''}")


def body(number: int) -> bytes:
    head = f"From: a{number}@example.org\nTo: b@example.org\nSubject: Number {number}\n\n"
    return head.encode() + b"Some words of a message that is not long.\n" * (number % 60 + 5)


# ---------------------------------------------------------------- through the store's door


def timed(title: str, work: Coroutine[Any, Any, Any]) -> Any:
    start = time.perf_counter()
    result = finish(work)
    print(f"    {title:<44} {(time.perf_counter() - start) * 1000:9.1f} ms", flush=True)
    return result


def resident() -> int:
    """Return the kilobytes of memory this process has of its own."""
    gc.collect()
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(("Pss_Anon:",)))


def store_at(root: Path) -> MaildirStore:
    return MaildirStore(root, InlineBlocking(), RealClock(), ItemRenderer())


def open_it(root: Path, title: str) -> None:
    """One process: open, measure memory with one session and with several, open again."""
    store = store_at(root)
    account = finish(store.account(ACCOUNT))
    before = resident()
    mailbox = timed(f"{title} open", account.open("INBOX"))
    views = [View(mailbox, 1, claims=False)]
    one = resident()
    views += [View(mailbox, 1, claims=False) for _ in range(SESSIONS - 1)]
    several = resident()
    print(
        f"    memory, {len(mailbox.columns)} messages: {(one - before) / 1024:.1f} MB with one session,"
        f" {(several - before) / 1024:.1f} MB with {SESSIONS}"
    )
    mailbox.close()
    mailbox = timed("open again in this process", account.open("INBOX"))
    mailbox.close()
    finish(store.close())


def alter(root: Path) -> None:
    """One process: bulk alterations."""
    account = finish(store_at(root).account(ACCOUNT))
    mailbox = finish(account.open("INBOX"))
    uids = list(mailbox.columns.uids)
    timed("COPY 1:1000", mailbox.copy(uids[:1000], "Archive"))
    timed("COPY 1:1000 once more", mailbox.copy(uids[:1000], "Archive"))
    timed("MOVE 1:1000", mailbox.move(uids[1000:2000], "Archive"))
    timed(
        "STORE +FLAGS of 10,000", mailbox.mark(uids[2000:12000], "add", flag.normal(["\\Flagged"]))
    )
    timed("EXPUNGE 1,000", mailbox.expunge(uids[2000:3000]))
    mailbox.close()


def by_the_door(count: int, names: str) -> None:
    for kind in names.split(","):
        with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
            root = Path(folder)
            build(root / "bench.test" / "u1" / "Maildir", count, kind)
            print(f"{count} messages, {kind} names")
            for part in ("first", "second", "third", "alter"):
                command = [sys.executable, "-m", "bench.opening", "--part", part, "--root", folder]
                subprocess.run(command, check=True)


# ---------------------------------------------------------------- over the wire


class Imap:
    """A client that sends a line and waits for its answer."""

    def __init__(self, port: int, user: str, password: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._file = self._socket.makefile("rb")
        self._file.readline()
        self("LOGIN", f"LOGIN {user} {password}")

    def __call__(self, title: str, command: str) -> float:
        start = time.perf_counter()
        self._socket.sendall(b"a " + command.encode() + b"\r\n")
        while not (line := self._file.readline()).startswith(b"a "):
            if not line:
                raise SystemExit(f"{title}: the server has closed")
        if not line.startswith(b"a OK"):
            raise SystemExit(f"{title}: {line!r}")
        return (time.perf_counter() - start) * 1000

    def close(self) -> None:
        self("LOGOUT", "LOGOUT")
        self._socket.close()


COMMANDS = [
    ("first SELECT", "SELECT INBOX"),
    ("second SELECT", "SELECT INBOX"),
    ("third SELECT", "SELECT INBOX"),
    ("FETCH 1:* FLAGS", "FETCH 1:* (FLAGS)"),
    ("COPY 1:1000", "COPY 1:1000 Archive"),
    ("MOVE 1:1000", "MOVE 1:1000 Archive"),
    ("STORE 1:10000 +FLAGS", "STORE 1:10000 +FLAGS.SILENT (\\Flagged)"),
    ("delete 1:1000", "STORE 1:1000 +FLAGS.SILENT (\\Deleted)"),
    ("EXPUNGE 1,000", "EXPUNGE"),
]


def by_the_wire(arguments: argparse.Namespace) -> dict[str, float]:
    """Return milliseconds for each command; every SELECT is a session of its own."""
    maildir = Path(arguments.maildir)
    shutil.rmtree(maildir.parent / "filled", ignore_errors=True)
    build(maildir.parent / "filled" / "Maildir", arguments.count, arguments.names)
    for path in [maildir, *map(Path, arguments.reset)]:
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    os.rename(maildir.parent / "filled" / "Maildir", maildir)
    if arguments.owner:
        subprocess.run(["chown", "-R", arguments.owner, str(maildir.parent)], check=True)
    time.sleep(1.5)  # that modification times are believed
    found: dict[str, float] = {}
    client = Imap(arguments.imap, arguments.user, arguments.password)
    for title, command in COMMANDS:
        if title.startswith("COPY"):
            client._socket.sendall(b"a CREATE Archive\r\n")
            client._file.readline()
        found[title] = client(title, command)
        print(f"    {title:<44} {found[title]:9.1f} ms", flush=True)
        if "SELECT" in title and not title.startswith("third"):
            client.close()
            time.sleep(0.5)
            client = Imap(arguments.imap, arguments.user, arguments.password)
    client.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--names", default="plain,sized")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--root", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--imap", type=int, help="the port of a running server")
    parser.add_argument("--user", default=ACCOUNT)
    parser.add_argument("--password", default="secret")
    parser.add_argument("--maildir")
    parser.add_argument("--reset", nargs="*", default=[])
    parser.add_argument("--owner", default="")
    arguments = parser.parse_args()
    if arguments.part == "alter":
        alter(arguments.root)
    elif arguments.part:
        open_it(arguments.root, arguments.part)
    elif arguments.imap:
        arguments.names = arguments.names.partition(",")[0]
        print(json.dumps(by_the_wire(arguments)))
    else:
        by_the_door(arguments.count, arguments.names)


if __name__ == "__main__":
    main()
