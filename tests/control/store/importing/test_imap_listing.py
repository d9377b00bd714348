"""Tests of how the mailboxes of another IMAP server are read."""

from typing import Any

import pytest

from twisted_mail.control.store.importing import imap_replies
from twisted_mail.control.store.importing.imap_client import ImapClient
from twisted_mail.control.store.importing.imap_listing import ImapListing

EXTENDED = [
    b' ("CHILDINFO" ("SUBSCRIBED"))',
    b" (CHILDINFO (SUBSCRIBED))",
    b' ("OLDNAME" ("o ld") "CHILDINFO" ("SUBSCRIBED"))',
    b" (X-SIZE 5)",
    b" ()",
]


@pytest.mark.parametrize("extended", [b"", b" ", *EXTENDED])
@pytest.mark.parametrize("name", [b"foo", b'"foo"'])
def test_extended_data_after_a_name_is_no_part_of_it(name: bytes, extended: bytes) -> None:
    answer = b'(\\Subscribed) "/" ' + name + extended
    assert imap_replies.mailbox(answer) == (b"\\Subscribed", b"/", b"foo")


@pytest.mark.parametrize("name", [b"My mail", b"My (old) mail", b"Mail (old)", b"a ( b )c", b"( x"])
def test_a_name_that_should_have_been_quoted_is_read_whole(name: bytes) -> None:
    assert imap_replies.mailbox(b'() "/" ' + name) == (b"", b"/", name)


def test_a_long_name_costs_no_more_than_its_length() -> None:
    for piece in (b' ("', b" (a", b" (a ", b' ("" '):
        name = b"x" + piece * 200_000
        assert imap_replies.mailbox(b'() "/" ' + name) == (b"", b"/", name.strip())


class Answering(ImapClient):
    """A client whose server has always the same mailboxes, as imaplib returns them."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers = answers
        self.capabilities = ()

    def ask(self, command: str, *arguments: str) -> list[Any]:
        return self.answers


def test_extended_data_after_a_name_that_is_a_literal_is_no_mailbox() -> None:
    answers = [
        (b'() "/" {3}', b"foo"),
        b' ("CHILDINFO" ("SUBSCRIBED"))',
        (b'() "/" {3}', b"bar"),
        (b" (OLDNAME ({3}", b"old"),
        b"))",
        b'() "/" baz',
    ]
    listing = ImapListing(Answering(answers), "imap.example")
    assert list(listing.names) == ["foo", "bar", "baz"]
    assert listing.bad == []
