import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, FakeRenderer, draft, mail
from tests.faults import QuickDisk
from twisted_mail.mail.mailbox.entry import CopyResult, MessageRange
from twisted_mail.mail.mailbox.flags import normal
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.account.account import MaildirAccount
from twisted_mail.store.index.rows import Row
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.store.repair import undelete
from twisted_mail.store.repair.undelete import ExpungedMessage
from twisted_mail.store.settings import StoreSettings
from twisted_mail.store.trash import expunged_archive
from twisted_mail.store.trash.expunged_archive import ExpungedName
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

NOW = 1_795_423_000  # 2026-11-23
DAY = 86_400


@pytest.fixture
def clock() -> StillClock:
    return StillClock(float(NOW))


@pytest.fixture
def make_account(tmp_path: Path, clock: StillClock) -> Callable[..., MaildirAccount]:
    def make(days: int = 14) -> MaildirAccount:
        store = MaildirStore(
            tmp_path,
            InlineBlocking(),
            clock,
            FakeRenderer(),
            StoreServices(settings=StoreSettings(undelete_days=days), disk=QuickDisk()),
        )
        return finish(store.account(ALICE))

    return make


@pytest.fixture
def account(make_account: Callable[..., MaildirAccount]) -> MaildirAccount:
    return make_account()


def put(account: MaildirAccount, name: str, *texts: str, flags: tuple[str, ...] = ()) -> list[int]:
    drafts = [draft(mail(text), *flags, date=NOW - 1000) for text in texts]
    return list(finish(account.append(name, drafts)).targets)


def expunge(account: MaildirAccount, name: str, uids: list[int]) -> None:
    mailbox = finish(account.open(name))
    assert list(finish(mailbox.expunge(uids))) == uids
    mailbox.close()


def listing(account: MaildirAccount, *args: object) -> list[ExpungedMessage]:
    return finish(account.lane.perform_steps(undelete.list_expunged, *args))  # type: ignore[arg-type]


def restore(
    account: MaildirAccount, found: list[ExpungedMessage], target: str = ""
) -> dict[str, CopyResult]:
    return dict(finish(account.lane.perform_steps(undelete.restore, found, target)))


def files(account: MaildirAccount) -> list[str]:
    root = os.fsdecode(account._tree.archive.path)
    return sorted(os.path.join(at, name) for at, _, names in os.walk(root) for name in names)


def look(account: MaildirAccount, name: str) -> list[tuple[bytes, set[str], int]]:
    mailbox = finish(account.open(name))
    columns = mailbox.columns
    texts = [
        text or b"" for text in finish(mailbox.read([MessageRange(uid) for uid in columns.uids]))
    ]
    found = list(zip(texts, map(set, columns.flags), columns.dates, strict=True))
    mailbox.close()
    return found


# ---------------------------------------------------------------- keeping


def test_an_expunged_message_is_listed(account: MaildirAccount, clock: StillClock) -> None:
    one, _ = put(account, "INBOX", "one", "two", flags=("\\Seen", "\\Deleted", "$Work"))
    clock.seconds += 5
    expunge(account, "INBOX", [one])
    [found] = listing(account)
    assert (found.mailbox, found.uid, found.expunged) == ("INBOX", one, NOW + 5)
    assert (found.date, found.size) == (NOW - 1000, len(mail("one")))
    assert found.flags == {"\\Seen", "\\Deleted", "$Work"}
    assert finish(account.lane.perform_steps(undelete.head, found)) == mail("one")


def test_it_lies_outside_of_the_maildir(account: MaildirAccount) -> None:
    expunge(account, "INBOX", put(account, "INBOX", "one"))
    [path] = files(account)
    assert "/expunged/2026-11-23/INBOX/" in path
    assert finish(account.status("INBOX")).messages == 0


def test_no_message_is_kept_if_that_is_switched_off(
    make_account: Callable[..., MaildirAccount],
) -> None:
    account = make_account(days=0)
    expunge(account, "INBOX", put(account, "INBOX", "one"))
    put(account, "Sent", "two")
    finish(account.delete("Sent"))
    assert listing(account) == []
    assert not os.path.exists(account._tree.archive.path)


def test_a_deleted_mailbox_is_listed(account: MaildirAccount) -> None:
    finish(account.create("work/old"))
    uids = put(account, "work/old", "one", "two", flags=("\\Flagged", "$Work"))
    finish(account.delete("work/old"))
    found = listing(account)
    assert [each.uid for each in found] == uids
    assert {(each.mailbox, each.expunged, each.date) for each in found} == {
        ("work/old", NOW, NOW - 1000)
    }
    assert all(each.flags == {"\\Flagged", "$Work"} for each in found)


