import pytest

from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.mailboxes.status_items import (
    STATUS_ITEMS,
    StatusItem,
    any_needs_size,
    read_status_items,
    status_line,
)
from twisted_mail.imap.settings import Settings
from twisted_mail.mail.mailbox.entry import MailboxStatus
from twisted_mail.mail.outcome import ProtocolError

KNOWN = {item.name: item for item in STATUS_ITEMS}
STATUS = MailboxStatus(5, 1, 2, 0, 100, 9, 7, 3)


def test_items_keep_their_order_and_come_once() -> None:
    items = read_status_items(Reader(b"(unseen MESSAGES UNSEEN)"), KNOWN)
    assert [item.name for item in items] == ["UNSEEN", "MESSAGES"]
    assert status_line("Sent", STATUS, items, Settings()) == b"STATUS Sent (UNSEEN 2 MESSAGES 5)"


@pytest.mark.parametrize("text", [b"()", b"MESSAGES", b"(MESSAGES", b"(SIZE)"])
def test_what_is_no_list_of_known_items_is_a_protocol_error(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_status_items(Reader(text), KNOWN)


def test_the_size_is_asked_for_where_an_item_needs_it() -> None:
    size = StatusItem("SIZE", lambda status, _: status.size, needs_size=True)
    assert not any_needs_size(STATUS_ITEMS)
    assert any_needs_size([*STATUS_ITEMS, size])
