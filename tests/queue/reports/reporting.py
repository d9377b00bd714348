"""Jobs, recipients and attempts to report of, and the door to reports over a fixed directory."""

from collections.abc import Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.fixed import FixedDirectory
from twisted_mail.interfaces import ReportAction, ReportedRecipient, WrittenReports
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.envelope import DEFAULT_DSN_REQUEST, DsnRequest, MailParameters
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.job import JobKind, NewJob, OwedRecipient, QueuedJob
from twisted_mail.mail.queued.target import RemoteTarget, Target
from twisted_mail.queue.reports.reports import QueueReports, ReportBackend
from twisted_mail.queue.reports.settings import ReportSettings
from twisted_mail.queue.reports.templates import load_templates
from twisted_mail.testing.doubles import EPOCH, InlineBlocking, StillClock, finish
from twisted_mail.testing.recorded_log import ListJournal

HOST = "mail.example.org"
ALICE, BOB = parse("alice@example.org"), parse("bob@example.net")
NOW = EPOCH + 3600
TEXTS = load_templates()
LUNCH = (
    b"Received: from laptop by mail.example.org with ESMTPSA id 0abc;\r\n"
    b"\tSun, 09 Sep 2001 01:46:40 +0000\r\n"
    b"From: Alice <alice@example.org>\r\n"
    b"To: Bob <bob@example.net>\r\n"
    b"Subject: Lunch on Friday\r\n"
    b"Date: Sun, 09 Sep 2001 01:46:39 +0000\r\n"
    b"Message-ID: <lunch@example.org>\r\n"
    b"\r\n"
    b"At the usual place?\r\n"
)
UNKNOWN = Outcome(550, "5.1.1", "<bob@example.net>: Recipient address rejected: User unknown")
BUSY = Outcome(451, "4.3.2", "Please try again later")
TAKEN = Outcome(250, "2.0.0", "Ok: queued as 4F1B2C3D")
DIRECTORY = FixedDirectory(
    {"alice@example.org": "", "bosch@example.org": "", "jörg@example.org": ""},
    aliases={"team@example.org": [ALICE, BOB], "friend@example.org": [BOB]},
    programs={"tickets@example.org": ["ticket"]},
    lists={"news@example.org": [ALICE]},
)


def notify(*events: Any, original: str = "") -> DsnRequest:
    """Return what NOTIFY= with these words asks for; without any it is NEVER."""
    return DsnRequest(frozenset(events), original)


def attempt(outcome: Outcome = UNKNOWN, **values: Any) -> Attempt:
    """Return an attempt at a host that replied."""
    given = {
        "at": NOW,
        "reply_class": ReplyClass.MAILBOX,
        "host": "mx1.example.net",
        "address": "192.0.2.25",
        "command": "RCPT TO:<bob@example.net>",
        "is_reply": True,
    }
    return Attempt(outcome, **(given | values))


def owed(
    target: Target | None = None,
    request: DsnRequest = DEFAULT_DSN_REQUEST,
    last: Attempt | None = None,
    **values: Any,
) -> OwedRecipient:
    """Return a recipient, who is Bob elsewhere."""
    return OwedRecipient(1, target or RemoteTarget(BOB), request, last=last, **values)


def told(
    action: ReportAction = ReportAction.FAILED, until: float = 0.0, **values: Any
) -> ReportedRecipient:
    """Return a recipient to report of, whose last attempt was refused for good."""
    return ReportedRecipient(owed(**({"last": attempt()} | values)), action, until)


def job(sender: Address = ALICE, kind: JobKind = JobKind.MAIL, **asked: Any) -> QueuedJob:
    """Return a job of Alice's; ``asked`` are the parameters of MAIL."""
    return QueuedJob(
        "0abcdefghjkmnpqr", EPOCH, sender, kind, mail_parameters=MailParameters(**asked)
    )


USUAL = job()


def message(data: bytes = LUNCH) -> Message:
    """Return a message."""
    return Message(MemoryBlob(data))


def parsed(report: NewJob) -> EmailMessage:
    """Return a report as Python's package email reads it."""
    found = message_from_bytes(report.message.read(), policy=policy.SMTP)
    assert isinstance(found, EmailMessage)
    return found


def status_groups(report: NewJob) -> list[dict[str, str]]:
    """Return the fields of the part for programs: of the message, and of each recipient."""
    (_, status, _) = parsed(report).iter_parts()
    groups: Any = status.get_payload()
    return [dict(group.items()) for group in groups if group.items()]


def words_of(report: NewJob) -> str:
    """Return the part for people."""
    (words, _, _) = parsed(report).iter_parts()
    return words.get_content()


class Desk:
    """The door to reports, and what it needs."""

    def __init__(self, **settings: Any) -> None:
        self.clock, self.journal = StillClock(NOW), ListJournal()
        self.reports = QueueReports(
            ReportBackend(LocalRouter(DIRECTORY), self.clock, InlineBlocking(), self.journal, HOST),
            ReportSettings(**settings),
            TEXTS,
        )

    def write(
        self,
        *told: ReportedRecipient,
        job: QueuedJob = USUAL,
        data: bytes = LUNCH,
    ) -> WrittenReports:
        """Return what is written about recipients."""
        return finish(self.reports.write(job, message(data), told))

    def one(self, *told: ReportedRecipient, job: QueuedJob = USUAL, data: bytes = LUNCH) -> NewJob:
        """Return the only report about recipients."""
        (report,) = self.write(*told, job=job, data=data).jobs
        return report


def recipients_of(reports: Sequence[NewJob]) -> list[str]:
    """Return where reports go."""
    return [str(one.address) for report in reports for one in report.recipients]
