import errno
import os
from pathlib import Path
from typing import Any

import pytest

from twisted_mail.mail.address import parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Unavailable
from twisted_mail.store.disk.blob import Descriptor, FileBlob
from twisted_mail.store.disk.calls import Disk
from twisted_mail.testing.doubles import InlineBlocking, finish
from twisted_mail.workers.handed_mail import INLINE, RemoteDelivery


class Call:
    """A bridge to a main process that looks at what it is handed."""

    def __init__(self) -> None:
        self.files: list[tuple[int, bytes]] = []

    async def call(self, service: str, method: str, *args: Any) -> None:
        path = Path(args[2])
        self.files.append((path.stat().st_ino, path.read_bytes()))


def test_a_message_in_a_file_is_handed_over_without_a_copy(tmp_path: Path) -> None:
    number, bridge = Disk().create_unnamed(os.fsencode(tmp_path)), Call()
    os.write(number, bytes(INLINE + 1))
    inode, there = os.fstat(number).st_ino, FileBlob(Descriptor(number), INLINE + 1)
    any_bridge: Any = bridge
    delivery = RemoteDelivery(any_bridge, tmp_path, InlineBlocking(), lambda *_: None)
    alice = parse("alice@example.org")
    finish(delivery.accept(Envelope("id1", alice, (alice,)), Message(there)))
    assert bridge.files == [(inode, bytes(INLINE + 1))]
    assert list(tmp_path.iterdir()) == []


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