def test_an_empty_mailbox_leaves_nothing(account: MaildirAccount) -> None:
    finish(account.delete("Sent"))
    assert not os.path.exists(account._tree.archive.path)
    assert [name for name in os.listdir(account._tree.maildir) if name.startswith(b"..")] == []


def test_a_mailbox_can_be_deleted_twice_a_day(account: MaildirAccount) -> None:
    for text in ("one", "two"):
        finish(account.create("work"))
        put(account, "work", text)
        finish(account.delete("work"))
    assert len(listing(account)) == 2


def test_the_listing_can_be_of_one_mailbox_and_since_a_time(
    account: MaildirAccount, clock: StillClock
) -> None:
    for name in ("INBOX", "Sent"):
        expunge(account, name, put(account, name, "one"))
        clock.seconds += 10
    assert [each.mailbox for each in listing(account, "inbox")] == ["INBOX"]
    assert [each.mailbox for each in listing(account, None, NOW + 5)] == ["Sent"]


def test_moved_messages_are_not_expunged(account: MaildirAccount) -> None:
    uids = put(account, "INBOX", "one")
    inbox = finish(account.open("INBOX"))
    finish(inbox.move(uids, "Trash"))
    assert listing(account) == []


def test_what_others_put_there_is_passed_over(account: MaildirAccount) -> None:
    expunge(account, "INBOX", put(account, "INBOX", "one"))
    [found] = listing(account)
    root = account._tree.archive.path
    inbox = os.path.join(root, os.path.dirname(found.path))
    for path in (b"x", b"2026-11-23/x", b"2026-11-23/..x", b"2026-11-23/INBOX/strange"):
        Path(os.fsdecode(os.path.join(root, path))).touch()
    os.symlink(os.path.join(root, found.path), inbox + b"/1.1.link:2,")
    os.mkdir(inbox + b"/1.1.folder:2,")
    os.makedirs(root + b"/2026-11-23/y/.Sent/cur/folder")
    assert listing(account) == [found]


# ---------------------------------------------------------------- restoring


def test_a_message_comes_back_with_flags_and_date_and_a_new_uid(account: MaildirAccount) -> None:
    uids = put(account, "INBOX", "one", "two", flags=("\\Seen", "\\Deleted", "$Work"))
    expunge(account, "INBOX", uids[:1])
    copied = restore(account, listing(account))
    assert copied["INBOX"].sources == (uids[0],)
    assert copied["INBOX"].targets == (uids[1] + 1,)
    assert look(account, "INBOX")[1] == (mail("one"), {"\\Seen", "$Work"}, NOW - 1000)
    assert listing(account) == files(account) == []


def test_messages_come_back_into_another_mailbox(account: MaildirAccount) -> None:
    for name in ("INBOX", "Sent"):
        expunge(account, name, put(account, name, name))
    restore(account, listing(account), "Archive")
    assert [text for text, _, _ in look(account, "Archive")] == [mail("INBOX"), mail("Sent")]


def test_a_deleted_mailbox_comes_back(account: MaildirAccount) -> None:
    finish(account.create("work/old"))
    put(account, "work/old", "one", "two", flags=("\\Flagged", "$Work"))
    finish(account.delete("work/old"))
    restore(account, listing(account))
    flags = {"\\Flagged", "$Work"}
    assert look(account, "work/old") == [
        (mail("one"), flags, NOW - 1000),
        (mail("two"), flags, NOW - 1000),
    ]


def test_a_missing_target_is_not_made(account: MaildirAccount) -> None:
    expunge(account, "INBOX", put(account, "INBOX", "one"))
    with pytest.raises(Refused) as caught:
        restore(account, listing(account), "nothing")
    assert caught.value.condition == "TRYCREATE"
    assert len(listing(account)) == 1


def test_what_is_not_kept_any_more_is_passed_over(account: MaildirAccount) -> None:
    uids = put(account, "INBOX", "one", "two")
    expunge(account, "INBOX", uids)
    found = listing(account)
    os.unlink(os.path.join(account._tree.archive.path, found[0].path))
    copied = restore(account, found)
    assert copied["INBOX"].sources == (uids[1],)


def test_no_path_leads_out_of_the_folder(account: MaildirAccount) -> None:
    for path in (b"../../x", b"/etc/passwd", b"2026-11-23/../x", b""):
        with pytest.raises(Refused):
            restore(account, [ExpungedMessage(path, "INBOX", 1, 0, 0, 0, frozenset())])


