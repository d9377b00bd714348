"""A server with a mailing list, for tests of what its parts do together."""

from email import message_from_bytes
from email.message import Message as EmailMessage
from pathlib import Path
from typing import Any

import pytest

from twisted_mail.assembly.delivery import DeliveryAssembly, DeliveryDependencies
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.editing.editor import DirectoryEditor
from twisted_mail.directory.mailing_list_store import SqliteMailingListStore
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.directory.sqlite import SqliteDirectory
from twisted_mail.lists.settings import ListSettings
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError
from twisted_mail.queue.program import result_of_exit_code
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal
from twisted_mail.testing.store import RecordingStore

CHEAP = PasswordSettings(memory_mib=1, passes=1, lanes=1)
ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.org"
NEWS = "news@example.org"


class ListServer:
    """Delivery with mailing lists over a real directory: alice and bob are on news, carol owns it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.path = folder / "waiting"
        self.clock, self.journal, self.store = StillClock(), ListJournal(), RecordingStore()
        blocking = InlineBlocking()
        file = folder / "accounts"
        self.editor = DirectoryEditor(file, CHEAP, ["example.org"], self.clock.now)
        directory = SqliteDirectory(file, blocking, blocking, CHEAP, ["example.org"])
        self.mailing_lists = SqliteMailingListStore(
            file, blocking, ["example.org"], now=self.clock.now
        )
        self.delivery = DeliveryAssembly(
            DeliveryDependencies(
                "mail.example.org",
                LocalRouter(directory, "mail.example.org"),
                self.store,  # type: ignore[arg-type]
                self.mailing_lists,
                self.journal,  # type: ignore[arg-type]
                self.clock,
                str(self.path),
                blocking,
                blocking,
                lambda *_: result_of_exit_code(0),
                list_settings=ListSettings(**settings),
            )
        )
        self.delivery.load()
        self.count = 0

    def furnish(self) -> "ListServer":
        for name in (ALICE, BOB, CAROL):
            self.editor.accounts.add(name, "secret")
        self.editor.aliases.add("postmaster@example.org", [CAROL])
        self.editor.lists.add(NEWS)
        self.editor.lists.add_members(NEWS, [ALICE, BOB])
        self.editor.lists.set_owners(NEWS, [CAROL])
        return self

    def send(
        self,
        recipient: str,
        sender: str = ALICE,
        header: str = "",
        body: str = "hello",
        **more: Any,
    ) -> None:
        self.count += 1
        lines = f"Received: from x\r\nSubject: test\r\n{header}\r\n{body}\r\n".encode()
        who = parse(sender) if sender else NULL
        envelope = Envelope(f"id{self.count}", who, (parse(recipient),), **more)
        finish(self.delivery.queue.accept(envelope, Message(MemoryBlob(lines))))
        self.work()

    def work(self) -> None:
        for _, work in self.delivery.periodic_work():
            finish(work())  # type: ignore[arg-type]

    def refusal(self, *args: Any, **more: Any) -> str:
        with pytest.raises(MailError) as caught:
            self.send(*args, **more)
        return f"{caught.value.outcome.code} {caught.value.outcome.enhanced}"

    def inbox(self, name: str) -> list[EmailMessage]:
        return [message_from_bytes(data) for data in self.store.copies.get(name, [])]

    def subjects(self, name: str) -> list[str]:
        return [mail["Subject"] for mail in self.inbox(name)]

    @property
    def members(self) -> list[str]:
        return [row.address for row in self.editor.lists.members(NEWS)]

    def bounces(self, name: str) -> str:
        """Return the envelope sender of the last copy in an inbox."""
        return str(self.inbox(name)[-1]["Return-Path"]).strip("<>")
