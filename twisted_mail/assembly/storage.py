"""Where mail lives, and where messages are while they come in."""

from functools import partial
from typing import Any

from twisted_mail.assembly.thread_pools import ThreadPools
from twisted_mail.config import Config
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.interfaces import Clock, FaultReport, Journal
from twisted_mail.net.process.inotify import Inotify
from twisted_mail.store.disk.faults import DiskFaults
from twisted_mail.store.disk.memory_budget import Budget
from twisted_mail.store.disk.spool import SpoolWriter
from twisted_mail.store.maildir import MaildirStore, StoreServices
from twisted_mail.workers.shared_services import SharedServices


class StorageAssembly:
    """The ``store``, and the ``spool`` folder, which is made when it is not there.

    ``make_blob_writer`` returns a new writer for the octets of one message; ``budget`` is the memory that
    all messages share. Needs the state folder to be there.
    """

    def __init__(
        self,
        reactor: Any,
        config: Config,
        shared: SharedServices,
        threads: ThreadPools,
        clock: Clock,
        journal: Journal,
        report_fault: FaultReport,
    ) -> None:
        self._journal = journal
        self.spool = config.spool_folder
        self.spool.mkdir(mode=0o700, exist_ok=True)
        self.budget = Budget()
        self.make_blob_writer = partial(
            SpoolWriter,
            self.spool,
            threads.files,
            budget=self.budget,
            faults=DiskFaults(report_fault),
        )
        self._monitor = Inotify(reactor, journal)
        self.store = MaildirStore(
            config.mail_folder,
            threads.files,
            clock,
            ItemRenderer(),
            StoreServices(
                settings=config.store,
                report=self._watcher_failed,
                progress=journal.indexed,
                rendered=journal.rendered,
                monitor=self._monitor,
                reserver=shared.reserver(config.store),
                account_blocking=threads.accounts,
                background=shared.background(clock),
                report_fault=report_fault,
            ),
        )

    def _watcher_failed(self, error: Exception) -> None:
        """Log the bug of a watcher of a mailbox; the change itself has been made."""
        try:
            raise error
        except Exception:
            self._journal.failed("watcher")

    async def close(self) -> None:
        """Close the store, and end the watching of its folders."""
        await self.store.close()
        self._monitor.close()
