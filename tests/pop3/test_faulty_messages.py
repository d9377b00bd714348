"""One message has a file that cannot be read: the login and the other messages are not concerned."""

import errno
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, draft, mail
from tests.faults import BadFilesDisk
from tests.pop3.fakes import Pop3Fixture
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.testing.doubles import InlineBlocking, finish

NOT_READ = "-ERR [SYS/PERM] Message 3 cannot be read from the disk"


class FaultyPop3(Pop3Fixture):
    """A maildrop in a maildir: two good messages and, as number 3, one of another program's."""

    def __init__(self, root: Path) -> None:
        super().__init__()
        self.disk = BadFilesDisk()
        self.reports: list[tuple[str, Exception]] = []
        store = MaildirStore(
            root,
            InlineBlocking(),
            self.clock,
            ItemRenderer(),
            StoreServices(
                disk=self.disk,
                report_fault=lambda where, error: self.reports.append((where, error)),
            ),
        )
        account = finish(store.account(ALICE))
        finish(account.append("INBOX", [draft(mail(text)) for text in ("one", "two")]))
        self.bad = root / "example.org" / "alice" / "Maildir" / "cur" / "900.restored.h:2,S"
        self.bad.write_bytes(mail("three"))
        self.disk.bad = {("open", b"restored"): errno.EACCES}
        self.mailbox = finish(account.open("INBOX"))  # type: ignore[assignment]


@pytest.fixture
def pop3(tmp_path: Path) -> FaultyPop3:
    return FaultyPop3(tmp_path)


def test_the_login_and_the_listings_have_every_message(pop3: FaultyPop3) -> None:
    size = len(mail("one"))
    lines = pop3.replies("STAT\r\nLIST\r\nUIDL\r\nQUIT\r\n")
    assert lines[0] == f"+OK 3 {2 * size}"
    assert lines[2:6] == [f"1 {size}", f"2 {size}", "3 0", "."]
    assert len(lines[7:10]) == 3
    assert [(where, error.errno) for where, error in pop3.reports] == [  # type: ignore[attr-defined]
        (str(pop3.bad), errno.EACCES)
    ]


@pytest.mark.parametrize("verb", ["RETR 3", "TOP 3 1"])
def test_only_the_message_itself_is_refused(pop3: FaultyPop3, verb: str) -> None:
    lines = pop3.replies(f"{verb}\r\nRETR 1\r\nQUIT\r\n")
    assert lines[0] == NOT_READ
    assert lines[1].startswith("+OK ")
    assert "This is one." in lines


def test_it_can_be_deleted(pop3: FaultyPop3) -> None:
    assert pop3.replies("DELE 3\r\nQUIT\r\n")[0].startswith("+OK ")
    assert not pop3.bad.exists()


def test_the_others_are_deleted_where_one_cannot_be(pop3: FaultyPop3) -> None:
    pop3.disk.bad = {("rename", b"restored"): errno.EACCES}
    lines = pop3.replies("DELE 1\r\nDELE 3\r\nQUIT\r\n")
    assert lines[-1] == "-ERR [SYS/PERM] Some deleted messages were not removed"
    assert pop3.uids == [2, 3]


def test_a_message_whose_size_the_name_says_does_not_stop_the_login(pop3: FaultyPop3) -> None:
    octets = len(mail("three"))
    pop3.bad.rename(pop3.bad.with_name(f"900.restored.h,S={octets},W={octets}:2,S"))
    lines = pop3.replies("LIST 3\r\nRETR 3\r\nQUIT\r\n")
    assert lines[:2] == [f"+OK 3 {octets}", NOT_READ]
