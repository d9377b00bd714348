"""SEARCH over the wire, while the server indexes in the background."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.whole.clients import imap
from tests.whole.live import LiveServer, in_reactor

pytestmark = pytest.mark.whole

MESSAGES = 600
WORDS = ("alpha", "beta", "gamma", "Straße", "naïve")


def fill(maildir: Path) -> None:
    (maildir / "cur").mkdir(parents=True)
    for each in range(MESSAGES):
        word = WORDS[each % len(WORDS)]
        data = (
            f"From: Sender {each % 10} <s{each}@example.org>\r\nSubject: number {each}\r\n"
            f"Content-Type: text/plain; charset=utf-8\r\n\r\nThis is {word} {each}.\r\n"
        ).encode()
        name = f"{1_700_000_000 + each}.M{each}.host,S={len(data)},W={len(data)}:2,S"
        (maildir / "cur" / name).write_bytes(data)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.1)


def test_search_gives_the_same_answers_before_and_after_indexing(server: LiveServer):
    fill(server.maildir("bob@example.org"))
    client = imap(server)
    client.select("INBOX")
    searches = [
        ("TEXT", "alpha"),
        ("BODY", '"alpha 5"'),
        ("SUBJECT", '"number 59"'),
        ("FROM", '"Sender 3"'),
        ("HEADER", "X-None", '""'),
        ("OR", "BODY", "beta", "SUBJECT", "7"),
        ("NOT", "TEXT", "s1"),
    ]
    before = [client.uid("SEARCH", *one) for one in searches]
    indexing = server.service.parts.store.indexing
    until(lambda: not in_reactor(lambda: indexing.is_needed))
    assert (server.maildir("bob@example.org").parent / "search.sqlite3").exists()
    assert [client.uid("SEARCH", *one) for one in searches] == before
    assert [len(data[0].split()) for _, data in before[:4]] == [120, 23, 11, 60]
    client.logout()
