import errno
from pathlib import Path
from typing import Any

import pytest

from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.testing.doubles import InlineBlocking, finish
from twisted_mail.workers.handed_mail import INLINE, RemoteDelivery


def test_a_worker_reports_a_message_that_it_cannot_write_for_the_main_process(
    tmp_path: Path,
) -> None:
    reports: list[tuple[str, int | None]] = []
    no_bridge: Any = None
    delivery = RemoteDelivery(
        no_bridge,
        tmp_path / "missing",
        InlineBlocking(),
        lambda where, error: reports.append((where, getattr(error, "errno", None))),
    )
    alice = parse("alice@example.org")
    with pytest.raises(Unavailable):
        finish(
            delivery.accept(
                Envelope("id1", alice, (alice,)), Message(MemoryBlob(bytes(INLINE + 1)))
            )
        )
    [(where, number)] = reports
    assert where.startswith(str(tmp_path / "missing"))
    assert number == errno.ENOENT
