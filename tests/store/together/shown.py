"""What both stores show, and the promises of the numbers."""

from dataclasses import dataclass, field
from typing import NamedTuple

from tests.contracts.ground import ALICE
from twisted_mail.interfaces import Account, Store
from twisted_mail.mail.mailbox.entry import MailboxInfo, MessageRange
from twisted_mail.mail.mailbox.flags import Flags
from twisted_mail.testing.doubles import finish


class Shown(NamedTuple):
    """What clients see of an account: its names, and text, flags and date of each message."""

    names: list[MailboxInfo]
    boxes: dict[str, list[tuple[bytes, Flags, int]]]


class Numbered(NamedTuple):
    """One mailbox with its numbers; ``messages`` are text, flags, mod-sequence and EMAILID by UID."""

    uidvalidity: int
    uidnext: int
    modseq: int
    messages: dict[int, tuple[bytes, Flags, int, str]]


def look(account: Account) -> tuple[Shown, dict[str, Numbered]]:
    shown = Shown(list(finish(account.mailboxes())), {})
    numbers = {}
    for name in [info.name for info in shown.names if info.is_selectable]:
        mailbox = finish(account.open(name))
        uids = list(mailbox.columns.uids)
        finish(mailbox.measure(uids))
        texts = finish(mailbox.read([MessageRange(uid) for uid in uids]))
        columns = mailbox.columns
        assert list(map(len, texts)) == list(columns.sizes)
        shown.boxes[name] = list(zip(texts, columns.flags, columns.dates, strict=True))
        emails = [each.email for each in finish(mailbox.identities(uids))]
        messages = zip(texts, columns.flags, columns.modseqs, emails, strict=True)
        numbers[name] = Numbered(
            mailbox.uidvalidity,
            columns.uidnext,
            columns.highest_modseq,
            dict(zip(uids, messages, strict=True)),
        )
        check_status(account, name, numbers[name])
        mailbox.close()
    return shown, numbers


def check_status(account: Account, name: str, box: Numbered) -> None:
    status = finish(account.status(name))
    flags = [message[1] for message in box.messages.values()]
    assert status.messages == len(flags)
    assert status.unseen == sum("\\Seen" not in each for each in flags)
    assert status.deleted == sum("\\Deleted" in each for each in flags)
    assert status.size == sum(len(message[0]) for message in box.messages.values())
    assert status.uidvalidity == box.uidvalidity
    assert (status.uidnext, status.highest_modseq) == (box.uidnext, box.modseq)


def show(store: Store) -> Shown:
    return look(finish(store.account(ALICE)))[0]


@dataclass
class Numbers:
    """What was told of numbers in all looks at one account, by UIDVALIDITY.

    A UID means the same message for ever, and new ones are higher. Whatever is new or altered has a
    higher mod-sequence than any that was told. New mailboxes have higher UIDVALIDITYs than any. All
    copies of a message have its EMAILID, and no other message has.
    """

    told: dict[int, Numbered] = field(default_factory=dict)
    texts: dict[tuple[int, int], bytes] = field(default_factory=dict)
    emails: dict[bytes, str] = field(default_factory=dict)

    def note(self, boxes: dict[str, Numbered]) -> None:
        known = {box.uidvalidity for box in boxes.values()} & self.told.keys()
        fresh = {box.uidvalidity for box in boxes.values()} - known
        assert len(known) + len(fresh) == len(boxes), "two mailboxes have one UIDVALIDITY"
        assert min(fresh, default=2**32) > max(self.told, default=0)
        for box in boxes.values():
            if box.uidvalidity in known:
                self._compare(self.told[box.uidvalidity], box)
            self._take(box)

    def _compare(self, old: Numbered, box: Numbered) -> None:
        assert box.uidnext >= old.uidnext
        assert box.modseq >= old.modseq
        for uid, (text, flags, modseq, _) in box.messages.items():
            before = old.messages.get(uid)
            assert before is not None or uid >= old.uidnext, "a UID comes back"
            if before is None or before[1] != flags:
                assert modseq > old.modseq
            else:
                assert modseq >= before[2]
            assert before is None or before[0] == text, "a UID means another message"
        assert box.messages.keys() >= old.messages.keys() or box.modseq > old.modseq

    def _take(self, box: Numbered) -> None:
        self.told[box.uidvalidity] = box
        for uid, (text, _, modseq, email) in box.messages.items():
            assert uid < box.uidnext
            assert modseq <= box.modseq
            assert self.emails.setdefault(text, email) == email
        assert len({*self.emails.values()}) == len(self.emails)
