"""Tests of twisted_mail.store.format.detail_mailbox; the contract of the stores has examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.store.format import mailbox_names
from twisted_mail.store.format.detail_mailbox import detail_mailbox

LEVEL = st.sampled_from(
    ["lists", "Lists", "INBOX", "inbox", "Sent", "spam", "é", "e\u0301", "", "."]
)
NAME = st.lists(LEVEL, min_size=1, max_size=3).map("/".join)
USE = st.sampled_from(["", "", "\\Sent", "\\Junk"])


@given(st.dictionaries(NAME, USE), NAME | st.text())
def test_only_a_mailbox_that_is_there_and_has_no_use_is_meant(
    uses: dict[str, str], detail: str
) -> None:
    name = detail_mailbox(detail, uses)
    if name:
        assert name != mailbox_names.INBOX
        assert not any(uses.get(level) for level in (*mailbox_names.above(name), name))
        assert not {"sent", "spam"} & {*name.removeprefix("INBOX/").split("/")[:1]}
        assert name in uses


@given(st.dictionaries(NAME, st.just("")), NAME)
def test_a_mailbox_of_the_very_name_comes_first(uses: dict[str, str], detail: str) -> None:
    exact = mailbox_names.canonical(detail)
    if exact in uses:
        assert detail_mailbox(detail, uses) in (exact, "")


@pytest.mark.parametrize("name", ["Sent", "SENT", "INBOX/Sent", "spam/old", "Deleted Items"])
def test_strangers_write_nothing_into_what_a_program_uses_itself(name: str) -> None:
    assert detail_mailbox(name, {name: ""}) == ""


def test_a_level_further_down_may_be_called_so() -> None:
    assert detail_mailbox("work/sent", {"work/Sent": ""}) == "work/Sent"


@pytest.mark.parametrize(
    "name",
    [
        *("Drafts", "Sent", "Junk", "Trash", "Archive"),
        *("Sent Items", "Sent Messages", "Sent Mail", "Outbox", "Templates"),
        *("Deleted Items", "Deleted Messages", "Bin"),
        *("Spam", "Junk E-mail", "Junk Email", "Bulk Mail"),
    ],
)
def test_what_programs_call_their_own_mailboxes_is_reserved(name: str) -> None:
    assert detail_mailbox(name, {name: ""}) == ""
    assert detail_mailbox(f"x{name}", {f"x{name}": ""}) == f"x{name}"
