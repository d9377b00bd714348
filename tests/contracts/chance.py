"""Operations at random, compared with a model that anybody can read."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contracts.ground import ALICE, Ground, draft, mail, rows
from twisted_mail.interfaces import Account, Mailbox, Store
from twisted_mail.mail.mailbox.change import (
    Change,
    EntriesAdded,
    EntriesExpunged,
    FlagsChanged,
    MailboxCreated,
    MailboxDeleted,
    MailboxRenamed,
)
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Refused

NAMES = ["INBOX", "Sent", "a", "a/b", "a/b/b", "c", "c/d"]
FLAGS = ["\\Seen", "\\Deleted", "$Work", "other"]

names = st.sampled_from(NAMES)
flags = st.frozensets(st.sampled_from(FLAGS), max_size=3).map(normal)
picks = st.frozensets(st.integers(1, 8), max_size=5).map(sorted)
steps = st.one_of(
    st.tuples(st.just("append"), names, st.integers(0, 3), flags),
    st.tuples(st.just("append"), st.sampled_from(["INBOX", "a"]), st.integers(1, 3), flags),
    st.tuples(st.just("mark"), names, picks, st.sampled_from(["set", "add", "remove"]), flags),
    st.tuples(st.just("copy"), names, picks, names),
    st.tuples(st.just("move"), names, picks, names),
    st.tuples(st.just("expunge"), names, picks),
    st.tuples(st.just("create"), names),
    st.tuples(st.just("rename"), names, names),
    st.tuples(st.just("delete"), names),
)


@dataclass
class Folder:
    """A mailbox of the model: UID to text and flags."""

    messages: dict[int, tuple[str, frozenset[str]]] = field(default_factory=dict)
    uidnext: int = 1

    def add(self, text: str, marks: frozenset[str]) -> None:
        self.messages[self.uidnext] = (text, marks)
        self.uidnext += 1


class Model:
    """What an account holds, in the plainest words. Methods return a condition or None."""

    def __init__(self) -> None:
        first = ("INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive")
        self.folders = {name: Folder() for name in first}
        self.texts = 0

    def append(self, name: str, number: int, marks: frozenset[str]) -> str | None:
        if name not in self.folders:
            return "TRYCREATE"
        for _ in range(number):
            self.folders[name].add(f"text{self.texts}", marks)
            self.texts += 1
        return None

    def mark(self, name: str, uids: list[int], how: str, marks: frozenset[str]) -> str | None:
        if name not in self.folders:
            return "NONEXISTENT"
        messages = self.folders[name].messages
        for uid in uids:
            if uid in messages:
                text, old = messages[uid]
                new = {"set": marks, "add": old | marks, "remove": old - marks}[how]
                messages[uid] = (text, new)
        return None

    def copy(self, name: str, uids: list[int], target: str) -> str | None:
        if name not in self.folders:
            return "NONEXISTENT"
        if target not in self.folders:
            return "TRYCREATE"
        messages = self.folders[name].messages
        for found in [messages[uid] for uid in uids if uid in messages]:
            self.folders[target].add(*found)
        return None

    def move(self, name: str, uids: list[int], target: str) -> str | None:
        present = [uid for uid in uids if uid in self.folders.get(name, Folder()).messages]
        return self.copy(name, uids, target) or self.expunge(name, present)

    def expunge(self, name: str, uids: list[int]) -> str | None:
        if name not in self.folders:
            return "NONEXISTENT"
        for uid in uids:
            self.folders[name].messages.pop(uid, None)
        return None

    def create(self, name: str) -> str | None:
        if name in self.folders:
            return "ALREADYEXISTS"
        self._levels(name)
        self.folders[name] = Folder()
        return None

    def _levels(self, name: str) -> None:
        parts = name.split("/")
        for n in range(1, len(parts)):
            self.folders.setdefault("/".join(parts[:n]), Folder())

    def rename(self, old: str, new: str) -> str | None:
        if old == "INBOX":
            return self.create(new) or self.move(old, [*self.folders[old].messages], new)
        moved = {name for name in self.folders if name == old or name.startswith(f"{old}/")}
        if not moved:
            return "NONEXISTENT"
        if new == old or new in self.folders:
            return "ALREADYEXISTS"
        if new.startswith(f"{old}/"):
            return "CANNOT"
        fresh = {new + name[len(old) :]: self.folders[name] for name in moved}
        if any(name in self.folders and name not in moved for name in fresh):
            return "ALREADYEXISTS"
        self._levels(new)
        for name in moved:
            del self.folders[name]
        self.folders |= fresh
        return None

    def delete(self, name: str) -> str | None:
        if name == "INBOX":
            return "CANNOT"
        if name in self.folders:
            del self.folders[name]
            return None
        has_children = any(other.startswith(f"{name}/") for other in self.folders)
        return "CANNOT" if has_children else "NONEXISTENT"


class Mirror:
    """What somebody knows who only hears the changes."""

    def __init__(self, account: Account, names: list[str]) -> None:
        self.folders: dict[str, dict[int, tuple[frozenset[str], int]]] = {}
        self.highest: dict[str, int] = {}
        self.faults: list[str] = []
        for name in names:
            self._take(MailboxCreated(name))
        account.watch(self.hear)

    def hear(self, change: Change) -> None:
        # What a watcher raises is the store's affair, so faults are kept for the test to find.
        try:
            self._take(change)
        except (AssertionError, LookupError) as fault:
            self.faults.append(f"{change}: {fault!r}")

    def _take(self, change: Change) -> None:
        name = change.mailbox
        match change:
            case MailboxCreated():
                assert name not in self.folders
                self.folders[name], self.highest[name] = {}, 0
            case MailboxDeleted():
                del self.folders[name]
            case MailboxRenamed(_, new):
                assert new not in self.folders
                self.folders[new] = self.folders.pop(name)
                self.highest[new] = self.highest.pop(name)
            case EntriesAdded(_, entries):
                assert min(each.uid for each in entries) > max(self.folders[name], default=0)
                self._rise(name, *(each.modseq for each in entries))
                self.folders[name] |= {each.uid: (each.flags, each.modseq) for each in entries}
            case FlagsChanged(_, marks):
                self._rise(name, *(modseq for _, _, modseq in marks))
                assert {uid for uid, _, _ in marks} <= {*self.folders[name]}
                self.folders[name] |= {uid: (now, modseq) for uid, now, modseq in marks}
            case EntriesExpunged(_, uids, modseq):
                self._rise(name, modseq)
                for uid in uids:
                    del self.folders[name][uid]

    def _rise(self, name: str, *modseqs: int) -> None:
        assert min(modseqs) > self.highest[name]
        self.highest[name] = max(modseqs)


class ChanceContract(Ground):
    """After any operations, store, model, and who only heard the changes, agree."""

    chance_examples = 60

    def test_any_operations_do_what_the_model_does(self, make_store: Callable[..., Store]):
        @settings(
            max_examples=self.chance_examples,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(st.lists(steps, max_size=25))
        def play(story: list[tuple[Any, ...]]) -> None:
            self.play(make_store(), story)

        play()

    def play(self, store: Store, story: list[tuple[Any, ...]]) -> None:
        account = self.run(store.account(ALICE))
        model, mirror = Model(), Mirror(account, self.names(account))
        opened: list[Mailbox] = []
        for word, *arguments in story:
            expected = getattr(model, word)(*arguments)
            assert self.attempt(account, model, word, arguments, opened) == expected
            self.compare(account, model, mirror)
        for mailbox in opened:
            mailbox.close()
        self.compare(account, model, mirror)
        if again := self.reopened(store):
            self.compare(self.run(again.account(ALICE)), model, mirror)

    def attempt(
        self,
        account: Account,
        model: Model,
        word: str,
        arguments: list[Any],
        opened: list[Mailbox],
    ) -> str | None:
        """Do one step; return the condition of a refusal."""
        name, *rest = arguments
        try:
            if word == "append":
                number, marks = rest
                texts = range(model.texts - number, model.texts)
                drafts = [draft(mail(f"text{n}"), *marks) for n in texts]
                self.run(account.append(name, drafts))
            elif word in ("create", "rename", "delete"):
                self.run(getattr(account, word)(name, *rest))
            else:
                opened.append(self.run(account.open(name)))
                self.run(getattr(opened[-1], word)(*rest))
        except Refused as error:
            return error.condition
        return None

    def compare(self, account: Account, model: Model, mirror: Mirror) -> None:
        assert self.selectable(account) == sorted(model.folders)
        for name, folder in model.folders.items():
            mailbox = self.run(account.open(name))
            assert {row.uid: row.flags for row in rows(mailbox)} == {
                uid: marks for uid, (_, marks) in folder.messages.items()
            }
            assert self.subjects(account, name) == [
                folder.messages[uid][0] for uid in sorted(folder.messages)
            ]
            assert mailbox.columns.uidnext == folder.uidnext
            mailbox.close()
        self.reflect(account, mirror)

    def reflect(self, account: Account, mirror: Mirror) -> None:
        """Compare what is there with what was heard, and the counts with both."""
        assert mirror.faults == []
        assert self.selectable(account) == sorted(mirror.folders)
        for name, heard in mirror.folders.items():
            mailbox = self.run(account.open(name))
            columns, found = mailbox.columns, rows(mailbox)
            assert heard == {row.uid: (row.flags, row.modseq) for row in found}
            assert [row.uid for row in found] == sorted(heard)
            assert columns.highest_modseq >= mirror.highest[name]
            status = self.run(account.status(name))
            assert (status.messages, status.uidnext) == (len(found), columns.uidnext)
            assert status.size == sum(row.size for row in found)
            mailbox.close()
