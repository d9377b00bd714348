"""Fresh mailboxes with messages of the corpus, put there as files."""

import glob
import json
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.compare.endpoint import USERS, Endpoint
from bench.compare.generator import run
from bench.compare.places import ROOT
from bench.corpus.writer import write

FIRST_DATE = 1_700_000_000


@dataclass(frozen=True)
class Expected:
    """What a right server answers about the first messages of the corpus."""

    size: int  # sum of RFC822.SIZE
    subset: int  # octets of the header fields asked for
    in_subject: int  # hits of the planted words
    in_from: int
    in_body: int


class Corpus:
    """The messages with the line ends that a server keeps in its maildirs, made where missing."""

    def __init__(self, eol: str) -> None:
        self.folder = ROOT / f"corpus-{eol}"
        manifest = self.folder / "manifest.json"
        if not manifest.exists():
            write(self.folder, eol=eol)
        known = json.loads(manifest.read_text())
        self.count: int = known["count"]
        self._rows: list[list[int]] = known["per_message"]

    def expected(self, number: int) -> Expected:
        """Return it for so many messages; the corpus begins again after its last."""
        whole, rest = divmod(number, self.count)
        columns = zip(*self._rows, strict=True)
        return Expected(*(whole * sum(each) + sum(each[:rest]) for each in columns))


def fill(
    endpoint: Endpoint, corpus: Corpus, user: int, number: int, *, as_links: bool = False
) -> None:
    """Replace a user's inbox, and what is indexed of it, by seen messages of the corpus.

    ``as_links`` makes links to one private copy of the corpus, for mailboxes that are only looked at.
    """
    maildir = endpoint.maildir(user)
    for path in (maildir, *_index_paths(endpoint, user)):
        _remove(path)
    owner = _owner(endpoint)
    for folder in (maildir.parent, maildir, *(maildir / name for name in ("cur", "new", "tmp"))):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chown(folder, *owner)
    source = _private_copy(maildir.parent.parent, corpus, owner) if as_links else corpus.folder
    for index in range(number):
        target = maildir / "cur" / f"{FIRST_DATE + index}.M{index:06d}P77.bench:2,S"
        _put(source / f"{index % corpus.count:05d}.eml", target, as_links, owner, index)
    os.sync()


def _put(source: Path, target: Path, is_link: bool, owner: tuple[int, int], index: int) -> None:
    if is_link:
        os.link(source, target)
        return
    target.write_bytes(source.read_bytes())
    os.chown(target, *owner)
    os.utime(target, (FIRST_DATE + index, FIRST_DATE + index))


def _index_paths(endpoint: Endpoint, user: int) -> list[Path]:
    patterns = [name.replace("{n}", str(user)) for name in endpoint.spec.get("index_paths", [])]
    return [Path(name) for pattern in patterns for name in glob.glob(pattern)]


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _owner(endpoint: Endpoint) -> tuple[int, int]:
    name = endpoint.spec.get("owner")
    user = pwd.getpwnam(name) if name else pwd.getpwuid(os.geteuid())
    return user.pw_uid, user.pw_gid


def owner_words(endpoint: Endpoint) -> list[str]:
    """Return the generator's words for the owner of files that it drops into a mailbox."""
    uid, gid = _owner(endpoint)
    return [f"uid={uid}", f"gid={gid}"] if endpoint.spec.get("owner") else []


def _private_copy(folder: Path, corpus: Corpus, owner: tuple[int, int]) -> Path:
    copy = folder / f".{corpus.folder.name}"
    if not copy.is_dir():
        shutil.copytree(corpus.folder, copy)
        for each in (copy, *copy.iterdir()):
            os.chown(each, *owner)
    return copy


def small_mailboxes(endpoint: Endpoint, corpus: Corpus, each: int = 100) -> list[str]:
    """Fill the hundred users of small mailboxes once, and open each of them; return their words."""
    words = endpoint.users("small")
    if "small" not in endpoint.filled:
        first, last = USERS["small"]
        for user in range(first, last + 1):
            fill(endpoint, corpus, user, each, as_links=True)
        options = ["conns=4", "secs=60", f"total={4 * (last - first + 1)}", f"min_exists={each}"]
        run("imapsess", *endpoint.at("imap"), *endpoint.credentials(), *words, *options)
        endpoint.filled["small"] = each
    return words


def big_mailbox(endpoint: Endpoint, corpus: Corpus, turn: int, number: int) -> int:
    """Return a user whose inbox has that many messages, indexed for a list of mail."""
    if endpoint.filled.get("big") != (turn, number):
        user = USERS["big"][1] - turn % 3
        fill(endpoint, corpus, user, number)
        client = endpoint.imap(user)
        client("SELECT INBOX", exists=number)
        client("FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)", fetch=number)
        client.close()
        endpoint.filled["big"] = (turn, number)
    return USERS["big"][1] - turn % 3
