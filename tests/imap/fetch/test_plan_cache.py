"""Tests of twisted_mail.imap.fetch.plan_cache."""

import pytest

from twisted_mail.imap.fetch.items import FETCH_ITEMS
from twisted_mail.imap.fetch.plan import FetchPlan
from twisted_mail.imap.fetch.plan_cache import MAX_TEXT, FetchPlans
from twisted_mail.mail.outcome import ProtocolError

ITEMS = {item.name: item for item in FETCH_ITEMS}


def read(plans: FetchPlans, text: bytes, is_uid: bool = False) -> FetchPlan:
    return plans[text, is_uid]


def test_a_text_is_compiled_once() -> None:
    plans = FetchPlans(ITEMS)
    assert read(plans, b"(FLAGS UID)") is read(plans, b"(FLAGS UID)")


def test_a_uid_fetch_has_a_plan_of_its_own() -> None:
    plans = FetchPlans(ITEMS)
    assert read(plans, b"FLAGS").segments[0].template == b"* %d FETCH (FLAGS %b)\r\n"
    assert (
        read(plans, b"FLAGS", is_uid=True).segments[0].template
        == b"* %d FETCH (UID %d FLAGS %b)\r\n"
    )


@pytest.mark.parametrize("text", [b"NONSENSE", b"FLAGS UID", b"(FLAGS", b""])
def test_what_is_no_list_of_items_is_refused_each_time(text: bytes) -> None:
    plans = FetchPlans(ITEMS)
    for _ in range(2):
        with pytest.raises(ProtocolError):
            read(plans, text)


def test_what_was_kept_first_goes_first() -> None:
    plans = FetchPlans(ITEMS, max_plans=2)
    flags, uid = read(plans, b"FLAGS"), read(plans, b"UID")
    read(plans, b"ENVELOPE")
    assert len(plans) == 2
    assert read(plans, b"UID") is uid
    assert read(plans, b"FLAGS") is not flags


def test_a_long_text_is_not_kept() -> None:
    plans = FetchPlans(ITEMS)
    text = b"BODY.PEEK[HEADER.FIELDS (" + b"x" * MAX_TEXT + b")]"
    assert read(plans, text) is not read(plans, text)
