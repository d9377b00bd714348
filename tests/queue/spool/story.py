"""A story of a queue, told up to any of its steps: what each chapter promises, and what is there."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.contracts.spool import LATER, new_job, owed
from twisted_mail.interfaces import SpoolChange
from twisted_mail.mail.address import NULL
from twisted_mail.mail.message import Message
from twisted_mail.mail.queued.job import JobKind, NewJob, OwedRecipient, RecipientState
from twisted_mail.queue.spool.disk_spool import DiskJobSpool
from twisted_mail.store.disk.blob import Descriptor, FileBlob
from twisted_mail.store.disk.calls import Disk
from twisted_mail.testing.doubles import finish

INLINE = 1000
LARGE = bytes(range(256)) * 20
PUT_OFF = replace(owed(2), due=500.0, tries=1, last=LATER)

State = Mapping[str, tuple[tuple[OwedRecipient, ...], bytes]]
Chapter = Callable[[DiskJobSpool], Coroutine[Any, Any, None]]


@dataclass
class Told:
    """A chapter: what is done, and what is kept afterwards."""

    act: Chapter
    state: State


def state_of(*jobs: NewJob) -> State:
    return {new.job.id: (new.recipients, new.message.read()) for new in jobs}


def found(spool: DiskJobSpool, ids: list[str]) -> State:
    """Return what a spool has, as a state."""
    state = {}
    for id in ids:
        loaded = finish(spool.read(id))
        if loaded is not None:
            state[id] = (tuple(loaded.recipients), loaded.message.read())
    assert spool.counts().jobs == len(state)
    assert spool.counts().recipients == sum(len(owing) for owing, _ in state.values())
    return state


IDS = ["small", "large", "spooled", "kept", "dropped", "report"]


def story(disk: Disk, folder: Path) -> list[Told]:
    """Return the chapters, for a spool with the setting ``inline=INLINE``."""
    small = new_job("small")
    large = new_job("large", owed(1), owed(2), body=LARGE)
    spooled = new_job("spooled", body=LARGE * 2)
    kept = new_job("kept", owed(1), body=LARGE[:INLINE])
    whole = replace(kept, recipients=(owed(1), owed(2, "joined@example.net")))
    dropped = new_job("dropped", body=LARGE)
    report = new_job("report", body=LARGE[:3000], kind=JobKind.REPORT, sender=NULL)
    put_off = replace(large, recipients=(owed(1), PUT_OFF))
    ended = replace(owed(1), state=RecipientState.UNREPORTED, tries=1, last=LATER)
    unreported = replace(small, recipients=(ended,))
    noted = SpoolChange(altered=[("small", ended)])
    failed = SpoolChange(gone=[("small", 1)], new=[report])
    later = SpoolChange(altered=[("large", PUT_OFF)])
    served = SpoolChange(gone=[("large", 1), ("large", 2), ("kept", 1)])
    rest = replace(kept, recipients=(owed(2, "joined@example.net"),))

    async def accept_file(spool: DiskJobSpool) -> None:
        """Accept a message that is in a file without a name, on its way in."""
        fd = disk.create_unnamed(bytes(folder))
        disk.write(fd, LARGE * 2)
        blob = FileBlob(Descriptor(fd, disk), len(LARGE * 2))
        try:
            await spool.accept(replace(spooled, message=Message(blob, spooled.message.prefix)))
        finally:
            blob.close()

    return [
        Told(lambda spool: spool.accept(small), state_of(small)),
        Told(lambda spool: spool.accept(large), state_of(small, large)),
        Told(accept_file, state_of(small, large, spooled)),
        Told(lambda spool: spool.prepare(kept), state_of(small, large, spooled)),
        Told(
            lambda spool: spool.keep("kept", whole.recipients[1:]),
            state_of(small, large, spooled, whole),
        ),
        Told(lambda spool: spool.prepare(dropped), state_of(small, large, spooled, whole)),
        Told(lambda spool: spool.drop("dropped"), state_of(small, large, spooled, whole)),
        Told(lambda spool: spool.apply(noted), state_of(unreported, large, spooled, whole)),
        Told(lambda spool: spool.apply(failed), state_of(large, spooled, whole, report)),
        Told(lambda spool: spool.tend(), state_of(large, spooled, whole, report)),
        Told(lambda spool: spool.apply(later), state_of(put_off, spooled, whole, report)),
        Told(lambda spool: spool.apply(served), state_of(spooled, rest, report)),
        Told(lambda spool: spool.tend(), state_of(spooled, rest, report)),
        Told(lambda spool: spool.close(), state_of(spooled, rest, report)),
    ]
