"""The account before each story, and a story begun again and again."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.ground import ALICE, BOB, draft, mail
from tests.faults import (
    QuickDisk,
)
from tests.store.crash.account import Seen, look_all, store_at
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.testing.doubles import finish

MAX_STEPS = 400

Record = Callable[[str, object], None]  # tests/conftest.py prints the sum of what is recorded


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account with three messages in the inbox and one in Sent; two more can be brought back."""
    root = tmp_path_factory.mktemp("before") / "mail"
    store = store_at(root, QuickDisk())
    account = finish(store.account(ALICE))
    finish(account.append("INBOX", [draft(mail(text)) for text in ("one", "two", "three")]))
    finish(account.append("Sent", [draft(mail("sent"), "\\Seen")]))
    gone = finish(account.append("Sent", [draft(mail("gone"), "\\Seen")])).targets
    finish(finish(account.open("Sent")).expunge(gone))
    finish(account.create("Lost"))
    finish(account.append("Lost", [draft(mail("lost"))]))
    finish(account.delete("Lost"))
    finish(store.account(BOB))
    finish(store.deliver([ALICE], Message(MemoryBlob(mail("delivered")))))
    for name in ("INBOX", "Sent"):
        finish(account.open(name)).close()
    finish(store.close())
    return root


@pytest.fixture(scope="module")
def old(before: Path) -> dict[str, Seen]:
    return look_all(before)


Attempt = Callable[[Path, int], bool]
Everywhere = Callable[[Attempt], None]


@pytest.fixture
def at_every_step(before: Path, tmp_path: Path, record_property: Record) -> Everywhere:
    """Try something on fresh copies, at one step later each time, until it says that it is through."""

    def run(attempt: Attempt) -> None:
        for step in range(MAX_STEPS):
            root = tmp_path / str(step)
            shutil.copytree(before, root)
            is_through = attempt(root, step)
            shutil.rmtree(root)
            if is_through:
                record_property("faults", step + 1)
                return
        raise AssertionError("the story does not end")

    return run
