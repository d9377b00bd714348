"""Playing a story on a disk, and looking at what is left."""

from pathlib import Path
from typing import Any

from tests.contracts.ground import ALICE, draft
from tests.faults import (
    DATABASE_ERRORS,
    FailDisk,
    QuickDisk,
    Stopped,
)
from tests.store.crash.account import Seen, look_all, store_at
from tests.store.crash.promises import check
from tests.store.crash.stories import Story
from twisted_mail.mail.mailbox.entry import CopyResult
from twisted_mail.mail.outcome import Refused, Unavailable
from twisted_mail.store.maildir import MaildirStore
from twisted_mail.testing.doubles import finish


def abandon(store: MaildirStore) -> None:
    """Let go of the indexes as a process that dies does."""
    for account in list(store._accounts.values()):
        if account.search._index is not None:
            account.search._index.close()
        if account._tree._index is not None:
            account._tree._index.close()


def play(story: Story, store: MaildirStore) -> tuple[Any, bool]:
    try:
        return finish(story(store)), True
    except Stopped:
        return None, False
    finally:
        abandon(store)


def play_or_refuse(story: Story, root: Path, disk: FailDisk) -> tuple[Any, bool]:
    """Play a story; whatever the disk refuses and a client hears of, the operator hears of, too."""
    reports: list[tuple[str, Exception]] = []
    store = store_at(root, disk, lambda where, error: reports.append((where, error)))
    answer, done = _play_or_refuse(story, store)
    if not done and disk.has_failed:
        assert any(where and _is_told(error, disk.error) for where, error in reports), reports
    return answer, done


def _is_told(error: Exception, number: int) -> bool:
    if isinstance(error, OSError):
        return error.errno == number
    return isinstance(error, DATABASE_ERRORS[number])


def _play_or_refuse(story: Story, store: MaildirStore) -> tuple[Any, bool]:
    try:
        answer = finish(story(store))
        return answer, not (isinstance(answer, CopyResult) and answer.error)
    except (Unavailable, Refused):
        return None, False
    finally:
        abandon(store)


def aftermath(
    story: Story,
    root: Path,
    answer: Any,
    done: bool,
    old: dict[str, Seen],
    new: dict[str, Seen],
) -> None:
    """Compare what is seen, in ``new``, with what was promised; look again, and add something."""
    check(story, answer, done, old, new)
    again = look_all(root)
    assert {name: seen.as_numbered for name, seen in again.items()} == {
        name: seen.as_numbered for name, seen in new.items()
    }
    store = store_at(root, QuickDisk())
    for name in new:
        told = max([0, *new[name].messages, *old[name].messages] if name in old else [0])
        if isinstance(answer, CopyResult) and name == "Sent":
            told = max([told, *answer.targets])
        copied = finish(finish(store.account(ALICE)).append(name, [draft(b"later")]))
        same = name not in old or copied.uidvalidity == old[name].uidvalidity
        assert not same or copied.targets[0] > told
    finish(store.close())
