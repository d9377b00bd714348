"""A server with a mailing list, for tests of what its parts do together."""

from email import message_from_bytes
from email.message import Message as EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.acceptance_bench import FakeReports
from tests.queue.instant_dispatch import InstantDispatch
from twisted_mail.delivery.acceptance import MailAcceptance
from twisted_mail.delivery.account_carrier import AccountCarrier
from twisted_mail.delivery.doors import DeliveryBackend, QueueDoors
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.directory.mailing_list_store import SqliteMailingListStore
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.directory.sqlite import SqliteDirectory
from twisted_mail.lists.admission import MailingListAdmission
from twisted_mail.lists.backend import ListBackend
from twisted_mail.lists.carrier import ListCarrier
from twisted_mail.lists.settings import ListSettings
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError
from twisted_mail.mail.queued.job import OwedRecipient
from twisted_mail.queue.mailer import QueueMailer
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.job_spool import MemoryJobSpool
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.store import RecordingStore

CHEAP = PasswordSettings(memory_mib=1, passes=1, lanes=1)
ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.org"
NEWS = "news@example.org"


class ListServer:
    """Delivery with mailing lists over a real directory: alice and bob are on news, carol owns it."""

    def __init__(self, folder: Path, spool: MemoryJobSpool | None = None, **settings: Any) -> None:
        self.clock, self.journal, self.store = StillClock(), ListJournal(), RecordingStore()
        self.spool, self.reports = spool or MemoryJobSpool(), FakeReports()
        self._make_directory(folder / "accounts")
        self._make_delivery(ListSettings(**settings))
        self.count = 0

    def _make_directory(self, file: Path) -> None:
        blocking = InlineBlocking()
        self.editor = DirectoryEditor(file, CHEAP, ["example.org"], self.clock.now)
        directory = SqliteDirectory(file, blocking, blocking, CHEAP, ["example.org"])
        self.router = LocalRouter(directory, "mail.example.org")
        self.mailing_lists = SqliteMailingListStore(
            file, blocking, ["example.org"], now=self.clock.now
        )

    def _make_delivery(self, settings: ListSettings) -> None:
        blocking, admission = InlineBlocking(), MailingListAdmission(self.mailing_lists)
        doors = QueueDoors(self.spool, self.reports, admission, blocking, settings.max_held)
        store: Any = self.store
        backend = DeliveryBackend(self.router, store, self.journal, self.clock, queue=doors)
        self.queue = MailAcceptance(backend)
        self.lists = ListCarrier(
            ListBackend(
                "mail.example.org",
                self.mailing_lists,
                self.router,
                admission,
                QueueMailer(self.queue, self.clock, "mail.example.org"),
                self.spool,
                blocking,
                self.clock,
                self.journal,
                settings,
            )
        )
        carriers = {"list": self.lists, "account": AccountCarrier(backend)}
        self.dispatch = InstantDispatch(self.spool, carriers, self.clock)

    def furnish(self) -> "ListServer":
        for name in (ALICE, BOB, CAROL):
            self.editor.accounts.add(name, "secret")
        self.editor.aliases.add("postmaster@example.org", [CAROL])
        self.editor.lists.add(NEWS)
        self.editor.lists.add_members(NEWS, [ALICE, BOB])
        self.editor.lists.set_owners(NEWS, [CAROL])
        return self

    def accept(
        self,
        recipient: str,
        sender: str = ALICE,
        header: str = "",
        body: str = "hello",
        **more: Any,
    ) -> None:
        """Take a message, and bring it nowhere yet."""
        self.count += 1
        lines = f"Received: from x\r\nSubject: test\r\n{header}\r\n{body}\r\n".encode()
        who = parse(sender) if sender else NULL
        envelope = Envelope(f"id{self.count}", who, (parse(recipient),), **more)
        finish(self.queue.accept(envelope, Message(MemoryBlob(lines))))

    def send(self, *args: Any, **more: Any) -> None:
        self.accept(*args, **more)
        self.work()

    def work(self) -> None:
        finish(self.lists.held_posts.work())
        self.dispatch.work()

    def refusal(self, *args: Any, **more: Any) -> str:
        with pytest.raises(MailError) as caught:
            self.send(*args, **more)
        return f"{caught.value.outcome.code} {caught.value.outcome.enhanced}"

    def inbox(self, name: str) -> list[EmailMessage]:
        return [message_from_bytes(data) for data in self.store.copies.get(name, [])]

    def subjects(self, name: str) -> list[str]:
        return [mail["Subject"] for mail in self.inbox(name)]

    @property
    def owed(self) -> list[OwedRecipient]:
        """Return all recipients that are owed something."""
        return [one for job in self.spool.jobs.values() for one in job.recipients.values()]

    @property
    def members(self) -> list[str]:
        return [row.address for row in self.editor.lists.members(NEWS)]

    def bounces(self, name: str) -> str:
        """Return the envelope sender of the last copy in an inbox."""
        return str(self.inbox(name)[-1]["Return-Path"]).strip("<>")