# ---------------------------------------------------------------- tidying up


def clean(account: MaildirAccount, clock: StillClock, days: int = 14, limit: int = 1000) -> int:
    return expunged_archive.purge(QuickDisk(), account._tree.path, days, clock.now(), limit)


def test_messages_are_kept_for_the_days_that_were_promised(
    account: MaildirAccount, clock: StillClock
) -> None:
    expunge(account, "INBOX", put(account, "INBOX", "one"))
    clock.seconds += 14 * DAY
    assert clean(account, clock) == 0
    clock.seconds += DAY
    assert clean(account, clock) == 1
    assert os.listdir(account._tree.archive.path) == []


def test_tidying_up_is_bounded_and_goes_on_where_it_ended(
    account: MaildirAccount, clock: StillClock
) -> None:
    expunge(account, "INBOX", put(account, "INBOX", *map(str, range(10))))
    put(account, "Sent", *map(str, range(5)))
    finish(account.delete("Sent"))
    clock.seconds += 20 * DAY
    removed = 0
    while step := clean(account, clock, limit=4):
        assert step <= 4
        removed += step
    assert removed >= 15
    assert os.listdir(account._tree.archive.path) == []


def test_what_is_no_day_is_left_alone(account: MaildirAccount, clock: StillClock) -> None:
    os.makedirs(account._tree.archive.path + b"/notes")
    clock.seconds += 100 * DAY
    assert clean(account, clock) == 0
    assert os.listdir(account._tree.archive.path) == [b"notes"]


# ---------------------------------------------------------------- names


def row(base: bytes, *flags: str) -> Row:
    return Row(7, base, b"c:2,", normal(flags), 1, NOW, 10, 10)


def test_a_name_says_all_that_is_needed() -> None:
    flags = ("\\Seen", "\\Draft", "$Work", "a/b,:c")
    name = expunged_archive.name(row(b"1.M2P3.host,S=10,W=10", *flags), NOW + 0.5)
    assert b"/" not in name
    assert expunged_archive.parse(name) == ExpungedName(
        NOW, 7, b"1.M2P3.host,S=10,W=10", normal(flags)
    )


@pytest.mark.parametrize("length", [1, 200, 240, 255])
def test_no_name_is_too_long(length: int) -> None:
    keywords = [f"keyword{number}" for number in range(60)]
    name = expunged_archive.name(row(b"x" * length, "\\Seen", *keywords), NOW)
    assert len(name) <= 255
    label = expunged_archive.parse(name)
    assert label is not None
    assert label.uid == 7
    assert "\\Seen" in label.flags


@pytest.mark.parametrize("name", [b"", b"x", b"1.2", b"1.2.", b"1.2.x", b"1.2.:2,", b"a.b.c:2,S"])
def test_other_names_are_no_labels(name: bytes) -> None:
    assert expunged_archive.parse(name) is None


# ---------------------------------------------------------------- ids


def emails(account: MaildirAccount, name: str) -> list[str]:
    mailbox = finish(account.open(name))
    found = finish(mailbox.identities(mailbox.columns.uids))
    mailbox.close()
    return [each.email for each in found if each]


def test_a_message_that_comes_back_keeps_its_email_id(account: MaildirAccount) -> None:
    put(account, "INBOX", "one", "two")
    before = emails(account, "INBOX")
    expunge(account, "INBOX", [1, 2])
    restore(account, listing(account), "Sent")
    assert emails(account, "Sent") == before


def test_ids_survive_the_loss_of_the_index(
    make_account: Callable[..., MaildirAccount], tmp_path: Path
) -> None:
    account = make_account()
    uids = put(account, "INBOX", "one", "two")
    finish(finish(account.open("INBOX")).copy(uids, "Sent"))
    before = emails(account, "INBOX"), finish(account.status("Sent")).id
    finish(account.close())
    for path in tmp_path.glob("*/*/index.sqlite3*"):
        path.unlink()
    account = make_account()
    assert (emails(account, "Sent"), finish(account.status("Sent")).id) == before


def test_a_file_whose_name_tells_no_time_was_saved_at_its_date(account: MaildirAccount) -> None:
    finish(account.mailboxes())
    path = Path(os.fsdecode(account._tree.maildir)) / "cur" / "strange:2,"
    path.write_bytes(mail("x"))
    os.utime(path, (NOW - 5000, NOW - 5000))
    mailbox = finish(account.open("INBOX"))
    [found] = finish(mailbox.identities([1]))
    assert found is not None
    assert found.saved == NOW - 5000
