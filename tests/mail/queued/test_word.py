"""Words as the control command writes them, and the server reads them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.address import parse
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob
from twisted_mail.mail.queued.selection import SelectedState, Selection
from twisted_mail.mail.queued.suspension import SUSPENSION_KINDS, Suspension
from twisted_mail.mail.queued.target import AccountTarget, RemoteTarget
from twisted_mail.mail.queued.word import MAX_WORD, Act, Word, read_word, write_word

SECONDS = st.floats(0, 1e12)
SELECTIONS = st.builds(
    Selection,
    ids=st.lists(st.text(), max_size=3).map(tuple),
    recipient=st.text(),
    sender=st.text(),
    destinations=st.lists(st.text(min_size=1).map("smtp:{}".format), max_size=3).map(tuple),
    site=st.text(),
    account=st.text(),
    older=SECONDS,
    reason=st.text(),
    state=st.none() | st.sampled_from(SelectedState),
)
SUSPENSIONS = st.builds(
    Suspension, st.sampled_from(SUSPENSION_KINDS), st.text(min_size=1), SECONDS, SECONDS
)
WORDS = st.builds(
    Word,
    st.sampled_from(Act),
    SELECTIONS,
    st.none() | SUSPENSIONS,
    st.lists(st.text(min_size=1).map("smtp:{}".format), max_size=3).map(tuple),
    st.text(),
)


@given(WORDS)
def test_a_word_that_was_written_is_read_as_it_was(word: Word) -> None:
    assert read_word(write_word(word)) == word


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_what_is_no_word_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match="no word"):
        read_word(json.dumps(data))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        '{"act": "dance", "by": "x"}',
        '{"act": "hold"}',
        '{"act": "hold", "by": "x", "selection": 5}',
        '{"act": "hold", "by": "x", "selection": {"older": "long"}}',
        '{"act": "suspend", "by": "x", "suspension": {"kind": "moon", "name": "x"}}',
        '{"act": "ask", "by": "x", "destinations": ["nowhere"]}',
        f'{{"act": "hold", "by": "{"x" * MAX_WORD}"}}',
    ],
)
def test_what_another_version_may_have_written_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no word"):
        read_word(text)


def test_a_suspension_ends_at_its_time() -> None:
    assert Suspension("domain", "x", until=5.0).holds(4.9)
    assert not Suspension("domain", "x", until=5.0).holds(5.0)
    assert Suspension("domain", "x").holds(1e12)


@pytest.mark.parametrize(
    ("kind", "name", "is_stopped"),
    [
        ("domain", "example.net", True),
        ("domain", "net", False),
        ("domain", "alice@example.org", False),
        ("site", "mx.example.net", True),
        ("site", "example.net", False),
        ("sender", "alice@example.org", True),
        ("sender", "@example.org", True),
        ("sender", "@example.net", False),
        ("account", "alice", True),
        ("account", "bob", False),
    ],
)
def test_a_suspension_stops_what_it_names(kind: str, name: str, is_stopped: bool) -> None:
    job = QueuedJob("1", 0.0, parse("Alice@example.org"), submitter="alice")
    recipient = OwedRecipient(1, RemoteTarget(parse("bob@example.net")))
    assert Suspension(kind, name).stops(job, recipient, "mx.example.net") == is_stopped


def test_the_domain_of_an_account_here_is_another_matter() -> None:
    job = QueuedJob("1", 0.0, parse("alice@example.org"))
    here = OwedRecipient(1, AccountTarget("example.net", parse("bob@example.net")))
    assert not Suspension("domain", "example.net").stops(job, here, "")
