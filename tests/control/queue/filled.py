"""A stopped queue with some mail in it, for tests of the commands that look at it."""

import time
from dataclasses import replace
from pathlib import Path

from tests.control.terminal import Terminal
from twisted_mail.interfaces import SiteRecord
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.job import (
    BY_OPERATOR,
    JobKind,
    NewJob,
    OwedRecipient,
    QueuedJob,
    RecipientState,
)
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.queue.spool.disk_spool import DiskJobSpool
from twisted_mail.store.disk.files import DiskFiles
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

NOW = time.time()  # anew for each queue that is filled: the commands know no other time
ALICE, CAROL = "alice@example.org", "carol@example.org"
FULL = Attempt(
    Outcome(452, "4.2.2", "Mailbox full"),
    NOW - 60,
    ReplyClass.FULL,
    host="mx.one.example",
    address="192.0.2.1",
    command="RCPT TO:<bob@one.example>",
    tls="TLSv1.3/TLS_AES_128_GCM_SHA256",
    phases={"connect": 0.25},
)
SILENT = Attempt(Outcome(451, "4.4.1", "No answer"), NOW - 60, ReplyClass.NETWORK)


def owed(number: int, to: str, **more) -> OwedRecipient:
    return OwedRecipient(number, RemoteTarget(parse(to)), **more)


def jobs() -> list[NewJob]:
    """Return a letter to two, one refused for now; a report; and something held."""
    letter = QueuedJob("1a", NOW - 7200, parse(ALICE), submitter=ALICE, message_id="<x@y>", size=3)
    bob = owed(1, "bob@one.example", due=NOW + 600, tries=2, last=FULL, original=parse(CAROL))
    report = QueuedJob("2b", NOW - 3600, NULL, JobKind.REPORT, size=3)
    other = QueuedJob("3c", NOW - 60, parse(CAROL), submitter=CAROL, size=3)
    held = owed(1, "frank@three.example", state=RecipientState.HELD, reason=BY_OPERATOR)
    return [
        new_job(letter, bob, owed(2, "dave@two.example")),
        new_job(report, owed(1, "erin@one.example")),
        new_job(other, held),
    ]


def new_job(job: QueuedJob, *recipients: OwedRecipient) -> NewJob:
    return NewJob(job, recipients, Message(MemoryBlob(b"x\r\n")))


def queue_folder(server: Terminal) -> Path:
    return next(server.folder.rglob("accounts.sqlite3")).parent / "queue"


def opened_spool(server: Terminal) -> DiskJobSpool:
    """Return the spool as a server has it, open."""
    spool = DiskJobSpool(
        str(queue_folder(server)), DiskFiles(), InlineBlocking(), StillClock(NOW), NoBudget()
    )
    finish(spool.start())
    return spool


def fill(server: Terminal, *more: NewJob) -> None:
    """Put mail into the queue, and a site that rests, and leave it as a stopped server does."""
    global NOW
    NOW = time.time()
    spool = opened_spool(server)
    for one in (*jobs(), *more):
        finish(spool.accept(one))
    rests = SiteRecord("mx.two.example", NOW + 1800, 3, replace(SILENT, host="mx.two.example"))
    finish(spool.save_site(rests))
    finish(spool.close())


class NoBudget:
    """Memory that is all in use: every message goes through the disk."""

    def take(self, _: int) -> bool:
        return False

    def give_back(self, _: int) -> None:
        raise AssertionError("nothing was taken")
