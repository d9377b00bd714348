import os
import shutil
from pathlib import Path

import pytest

from tests.contracts.ground import draft, mail
from tests.faults import StopDisk, Stopped
from tests.store.work.transfer.test_move import account_at
from twisted_mail.mail.mailbox.entry import CopyResult, MessageRange
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.store.account import alterations
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.testing.doubles import finish

MESSAGES = {
    mail("one"): normal(["\\Seen"]),
    mail("two"): normal(["$Work"]),
    mail("three"): normal([]),
}


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """An account whose inbox has three messages."""
    root = tmp_path / "before"
    account = account_at(root)
    finish(account.append("INBOX", [draft(text, *flags) for text, flags in MESSAGES.items()]))
    finish(account.close())
    return root


def copy(account: MaildirAccount) -> CopyResult:
    inbox = finish(account.open("INBOX"))
    try:
        return finish(inbox.copy([1, 2, 3], "Sent"))
    finally:
        inbox.close()


def sent(root: Path) -> list[tuple[bytes, list[str]]]:
    account = account_at(root)
    mailbox = finish(account.open("Sent"))
    texts = finish(mailbox.read([MessageRange(uid) for uid in mailbox.columns.uids]))
    return sorted(zip(texts, map(sorted, mailbox.columns.flags), strict=True))


@pytest.mark.parametrize("number", [1, 500])
def test_wherever_the_process_stops_all_are_copied_or_none(
    before: Path, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alterations, "AT_ONCE", number)
    everything = sorted((text, sorted(flags)) for text, flags in MESSAGES.items())
    seen = []
    for stop_at in range(200):
        root = tmp_path / str(stop_at)
        shutil.copytree(before, root)
        try:
            copy(account_at(root, StopDisk(stop_at)))
        except Stopped:
            seen.append(len(sent(root)))
            assert sent(root) in ([], everything)
        else:
            assert sent(root) == everything
            assert {*seen} == {0, 3}
            return
    raise AssertionError("the copy does not end")


def test_links_of_a_copy_that_nobody_finishes_are_removed_after_a_day_and_a_half(
    before: Path,
) -> None:
    tmp = before / "example.org/alice/Maildir/.Sent/tmp"
    young, old = tmp / "1.M1.host.linked", tmp / "2.M2.host.linked"
    for stage in (young, old):
        stage.mkdir()
        (stage / "3.M3.host:2,S").write_bytes(mail("one"))
    os.utime(young, (2e9 - 3600, 2e9 - 3600))
    os.utime(old, (2e9 - 37 * 3600, 2e9 - 37 * 3600))
    assert sent(before) == []
    assert [*tmp.iterdir()] == [young]
