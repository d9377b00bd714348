"""What an error of the disk does to a distribution: it is reported, and the post is sent later."""

from collections.abc import Iterator

import pytest

from tests.lists.list_server import NEWS, ListServer
from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import finish


class UnreadableBlob:
    """A file that the disk does not read."""

    size = 100

    def pieces(self, start: int = 0, stop: int | None = None) -> Iterator[bytes]:
        raise OSError(5, "Input/output error")
        yield b""

    def close(self) -> None:
        """Do nothing."""


def test_a_post_that_cannot_be_read_is_reported_and_sent_later(server: ListServer) -> None:
    server.accept(NEWS)
    mailing_list = finish(server.mailing_lists.find(NEWS))
    assert mailing_list is not None
    job = server.spool.jobs["id1"].job
    with pytest.raises(Unavailable, match="cannot be read"):
        finish(server.lists.distribution.post(mailing_list, job, Message(UnreadableBlob())))
