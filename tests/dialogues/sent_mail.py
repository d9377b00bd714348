"""What the client of a dialogue hands on, and how it ended, as the headings of the file say it."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from tests.dialogues.score import HERE, Dialogue
from twisted_mail.mail import address
from twisted_mail.mail.address import NULL, Address
from twisted_mail.mail.credentials import Credentials
from twisted_mail.mail.envelope import DsnRequest, MailParameters
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.queued.attempt import Attempt
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, Transaction
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.mail.trust import Demand, TlsLevel
from twisted_mail.smtp.dialogue.settings import ClientSettings, DialogueLimits

HOSTNAME = "mail.example.org"
_SEND = re.compile(r"(\S+) -> ([^{]*?) (\S+\.eml)(?: (\{.*\}))?")


class SentMail:
    """A supply that has all messages of a dialogue at once, and keeps how they ended."""

    def __init__(self, transactions: list[Transaction]) -> None:
        self._waiting = transactions
        self.attempts: list[tuple[Transaction, int, Attempt]] = []

    def next(self) -> Transaction | None:
        return self._waiting.pop(0) if self._waiting else None

    async def wait(self, seconds: float) -> Transaction | None:
        return self.next()

    def done(self, transaction: Transaction, attempts: Mapping[int, Attempt]) -> None:
        self.attempts += [(transaction, number, one) for number, one in attempts.items()]

    @property
    def results(self) -> list[str]:
        """Return how each recipient's attempt ended, in the form of ``result:``."""
        return [f"{_address(each, n)} {in_words(one)}" for each, n, one in self.attempts]


def _address(transaction: Transaction, number: int) -> str:
    return next(one.address.text for one in transaction.recipients if one.number == number)


def in_words(attempt: Attempt) -> str:
    """Return an attempt as a dialogue has it: the outcome, and the command that was answered."""
    outcome = attempt.outcome
    words = [str(outcome.code), outcome.enhanced, outcome.text]
    return f"{' '.join(word for word in words if word)} | {attempt.command}".rstrip()


def transactions(dialogue: Dialogue) -> list[Transaction]:
    """Return what the headings ``send:`` say."""
    return [_transaction(text, f"m{n}") for n, text in enumerate(dialogue.sent, 1)]


def _transaction(text: str, id: str) -> Transaction:
    found = _SEND.fullmatch(text)
    assert found, f"not a message to be sent: {text!r}"
    sender, recipients, file, options = found.groups()
    values = tomllib.loads(f"x = {options}")["x"] if options else {}
    data = (HERE / "messages" / file).read_bytes().replace(b"\n", b"\r\n")
    wishes = MailParameters(
        returns=values.get("ret", ""), envid=values.get("envid", ""), is_utf8="utf8" in values
    )
    message = Message(MemoryBlob(data * values.get("times", 1)))
    job = QueuedJob(id, 0.0, parsed(sender), mail_parameters=wishes, size=message.size)
    request = _request(values)
    owed = [
        OwedRecipient(number, RemoteTarget(parsed(one.strip())), request)
        for number, one in enumerate(recipients.split(","), 1)
    ]
    return Transaction(job, tuple(owed), message)


def _request(values: dict[str, Any]) -> DsnRequest:
    if "notify" not in values:
        return DsnRequest(original=values.get("orcpt", ""))
    return DsnRequest(frozenset(values["notify"].split()), values.get("orcpt", ""))


def parsed(text: str) -> Address:
    return NULL if text == "<>" else address.parse(text)


def settings(dialogue: Dialogue) -> ClientSettings:
    """Return what the headings ``setting:`` say of the client and its limits."""
    values: dict[str, Any] = dict(dialogue.settings)
    names = {one.name for one in fields(DialogueLimits)}
    limits = DialogueLimits(**{name: values.pop(name) for name in list(values) if name in names})
    if "login" in values:
        name, _, password = values.pop("login").partition(" ")
        values["login"] = Credentials(name, password)
    if "tls" in values:
        values["demand"] = Demand(TlsLevel(values.pop("tls")))
    return ClientSettings(HOSTNAME, limits=limits, **values)
