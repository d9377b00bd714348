"""What must be true after each story, whether it came to its end or not."""

from pathlib import Path
from typing import Any

from tests.contracts.ground import ALICE, mail
from tests.faults import (
    QuickDisk,
)
from tests.store.crash.account import Seen, store_at
from tests.store.crash.stories import SEEN, Story
from twisted_mail.mail.mailbox.entry import CopyResult
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.store.repair import undelete
from twisted_mail.testing.doubles import finish


def check(
    story: Story, answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]
) -> None:
    CHECKS[story.__name__](answer, done, old, new)
    for name in old.keys() & new.keys():
        if old[name].uidvalidity == new[name].uidvalidity:
            kept = old[name].messages.keys() & new[name].messages.keys()
            assert all(old[name].messages[uid][0] == new[name].messages[uid][0] for uid in kept), (
                "a UID means another message"
            )
            fresh = new[name].messages.keys() - old[name].messages.keys()
            assert min(fresh, default=old[name].uidnext) >= old[name].uidnext
            assert new[name].uidnext >= old[name].uidnext


def check_deliver(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    more = [mail("new")] if done else []
    assert new["INBOX"].texts in (
        sorted([*old["INBOX"].texts, *more]),
        sorted([*old["INBOX"].texts, mail("new")]),
    )


def check_file(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    whole = sorted([*old["Sent"].texts, mail("new")])
    assert new["Sent"].texts == whole or (not done and new["Sent"].texts == old["Sent"].texts)
    assert new["INBOX"].messages == old["INBOX"].messages


def check_deliver_round(
    answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]
) -> None:
    more = list(new["INBOX"].texts)
    for text in old["INBOX"].texts:
        more.remove(text)
    assert len(set(more)) == len(more)
    assert {*more} <= {mail("new"), mail("newer")}
    if done:
        assert {*more} >= {mail(text) for text, is_there in answer.items() if is_there}


def check_append(
    answer: CopyResult, done: bool, old: dict[str, Seen], new: dict[str, Seen]
) -> None:
    added = [mail("new"), mail("newer")]
    found = new["Sent"].texts
    assert found in [sorted([*old["Sent"].texts, *added[:n]]) for n in range(3)] or (
        not done and found == sorted([*old["Sent"].texts, added[1]])
    )
    assert new["INBOX"].texts == old["INBOX"].texts
    if done:
        assert answer.uidvalidity == new["Sent"].uidvalidity
        told = [new["Sent"].messages[uid] for uid in answer.targets]
        assert told == [(mail("new"), normal(["$Fresh"])), (mail("newer"), frozenset())]


check_spool = check_deliver
check_recover = check_append


def check_search(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    check_compact(answer, done, old, new)
    if done:
        assert answer == [{1}, {1}, {1}]


def check_come_and_go(
    answer: CopyResult, done: bool, old: dict[str, Seen], new: dict[str, Seen]
) -> None:
    left = [text for text in new["Sent"].texts if text not in old["Sent"].texts]
    assert {*left} <= {mail("new"), mail("newer")}
    assert not (done and left)


def check_copy(answer: CopyResult, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    assert new["INBOX"].messages == old["INBOX"].messages
    moved = [old["INBOX"].messages[uid][0] for uid in (1, 2, 4)]
    added = list(new["Sent"].texts)
    for text in old["Sent"].texts:
        added.remove(text)
    assert len(set(added)) == len(added)
    assert {*added} <= {*moved}
    if done:
        told = [new["Sent"].messages[uid][0] for uid in answer.targets]
        assert told == [old["INBOX"].messages[uid][0] for uid in answer.sources] == moved


def check_move(answer: CopyResult, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    before = [*old["INBOX"].texts, *old["Sent"].texts]
    assert sorted([*new["INBOX"].texts, *new["Sent"].texts]) == sorted(before), "lost or doubled"
    if done:
        assert new["INBOX"].messages.keys() == {3}
    if answer is not None:  # also of those that were moved before one failed
        assert new["INBOX"].messages.keys().isdisjoint(answer.sources)
        told = [new["Sent"].messages[uid][0] for uid in answer.targets]
        assert told == [old["INBOX"].messages[uid][0] for uid in answer.sources]


def check_mark(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    assert new["INBOX"].messages.keys() == old["INBOX"].messages.keys()
    for uid, (text, flags) in new["INBOX"].messages.items():
        assert text == old["INBOX"].messages[uid][0]
        wanted = SEEN if uid in (1, 3, 4) else frozenset()
        assert flags == wanted or (not done and flags == frozenset())


def check_expunge(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    left = new["INBOX"].messages
    assert left == {uid: old["INBOX"].messages[uid] for uid in left}
    assert 2 in left
    if done:
        assert answer == (1, 3, 4)
        assert left.keys() == {2}


check_copy_in_parts = check_copy
check_move_in_parts = check_move


def check_expunge_in_parts(
    answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]
) -> None:
    """What was not synced when the power failed may come back, as a message that is new."""
    if done:
        check_expunge(answer, done, old, new)
    left = list(new["INBOX"].texts)
    assert old["INBOX"].messages[2][0] in left
    for text in left:
        assert left.count(text) <= old["INBOX"].texts.count(text)


def check_rename(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    assert ("Sent" in new) + ("Old/Sent" in new) == 1
    found = new["Sent"] if "Sent" in new else new["Old/Sent"]
    assert found.messages == old["Sent"].messages
    assert found.uidvalidity == old["Sent"].uidvalidity
    assert not done or "Old/Sent" in new


def check_empty_inbox(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    found = new["Old"].texts if "Old" in new else []
    assert sorted([*new["INBOX"].texts, *found]) == sorted(old["INBOX"].texts)
    if done:
        assert new["INBOX"].texts == []


def check_compact(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    assert {name: seen.messages for name, seen in new.items()} == {
        name: seen.messages for name, seen in old.items()
    }


check_find_damage = check_meet_damage = check_compact


def check_delete(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    assert new["INBOX"].messages == old["INBOX"].messages
    if "Sent" in new:
        assert not done
        assert new["Sent"] == old["Sent"] or new["Sent"].messages == old["Sent"].messages


def check_restore(answer: Any, done: bool, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    back = {"Sent": mail("gone"), "Lost": mail("lost")}
    for name, text in back.items():
        before, after = (
            old[name].texts if name in old else [],
            new[name].texts if name in new else [],
        )
        assert after == sorted([*before, text]) or (not done and after == before)


def check_nothing_lost(root: Path, old: dict[str, Seen], new: dict[str, Seen]) -> None:
    """Every message is in a mailbox, or can be brought back."""
    store = store_at(root, QuickDisk())
    account = finish(store.account(ALICE))
    found = finish(account.lane.perform_steps(undelete.list_expunged))
    kept = {finish(account.lane.perform_steps(undelete.head, each)) for each in found}
    finish(store.close())
    there = kept.union(*(seen.texts for seen in new.values()))
    assert there >= {mail("gone"), mail("lost")}.union(*(seen.texts for seen in old.values()))


CHECKS = {
    name.removeprefix("check_"): each for name, each in globals().items() if name[:6] == "check_"
}
