"""SEARCH at the store's door: ``python -m bench.search [MESSAGES] [FOLDER]``.

Makes a maildir of messages of about 4 KiB below FOLDER (default: a temporary one), and prints how long
a plain scan takes, the indexing of a message, and searches once all are indexed.
"""

import argparse
import itertools
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bench.clock import RealClock
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.account.mailbox import MaildirMailbox
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.settings import StoreSettings
from twisted_mail.testing.doubles import InlineBlocking, finish

T = TypeVar("T")
ACCOUNT = "bench@bench.test"
LETTERS = "etaoinshrdlucmfwygpbvk"
WEIGHTS = [12, 9, 8, 8, 7, 7, 6, 6, 6, 4, 4, 3, 3, 2.5, 2.2, 2.2, 2, 2, 2, 1.5, 1, 0.7]


class Language:
    """Words as frequent as in a language: the n-th most frequent is n times rarer than the first."""

    def __init__(self, seed: int = 1, number: int = 20_000) -> None:
        self.chance = random.Random(seed)
        self.words = [self._word() for _ in range(number)]
        self._sums = list(itertools.accumulate(1 / rank for rank in range(1, number + 1)))

    def _word(self) -> str:
        return "".join(self.chance.choices(LETTERS, WEIGHTS, k=self.chance.randint(2, 10)))

    def line(self, number: int) -> str:
        return " ".join(self.chance.choices(self.words, cum_weights=self._sums, k=number))


def fill(maildir: Path, number: int, language: Language) -> None:
    (maildir / "cur").mkdir(parents=True)
    for each in range(number):
        text = "\r\n".join(language.line(10) for _ in range(55))
        data = (
            f"From: User {each % 300} <u{each % 300}@example.org>\r\nTo: me@example.org\r\n"
            f"Subject: {language.line(5)}\r\nMessage-ID: <{each}@example.org>\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
        ).encode()
        name = f"{1_700_000_000 + each}.M1P1Q{each}.bench,S={len(data)},W={len(data)}:2,"
        (maildir / "cur" / name).write_bytes(data)


def opened(folder: Path, settings: StoreSettings) -> tuple[MaildirStore, MaildirMailbox]:
    store = MaildirStore(
        folder,
        InlineBlocking(),
        RealClock(idle=1_000_000),
        ItemRenderer(),
        StoreServices(settings=settings),
    )
    account: MaildirAccount = finish(store.account(ACCOUNT))
    return store, finish(account.open("INBOX"))


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return milliseconds and result."""
    start = time.perf_counter()
    result = work()
    return (time.perf_counter() - start) * 1000, result


def search(mailbox: MaildirMailbox, what: Contains, times: int = 1) -> None:
    uids = list(mailbox.columns.uids)
    runs = [timed(lambda: finish(mailbox.matching(uids, what))) for _ in range(times)]
    name = f"{what.where} {what.name} {what.needle!r}"
    taken = sorted(took for took, _ in runs)
    print(f"  {name:44} {len(runs[0][1]):6} hits, {taken[len(taken) // 2]:9.1f} ms")


def measure(folder: Path, number: int) -> None:
    language = Language()
    maildir = folder / "bench.test" / "bench" / "Maildir"
    fill(maildir, number, language)
    common, rare = language.words[10], language.words[5000]
    print(f"plain scan of {number} messages:")
    _, mailbox = opened(folder, StoreSettings(search=False))
    search(mailbox, Contains("text", rare))
    store, mailbox = opened(folder, StoreSettings())
    pieces = []
    while store.indexing.is_needed:
        took, _ = timed(lambda: finish(store.indexing.work()))
        pieces.append(took)
    print(f"indexing: {sum(pieces) / number:.2f} ms a message, {max(pieces):.0f} ms in one round")
    size = sum(path.stat().st_size for path in maildir.parent.glob("search.sqlite3*"))
    mail = sum(path.stat().st_size for path in (maildir / "cur").iterdir())
    print(f"size of the index: {size / 1e6:.0f} MB, of the mail: {mail / 1e6:.0f} MB")
    print("indexed, the median of nine searches:")
    for where, needle in itertools.product(("text", "body"), (common, rare, f"{common} {rare}")):
        search(mailbox, Contains(where, needle), 9)
    search(mailbox, Contains("text", "no such text"), 9)
    search(mailbox, Contains("header", "User 17", "from"), 9)
    search(mailbox, Contains("header", common, "subject"), 9)
    search(mailbox, Contains("header", "", "x-not-there"), 9)
    print("too little for the index:")
    search(mailbox, Contains("text", common[0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("messages", type=int, nargs="?", default=10_000)
    parser.add_argument("folder", type=Path, nargs="?")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp(prefix="bench-search-"))
    if folder.exists() and any(folder.iterdir()):
        sys.exit(f"{folder} is not empty")
    try:
        measure(folder.absolute(), arguments.messages)
    finally:
        if arguments.folder is None:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
