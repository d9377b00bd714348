"""Contexts for tests of filters."""

from twisted_mail.interfaces import Peer, SmtpContext
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.verdict import FilterStage
from twisted_mail.testing.doubles import finish
from twisted_mail.testing.resolver import FakeResolver

HOST = "192.0.2.1"
RECIPIENT = FilterStage.RECIPIENT


def context(
    host=HOST,
    hello="client.example",
    sender="a@client.example",
    recipient="alice@example.org",
    **more,
):
    found = SmtpContext("smtp", Peer(host, 25000), hello, **more)
    found.sender = parse(sender) if sender else NULL
    found.recipient = parse(recipient) if recipient else None
    return found


def judged(check, who=None, stage=RECIPIENT):
    return finish(check.judge(stage, who or context()))


def message(size):
    return Message(MemoryBlob(b"x" * size), b"Received: x\r\n")


def names(**records):
    """Return a resolver; a keyword is a kind of record, its value a table."""
    resolver = FakeResolver()
    for kind, table in records.items():
        for name, values in table.items():
            resolver.add(name, kind, *values)
    return resolver
