"""Whatever the other side says, and whatever was sent: a report is well-formed, and bounded."""

import re
from email import message_from_bytes, policy

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.queue.reports.reporting import ALICE, NOW, TEXTS, attempt, job, message, notify, owed
from twisted_mail.interfaces import ReportAction, ReportedRecipient
from twisted_mail.mail.address import parse
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import ReplyClass
from twisted_mail.queue.reports.composition import ReportComposer, ReportOrder
from twisted_mail.queue.reports.original import read_original

COMPOSER = ReportComposer("mail.example.org", parse("postmaster@mail.example.org"), TEXTS)
MOST = 50 * 1024
FIELDS = {
    "Reporting-MTA", "Arrival-Date", "Original-Recipient", "Final-Recipient", "Action", "Status",
    "Remote-MTA", "Diagnostic-Code", "Last-Attempt-Date", "Final-Log-ID", "Will-Retry-Until",
}  # fmt: skip

# Any characters, lone surrogates among them; and what would end a line, a field, a part.
NASTY = st.sampled_from(
    ["\r\n", "\r\n\r\n", "\n", "\r", "\0", "--=_0report", "\r\n--=_0report--", "\udc80", "\u2028",
     "Subject: x", "<b>", "{host}", "(", ";", "=?utf-8?q?x?=", "ö", "x" * 998, "\x1b[2J", "."]
)  # fmt: skip
TEXT = st.lists(st.text(max_size=20) | NASTY, max_size=12).map("".join)
OCTETS = TEXT.map(lambda text: text.encode("utf-8", "surrogateescape"))
ATTEMPTS = st.builds(
    attempt,
    st.builds(Outcome, st.integers(200, 599), TEXT, TEXT),
    reply_class=st.sampled_from(ReplyClass),
    host=TEXT,
    address=TEXT,
    command=TEXT,
    is_reply=st.booleans(),
)
TOLD = st.builds(
    ReportedRecipient,
    st.builds(
        owed,
        st.none(),
        st.builds(lambda original: notify("FAILURE", original=f"rfc822;{original}"), TEXT),
        ATTEMPTS | st.none(),
    ),
    st.sampled_from(ReportAction),
    st.sampled_from([0.0, 2e9]),
)


def octets_of(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(TOLD, min_size=1, max_size=4),
    st.lists(st.binary(max_size=50) | TEXT.map(octets_of), max_size=4).map(b"".join),
    st.booleans(),
    st.booleans(),
)
def test_a_report_is_well_formed(
    told: list[ReportedRecipient], data: bytes, is_utf8: bool, takes_utf8: bool
) -> None:
    original = read_original(message(b"Subject: " + data), MOST)
    about = job(is_utf8=is_utf8)
    order = ReportOrder("0report", NOW, ALICE, about, original, told, takes_utf8)
    report = COMPOSER.compose(order)
    check_lines(report.data)
    assert len(report.data) < 4 * len(data) + 20_000
    check_parts(report.data, len(told))


def check_lines(data: bytes) -> None:
    """Check that every server has to take these lines, and that 8 bits are declared."""
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0", data)
    assert max(map(len, data.split(b"\r\n"))) <= 998
    head = data.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert data.isascii() or b"\r\nContent-Transfer-Encoding: 8bit" in head


def check_parts(data: bytes, number: int) -> None:
    """Check that there are three parts, and in the second nothing but the fields of a report."""
    report = message_from_bytes(data, policy=policy.compat32)
    assert not report.defects
    parts = report.get_payload()
    assert isinstance(parts, list)
    assert len(parts) == 3
    assert not any(part.defects for part in parts)  # type: ignore[union-attr]
    groups = parts[1].get_payload()  # type: ignore[union-attr]
    assert isinstance(groups, list)
    assert len(groups) == 1 + number
    for group in groups:
        assert set(group.keys()) <= FIELDS  # type: ignore[union-attr]
        assert not group.get_payload()  # type: ignore[union-attr]
