"""Several clients at work on one account, and the book of what they were told."""

import random
import smtplib
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable

from tests.whole.live import PATIENCE
from tests.whole.talker import Answer, Lost, Seen, Talker

ACCOUNT = "bob@example.org"
SHARED = ("INBOX", "One", "Two", "Wanderer", "Wanderer-away")
FLAGS = ("\\Seen", "\\Flagged", "\\Answered", "\\Draft", *(f"Word{number}" for number in range(40)))
TOLERATED = (b"TRYCREATE", b"NONEXISTENT", b"ALREADYEXISTS")
BODY = "".join(f"line {number} that must be whole\r\n" for number in range(20))


def message(name: str) -> bytes:
    return f"From: a@example.com\r\nSubject: {name}\r\n\r\n{BODY}end of {name}\r\n".encode()


def whole(line: bytes) -> tuple[int, bytes]:
    """Return the UID and the octets of a response with ``BODY[]``."""
    head, _, data = line.partition(b" BODY[] {")
    size, _, data = data.partition(b"}")
    return int(head.partition(b"UID ")[2].split()[0]), data[: int(size)]


class Book:
    """What was promised. One lock; the clients are many threads."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.surely: Counter[str] = Counter()  # copies that were acknowledged
        self.perhaps: Counter[str] = Counter()  # copies that may have been made, unacknowledged
        self.named: dict[tuple[int, int], str] = {}  # the message of each UIDVALIDITY and UID
        self.doomed: Counter[str] = Counter()  # copies that somebody tried to expunge
        self.gone: set[tuple[int, int]] = set()  # acknowledged as expunged, or moved away
        self.flags: dict[str, tuple[frozenset[str], ...]] = {}  # of private messages; one of these
        self.made: set[str] = set()  # mailboxes that must be there
        self.deleted: set[str] = set()  # and those that must not
        self.errors: list[str] = []
        self.done: Counter[str] = Counter()

    def name(self, uidvalidity: int, uid: int, name: str) -> None:
        with self.lock:
            known = self.named.setdefault((uidvalidity, uid), name)
            assert known == name, f"UID {uid} of {uidvalidity} was {known} and is {name}"

    def look(self, talker: Talker) -> None:
        """Compare what a client sees with what anybody saw."""
        for seen in talker.view:
            if seen.uid and seen.name:
                self.name(talker.uidvalidity, seen.uid, seen.name)


class Worker(threading.Thread):
    """One client doing one thing after another until told to stop, or its server is gone."""

    def __init__(
        self, name: str, imap: int, smtp: int, book: Book, seed: int, may_be_lost: bool = False
    ) -> None:
        super().__init__(name=name, daemon=True)
        self.chance = random.Random(f"{seed} {name}")
        self._imap, self._smtp = imap, smtp
        self.book, self.stopped = book, threading.Event()
        self._number = 0
        self._may_be_lost = may_be_lost
        self.talker: Talker

    def run(self) -> None:
        try:
            self.talker = Talker(self._imap, ACCOUNT, self.name)
            self._begin()
            deeds = self._deeds()
            while not self.stopped.is_set():
                deed = self.chance.choice(deeds)
                self.deed(deed)
        except (Lost, smtplib.SMTPException, ConnectionError) as error:
            if not self._may_be_lost:
                self.book.errors.append(f"{self.name}: lost: {error!r}")
        except BaseException:
            self.book.errors.append(f"{self.name}: {traceback.format_exc()}")

    def deed(self, deed: Callable[[], object]) -> None:
        deed()
        self.book.done[deed.__name__.lstrip("_")] += 1
        if self.talker.selected:
            self.talker.learn()
            self.book.look(self.talker)

    def _deeds(self) -> list[Callable[[], object]]:
        often = [self._append, self._deliver, self._store, self._copy, self._move, self._expunge]
        often.append(self._expunge)  # it does so half of the time
        seldom = [self._select, self._noop, self._idle, self._private, self._passing, self._wander]
        often.append(self._read)
        return [*often, *often, *seldom]

    def _begin(self) -> None:
        self._private_name = f"private-{self.name}"
        self.book.flags.setdefault(self._private_name, (frozenset(),))
        if not any(seen.name == self._private_name for seen in self._inbox()):
            self._put("INBOX", self._private_name)
        self._select()

    def _inbox(self) -> list[Seen]:
        assert self.talker.select("INBOX")
        self.book.look(self.talker)
        return self.talker.view

    # ------------------------------------------------------------ asking

    def _ask(self, command: str, literal: bytes | None = None) -> Answer:
        answer = self.talker.ask(command, literal)
        is_fine = answer.is_ok or any(code in answer.text for code in TOLERATED)
        assert is_fine, f"{command[:80]}: {answer.status} {answer.text!r}"
        return answer

    def _new_name(self) -> str:
        self._number += 1
        return f"{self.name}-{self._number}-{self.chance.randrange(10**6)}"

    def _put(self, mailbox: str, name: str) -> None:
        book = self.book
        with book.lock:
            book.perhaps[name] += 1
        answer = self._ask(f'APPEND "{mailbox}"', message(name))
        with book.lock:
            book.perhaps[name] -= 1
            if answer.is_ok:
                uidvalidity, _, [uid] = answer.copied()
                book.surely[name] += 1
                book.name(uidvalidity, uid, name)

    # ------------------------------------------------------------ deeds

    def _select(self) -> None:
        self.talker.select(self.chance.choice(SHARED))

    def _noop(self) -> None:
        self._ask("NOOP")

    def _idle(self) -> None:
        self.talker.idle(0.05)

    def _append(self) -> None:
        self._put(self.chance.choice(SHARED), self._new_name())

    def _deliver(self) -> None:
        name = self._new_name()
        with self.book.lock:
            self.book.perhaps[name] += 1
        with smtplib.SMTP("127.0.0.1", self._smtp, timeout=PATIENCE) as client:
            client.sendmail("a@example.com", [ACCOUNT], message(name))
            with self.book.lock:
                self.book.perhaps[name] -= 1
                self.book.surely[name] += 1

    def _store(self) -> None:
        seen = self.talker.pick(self.chance.random())
        if seen is not None:
            sign = self.chance.choice("+-")
            words = " ".join(self.chance.sample(FLAGS, 2))
            self._ask(f"UID STORE {seen.uid} {sign}FLAGS ({words})")

    def _read(self) -> None:
        """Read a message and the one beside it, each of which must be whole."""
        seen = self.talker.pick(self.chance.random())
        if seen is None:
            return
        for line in self._ask(f"UID FETCH {seen.uid}:{seen.uid + 1} (UID BODY.PEEK[])").lines:
            if b" BODY[] " in line:
                uid, data = whole(line)
                name = data.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode()
                assert data.endswith(message(name)), f"{name} is not whole: {data!r}"
                self.book.name(self.talker.uidvalidity, uid, name)

    def _copy(self) -> None:
        self._transfer("COPY")

    def _move(self) -> None:
        self._transfer("MOVE")

    def _transfer(self, verb: str) -> None:
        talker, book = self.talker, self.book
        seen = talker.pick(self.chance.random())
        if seen is None:
            return
        source, name, uid = talker.uidvalidity, seen.name, seen.uid
        with book.lock:
            book.perhaps[name] += 1
        answer = self._ask(f'UID {verb} {uid} "{self.chance.choice(SHARED)}"')
        uidvalidity, _, targets = answer.copied()
        with book.lock:
            book.perhaps[name] -= 1
            for target in targets:
                book.name(uidvalidity, target, name)
                if verb == "COPY":
                    book.surely[name] += 1
                else:
                    book.gone.add((source, uid))

    def _expunge(self) -> None:
        talker, book = self.talker, self.book
        seen = talker.pick(self.chance.random())
        if seen is None or self.chance.random() < 0.5:
            return
        source, uid = talker.uidvalidity, seen.uid
        with book.lock:
            book.doomed[seen.name] += 1
        self._ask(f"UID STORE {uid} +FLAGS.SILENT (\\Deleted)")
        if self._ask(f"UID EXPUNGE {uid}").is_ok:
            with book.lock:
                book.gone.add((source, uid))

    def _private(self) -> None:
        """Mark a message that nobody else marks, and remember how."""
        mine = [seen for seen in self.talker.view if seen.name == self._private_name]
        if not mine:
            return
        wanted = frozenset(self.chance.sample(FLAGS, 3))
        book, before = self.book, self.book.flags[self._private_name]
        book.flags[self._private_name] = (*before, wanted)
        self._ask(f"UID STORE {mine[0].uid} FLAGS ({' '.join(sorted(wanted))})")
        book.flags[self._private_name] = (wanted,)
        assert mine[0].flags == wanted, f"STORE {wanted} was answered {mine[0].flags}"

    def _passing(self) -> None:
        """Make a mailbox, put a message there, rename it, and delete it."""
        name = f"Passing/{self._new_name()}"
        assert self._ask(f'CREATE "{name}"').is_ok
        self.book.made.add(name)
        inside = self._new_name()
        self._put(name, inside)
        self.book.made.discard(name)
        assert self._ask(f'RENAME "{name}" "{name}-renamed"').is_ok
        self.book.deleted.add(name)
        with self.book.lock:
            self.book.doomed[inside] += 1
        assert self._ask(f'DELETE "{name}-renamed"').is_ok
        self.book.deleted.add(f"{name}-renamed")

    def _wander(self) -> None:
        """Give a mailbox that everybody uses its other name."""
        names = ["Wanderer", "Wanderer-away"]
        self.chance.shuffle(names)
        self._ask('RENAME "{}" "{}"'.format(*names))


def prepare(port: int) -> None:
    """Make the mailboxes that everybody uses."""
    talker = Talker(port, ACCOUNT)
    for name in ("One", "Two", "Wanderer"):
        talker.ask(f'CREATE "{name}"')
    talker.close()


def work(workers: list[Worker], seconds: float) -> None:
    for worker in workers:
        worker.start()
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and all(worker.is_alive() for worker in workers):
        time.sleep(0.05)
    stop(workers)


def stop(workers: list[Worker]) -> None:
    for worker in workers:
        worker.stopped.set()
    for worker in workers:
        worker.join(3 * PATIENCE)
        if worker.is_alive():
            hung = f"{worker.name} hangs in {worker.talker.view} with {worker.talker.last}"
            raise AssertionError("\n".join((hung, *worker.book.errors)))


# ---------------------------------------------------------------- the truth

Truth = dict[str, tuple[int, dict[int, tuple[str, frozenset[str]]]]]


def truth(port: int, book: Book) -> Truth:
    """Return what a new client sees: by mailbox its UIDVALIDITY, and by UID names and flags."""
    talker = Talker(port, ACCOUNT)
    found: Truth = {}
    for mailbox in talker.mailboxes():
        if talker.select(mailbox):
            book.look(talker)
            found[mailbox] = (
                talker.uidvalidity,
                {seen.uid: (seen.name, seen.flags) for seen in talker.view},
            )
    talker.close()
    return found


def check(found: Truth, book: Book) -> None:
    """Hold what there is against what was promised."""
    there = Counter(name for _, seen in found.values() for name, _ in seen.values())
    for name in {*book.surely, *book.perhaps, *there}:
        least = book.surely[name] - book.doomed[name]
        most = book.surely[name] + book.perhaps[name]
        assert there[name] >= least, f"{name} was lost: {there[name]} of at least {least}"
        assert there[name] <= most, f"{name} was doubled: {there[name]} of at most {most}"
    for uidvalidity, seen in found.values():
        back = {(uidvalidity, uid) for uid in seen} & book.gone
        assert not back, f"expunged messages are back: {sorted(back)}"
    assert book.made <= found.keys(), f"mailboxes were lost: {book.made - found.keys()}"
    assert not book.deleted & found.keys(), "deleted mailboxes are back"
    marked = {name: flags for _, seen in found.values() for name, flags in seen.values()}
    for name, allowed in book.flags.items():
        if book.surely[name]:
            # A STORE cut short may have set some: those with letters are in the file's name, others in
            # the index. After an answer one set is allowed, and so it holds exactly.
            least_set, all_set = frozenset.intersection(*allowed), frozenset.union(*allowed)
            text = f"{name} has {marked[name]}, not {allowed}"
            assert least_set <= marked[name] <= all_set, text
