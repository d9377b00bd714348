"""Whole reports, as they are sent. They stand in the folder ``golden``, for people to read."""

import os
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.queue.reports.reporting import (
    ALICE,
    BOB,
    BUSY,
    EPOCH,
    HOST,
    LUNCH,
    NOW,
    TAKEN,
    TEXTS,
    attempt,
    job,
    message,
    notify,
    told,
)
from twisted_mail.interfaces import ReportAction, ReportedRecipient
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.mail.queued.job import QueuedJob
from twisted_mail.mail.queued.target import AccountTarget, RemoteTarget
from twisted_mail.queue.reports.composition import ComposedReport, ReportComposer, ReportOrder
from twisted_mail.queue.reports.original import read_original

GOLDEN = Path(__file__).parent / "golden"
COMPOSER = ReportComposer(HOST, parse("postmaster@mail.example.org"), TEXTS)
CAROL = RemoteTarget(parse("carol@example.com"))
JOERG = parse("jörg@example.net")
EXPIRED = attempt(
    Outcome(451, "4.4.1", "No answer to the connection within 30 seconds"),
    reply_class=ReplyClass.NETWORK,
    host="mx.example.com",
    address="198.51.100.7",
    is_reply=False,
    command="",
)
DAYS_LATER = EPOCH + 5 * 86400
UTF8 = LUNCH.replace(b"Lunch on Friday", "Mittagessen, größer".encode())


def composed(
    *told: ReportedRecipient, job: QueuedJob, data: bytes = LUNCH, **order: Any
) -> ComposedReport:
    original = read_original(message(data), 50_000)
    given = {"id": "0report", "now": NOW, "recipient": ALICE} | order
    return COMPOSER.compose(ReportOrder(job=job, original=original, told=told, **given))


def failures() -> Sequence[ReportedRecipient]:
    request = notify("FAILURE", original="rfc822;Bob@Example.NET")
    last = replace(EXPIRED, at=DAYS_LATER)
    return told(request=request, last=attempt(at=DAYS_LATER)), told(target=CAROL, last=last)


CASES = {
    "failed": lambda: composed(*failures(), job=job(envid="QQ314159"), now=DAYS_LATER + 1),
    "delayed": lambda: composed(
        told(ReportAction.DELAYED, EPOCH + 5 * 86400, target=CAROL, last=EXPIRED), job=job()
    ),
    "relayed": lambda: composed(
        told(
            ReportAction.RELAYED,
            request=notify("SUCCESS"),
            last=attempt(TAKEN, command=".", reply_class=ReplyClass.OTHER),
        ),
        job=job(),
    ),
    "lost": lambda: composed(
        told(last=attempt(BUSY, reply_class=ReplyClass.OTHER)),
        job=job(sender=NULL),
        is_lost=True,
        recipient=parse("postmaster@example.org"),
    ),
    "utf-8": lambda: composed(
        told(original=JOERG),
        job=job(is_utf8=True),
        data=UTF8,
        takes_utf8=True,
    ),
    "utf-8-in-7-bits": lambda: composed(told(original=JOERG), job=job(is_utf8=True), data=UTF8),
}


@pytest.mark.parametrize("name", CASES)
def test_a_whole_report(name: str) -> None:
    path = GOLDEN / f"{name}.txt"
    data = CASES[name]().data
    if os.environ.get("WRITE_GOLDEN"):
        path.write_bytes(data.replace(b"\r\n", b"\n"))
    assert data.replace(b"\r\n", b"\n").decode() == path.read_text()


def test_the_documents_show_this_report() -> None:
    text = (GOLDEN.parents[3] / "docs" / "queue.md").read_text()
    words = (GOLDEN / "failed.txt").read_text().split("us-ascii\n\n")[1].split("\n--=")[0]
    assert textwrap.indent(words.rstrip(), "    ") in text


def test_only_what_has_utf_8_where_it_shows_needs_smtputf8() -> None:
    needs = {name for name in CASES if CASES[name]().is_utf8}
    assert needs == {"utf-8"}
    assert composed(told(), job=job(sender=JOERG), recipient=JOERG).is_utf8


def test_8_bit_in_what_goes_back_is_declared() -> None:
    data = composed(told(), job=job(), data=b"Subject: x\r\n\r\n\xff\r\n").data
    head = data.partition(b"\r\n\r\n")[0]
    assert b"\r\nContent-Transfer-Encoding: 8bit" in head


# ------------------------------------------------------------ RET (RFC 3461 §4.3, §6.2, RFC 8689 §5)


@pytest.mark.parametrize(
    ("asked", "action", "is_whole"),
    [
        ({}, ReportAction.FAILED, True),
        ({"returns": "FULL"}, ReportAction.FAILED, True),
        ({"returns": "HDRS"}, ReportAction.FAILED, False),
        ({"returns": "FULL", "requires_tls": True}, ReportAction.FAILED, False),
        ({"returns": "FULL"}, ReportAction.DELAYED, False),
        ({"returns": "FULL"}, ReportAction.RELAYED, False),
    ],
)
def test_what_ret_asks_for_goes_back_with_failures_alone(
    asked: Any, action: ReportAction, is_whole: bool
) -> None:
    data = composed(told(action), job=job(**asked)).data
    assert (b"At the usual place?" in data) is is_whole
    assert b"Subject: Lunch on Friday" in data


def test_one_failure_among_successes_brings_the_message_back() -> None:
    done = told(ReportAction.DELIVERED, target=AccountTarget("bob@example.net", BOB), last=None)
    assert b"At the usual place?" in composed(done, told(), job=job()).data


# ------------------------------------------------------------ the header


def test_the_boundary_is_in_no_part() -> None:
    data = composed(told(), job=job(), data=LUNCH + b"--=_0report\r\n").data
    assert b' boundary="=_0report_"\r\n' in data
    assert data.endswith(b"\r\n--=_0report_--\r\n")


def test_a_subject_of_many_signs_is_encoded_and_cut() -> None:
    data = composed(told(), job=job(), data=b"Subject: " + "ö".encode() * 500 + b"\r\n\r\n")
    lines = data.data.partition(b"\r\n\r\n")[0].split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert b"\r\n =?utf-8?" in data.data


def test_without_a_subject_it_says_so() -> None:
    assert b"Subject: Not delivered: (no subject)\r\n" in composed(told(), job=job(), data=b"").data
