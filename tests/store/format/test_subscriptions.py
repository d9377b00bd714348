"""Tests of twisted_mail.store.format.subscriptions."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults import QuickDisk
from twisted_mail.mail.mailbox.change import SubscriptionChanged
from twisted_mail.store.format import subscriptions
from twisted_mail.store.format.subscriptions import SubscriptionsFile

LEVEL = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/"), min_size=1)
NAME = st.lists(LEVEL, min_size=1, max_size=3).map("/".join).filter(subscriptions.is_writable)


@given(st.sets(NAME))
def test_what_is_written_is_read(names: set[str]) -> None:
    names = {name for name in names if name.partition("/")[0].lower() != "inbox"}
    assert subscriptions.parse(subscriptions.write(names)) == names


def test_both_formats_of_dovecot_are_read() -> None:
    wanted = {"INBOX", "Sent/2024", "Entwürfe"}
    assert subscriptions.parse(b"V\t2\n\nINBOX\nSent\t2024\nEntw&APw-rfe\n") == wanted
    assert subscriptions.parse(b"inbox\r\nSent.2024\nEntw&APw-rfe\n") == wanted


def test_what_is_no_name_is_left_out() -> None:
    assert subscriptions.parse(b"V\t2\n\n\n\xff\n\x01x\nSent\n") == {"Sent"}


def test_a_name_that_fits_no_line_cannot_be_subscribed_to() -> None:
    assert subscriptions.is_writable("Sent")
    assert not subscriptions.is_writable("x" * 300)


@pytest.fixture
def file(tmp_path: Path) -> SubscriptionsFile:
    return SubscriptionsFile(QuickDisk(), bytes(tmp_path))


def test_without_a_file_nothing_is_subscribed_to(file: SubscriptionsFile) -> None:
    assert file.read() == set()
    assert file.events() == []


def test_each_change_is_reported_once_whichever_program_made_it(
    file: SubscriptionsFile, tmp_path: Path
) -> None:
    assert file.events() == []
    file.write({"Sent", "Trash"})
    assert file.events() == [SubscriptionChanged("Sent", True), SubscriptionChanged("Trash", True)]
    (tmp_path / "subscriptions").write_bytes(b"Trash\nDrafts\nmore\n")
    assert file.events() == [
        SubscriptionChanged("Drafts", True),
        SubscriptionChanged("Sent", False),
        SubscriptionChanged("more", True),
    ]
    assert file.events() == []
