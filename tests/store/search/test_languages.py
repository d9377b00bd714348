"""Answers are those of the plain scan, in twelve languages, however much is indexed by which process.

The suite tries few messages. ``python -m tests.store.search.test_languages 10000 2000`` tries that many
messages and needles, which takes some minutes.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable
from itertools import cycle
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.contracts.ground import draft
from tests.store.search.languages import Post
from tests.store.search.test_search import CountingDisk, Home
from twisted_mail.mail.line_ends import with_crlf
from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mime.substring_search import Searchable, matches, searchable
from twisted_mail.store.search.search import Search
from twisted_mail.testing.doubles import finish

BATCH = 500  # messages of one APPEND


class Killed(BaseException):
    """The process ends here."""


class Trial:
    """A mailbox, the texts of its messages, and needles that were drawn from them."""

    def __init__(self, root: Path, messages: int, needles: int) -> None:
        self.home, self.other = Home(root), Home(root)  # two processes
        post = Post(7)
        data = [with_crlf(post.message()) for _ in range(messages)]
        for start in range(0, messages, BATCH):
            drafts = [draft(one) for one in data[start : start + BATCH]]
            finish(self.home.account.append("INBOX", drafts))
        self._texts = [searchable(one) for one in data]
        self._heads = [one[: one.index(b"\r\n\r\n") + 4] for one in data]
        self.questions = [self._question(post, number) for number in range(needles)]
        self.hits = 0

    def _question(self, post: Post, number: int) -> Contains:
        text: Searchable = self._texts[number * 31 % len(self._texts)]
        where, name = _PLACES[number % len(_PLACES)]
        source = "\n".join(value for _, value in text.fields) if name else text[number % 2]
        return Contains(where, post.needle(source), name)

    def right(self, what: Contains) -> set[int]:
        """Return what the plain scan finds. UIDs are numbers of messages here."""
        if what.where == "header":
            found = [matches(head, what) for head in self._heads]
        else:
            found = [text.holds(what) for text in self._texts]
        return {uid for uid, is_hit in enumerate(found, 1) if is_hit}

    def ask(self, questions: Iterable[Contains]) -> None:
        """Compare the answers, of both processes in turn, with those of the plain scan."""
        boxes = [home.box() for home in (self.home, self.other)]
        uids = boxes[0].columns.uids[:]
        for box, what in zip(cycle(boxes), questions, strict=False):
            right = self.right(what)
            self.hits += len(right)
            assert finish(box.matching(uids, what)) == right, what

    def index(self, uids: Iterable[int]) -> None:
        """Index messages as the background does."""
        box = self.home.box()
        finish(self.home.account.search.missing(box._folder))
        finish(self.home.account.search.index(box._folder, list(uids)))


_PLACES = (("text", ""), ("body", ""), ("text", ""), ("body", ""), ("header", "Subject"))
_PLACES += (("text", ""), ("body", ""), ("header", "From"), ("header", "X-Tag"))


class KillingDisk(CountingDisk):
    """Ends the process at a commit."""

    def __init__(self, commits: int) -> None:
        super().__init__()
        self._left = commits

    def commit(self, connection: object) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed
        super().commit(connection)  # type: ignore[arg-type]


def run(root: Path, messages: int, needles: int) -> Trial:
    """Ask some of the needles at each stage of the indexing; what searches read is not kept meanwhile."""
    trial = Trial(root, messages, needles)
    asked = trial.questions
    with patch.object(Search, "_add", _nothing):
        trial.ask(asked[: needles // 50])
    trial.index(range(1, messages // 3))
    with patch.object(Search, "_add", _nothing):
        trial.ask(asked[: needles // 4])
    _kill(trial, range(messages // 3, 2 * messages // 3))
    with patch.object(Search, "_add", _nothing):
        trial.ask(asked[needles // 4 : needles // 2])
    trial.ask(
        asked[needles // 2 : needles // 2 + 1]
    )  # which indexes what is left, if it looks for text
    trial.index(range(1, messages + 1))
    trial.ask(asked)
    return trial


def _nothing(search: Search, place: object, new: object) -> bool:
    return True


def _kill(trial: Trial, uids: Iterable[int]) -> None:
    """Begin to index, and end with the process in the middle of a transaction."""
    trial.home.restart()
    disk = KillingDisk(commits=10**9)
    trial.home.disk = disk
    trial.home.start()
    trial.home.box()
    disk._left = 3
    with pytest.raises(Killed):
        trial.index(uids)
    trial.home.disk = CountingDisk()
    trial.home.start()


def test_answers_are_those_of_the_plain_scan_in_all_languages(tmp_path: Path) -> None:
    trial = run(tmp_path, messages=200, needles=180)
    assert trial.hits > 5 * len(trial.questions)


def main(report: Callable[[str], object] = print) -> None:
    """Try as many as the command says."""
    messages, needles = map(int, sys.argv[1:3])
    with tempfile.TemporaryDirectory(prefix="languages-") as folder:
        trial = run(Path(folder), messages, needles)
    report(f"{needles} needles in {messages} messages: {trial.hits} hits, all as by the plain scan")


if __name__ == "__main__":
    main()
