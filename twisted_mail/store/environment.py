"""What every account of one store shares."""

from dataclasses import dataclass, field

from twisted_mail.interfaces import Clock, Renderer
from twisted_mail.store.closed_mailboxes import ClosedMailboxes
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import DiskFaults
from twisted_mail.store.file_names import FileNames
from twisted_mail.store.format.filename import Namer
from twisted_mail.store.known_uids import KnownUids
from twisted_mail.store.memory_limit import MemoryLimit
from twisted_mail.store.rendered_cache import RenderedCache
from twisted_mail.store.settings import StoreSettings


@dataclass(frozen=True, slots=True)
class StoreEnvironment:
    """What every account of a store is given.

    Without ``render``, as in a program that serves nobody, nothing is rendered of new messages.
    """

    disk: Disk
    clock: Clock
    namer: Namer
    boot: str
    settings: StoreSettings
    faults: DiskFaults = field(default_factory=DiskFaults)
    render: Renderer | None = None
    memory_limit: MemoryLimit = field(default_factory=MemoryLimit)
    file_names: FileNames = field(default_factory=FileNames)
    rendered: RenderedCache = field(default_factory=RenderedCache)
    closed_mailboxes: ClosedMailboxes = field(default_factory=ClosedMailboxes)
    known_uids: KnownUids = field(default_factory=KnownUids)
