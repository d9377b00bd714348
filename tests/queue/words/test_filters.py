"""Filters: what they select, in the database as in memory."""

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.queue.words.operated import NOW
from twisted_mail.interfaces import SelectedRecipient
from twisted_mail.mail.address import NULL, Address, parse
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.queued.attempt import Attempt, ReplyClass
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, RecipientState
from twisted_mail.mail.queued.selection import SelectedState, Selection
from twisted_mail.mail.queued.target import AccountTarget, RemoteTarget
from twisted_mail.mail.route import ListTarget, ProgramTarget
from twisted_mail.queue.spool.rows import BodySum, job_row, recipient_row, write_job
from twisted_mail.queue.spool.schema import prepare
from twisted_mail.queue.words.filters import behind_site, condition, is_selected
from twisted_mail.queue.words.queries import selected_page

LOCALS = ["bob", "Bob", "b_b", "b%b", "50%", 'quo"te', "back\\slash", "j\xf6rg", "a*b"]
DOMAINS = ["one.example", "two.example", "xn--mnchen-3ya.example"]
ADDRESSES = st.builds(
    "{}@{}".format, st.sampled_from(["bob", "b_b", "50%", "j\xf6rg"]), st.sampled_from(DOMAINS)
)
PARSED = st.builds(parse, ADDRESSES)
ATTEMPTS = st.builds(
    Attempt,
    st.builds(Outcome, st.just(450), st.just("4.2.2"), st.sampled_from(["Full", "full_x", ""])),
    st.just(NOW),
    st.sampled_from(ReplyClass),
)
TARGETS = st.one_of(
    st.builds(RemoteTarget, PARSED),
    st.builds(AccountTarget, st.just("bob@one.example"), PARSED),
    st.builds(ProgramTarget, st.just("ticket"), PARSED),
    st.just(ListTarget("news@one.example", ListRole.POST)),
)
RECIPIENTS = st.builds(
    OwedRecipient,
    st.just(1),
    TARGETS,
    original=st.none() | PARSED,
    state=st.sampled_from(RecipientState),
    tries=st.integers(0, 2),
    last=st.none() | ATTEMPTS,
    reason=st.sampled_from(["", "held by the operator"]),
)
SENDERS = st.just(NULL) | PARSED
PATTERNS = st.sampled_from(
    [
        "",
        "bob@one.example",
        "*@one.example",
        "b_b@*",
        "50%@*",
        "*",
        "J\xd6RG@*",
        "%",
        "_ob@*",
        "\\*",
    ]
)
SELECTIONS = st.builds(
    Selection,
    ids=st.sampled_from([(), ("id1",), ("id1/1",), ("id1/2", "id2"), ("id", "/1")]),
    recipient=PATTERNS,
    sender=PATTERNS | st.just("<>"),
    destinations=st.sampled_from(
        [(), ("smtp:one.example",), ("program:ticket", "list:news@one.example")]
    ),
    account=st.sampled_from(["", "alice"]),
    older=st.sampled_from([0.0, 50.0, 100.0]),
    reason=st.sampled_from(["", "full", "rate", "FULL_", "4.2.2", "operator"]),
    state=st.none() | st.sampled_from(SelectedState),
)


@st.composite
def rows(draw: st.DrawFn) -> list[SelectedRecipient]:
    found = []
    for number in range(1, draw(st.integers(1, 4))):
        job = QueuedJob(
            f"id{number}",
            NOW - draw(st.sampled_from([10.0, 50.0, 200.0])),
            draw(SENDERS),
            submitter=draw(st.sampled_from(["", "alice"])),
        )
        found.append(SelectedRecipient(job, draw(RECIPIENTS)))
    return found


def database(rows: list[SelectedRecipient]) -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    prepare(connection, 0)
    for row, one in enumerate(rows, 1):
        envelope = write_job(one.job, BodySum(0, is_file=False))
        values = job_row(row, one.job, True, 1, envelope)
        connection.execute(f"INSERT INTO jobs VALUES ({', '.join('?' * len(values))})", values)
        cells = (None, *recipient_row(row, one.job.id, one.recipient))
        connection.execute(f"INSERT INTO recipients VALUES ({', '.join('?' * len(cells))})", cells)
    return connection


@settings(max_examples=300, deadline=None)
@given(rows(), SELECTIONS)
def test_the_database_selects_what_the_filters_mean(
    rows: list[SelectedRecipient], selection: Selection
) -> None:
    connection = database(rows)
    meant = [one for one in rows if is_selected(selection, one, NOW)]
    assert list(selected_page(connection, selection, NOW, 0, 99).found) == meant


@settings(max_examples=300, deadline=None)
@given(rows(), SELECTIONS)
def test_the_condition_lets_all_through_that_are_meant(
    rows: list[SelectedRecipient], selection: Selection
) -> None:
    text, values = condition(selection, NOW)
    query = f"SELECT j.id FROM recipients r JOIN jobs j ON j.row = r.job WHERE {text}"
    passed = {id for (id,) in database(rows).execute(query, values)}
    assert {one.job.id for one in rows if is_selected(selection, one, NOW)} <= passed


@pytest.mark.parametrize("local", LOCALS)
def test_signs_of_patterns_in_addresses_mean_themselves(local: str) -> None:
    address = Address(local, "one.example")
    one = SelectedRecipient(QueuedJob("id1", NOW, address), OwedRecipient(1, RemoteTarget(address)))
    connection = database([one])
    for wanted in (Selection(recipient=address.key), Selection(sender=address.key)):
        assert len(selected_page(connection, wanted, NOW, 0, 99).found) == 1


def test_a_site_is_replaced_by_what_lies_behind_it() -> None:
    both = frozenset({"smtp:a.example", "smtp:b.example"})
    whole = behind_site(Selection(site="mx"), both)
    assert whole == Selection(destinations=("smtp:a.example", "smtp:b.example"))
    part = behind_site(
        Selection(site="mx", destinations=("smtp:b.example", "smtp:c.example")), both
    )
    assert part == Selection(destinations=("smtp:b.example",))
    assert behind_site(Selection(site="mx"), frozenset()) is None
    assert behind_site(Selection(site="mx", destinations=("smtp:c.example",)), both) is None


def test_damaged_rows_are_passed_over() -> None:
    one = SelectedRecipient(
        QueuedJob("id1", NOW, NULL), OwedRecipient(1, RemoteTarget(parse("b@one.example")))
    )
    connection = database([one])
    connection.execute("UPDATE recipients SET recipient = zeroblob(9)")
    page = selected_page(connection, Selection(), NOW, 0, 99)
    assert (list(page.found), page.after) == ([], None)
