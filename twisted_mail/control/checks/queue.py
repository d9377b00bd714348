"""What an earlier version left that could not be taken over, as ``twisted-mail check`` sees it."""

from collections.abc import Iterator

from twisted_mail.config import Config
from twisted_mail.control.checks.note import Note
from twisted_mail.net.process.fault_log import fault_text
from twisted_mail.queue.takeover.waiting_folder import WAITING_FOLDER, unreadable_jobs
from twisted_mail.store.disk.files import DiskFiles

_SHOWN = 10


def queue_notes(config: Config) -> Iterator[Note]:
    """Check that nothing is left of the folder ``waiting`` of earlier versions: it is never delivered."""
    unreadable = unreadable_jobs(str(config.state / WAITING_FOLDER), DiskFiles())
    for where, error in unreadable[:_SHOWN]:
        yield Note("fault", "waiting", fault_text(where, error))
    if len(unreadable) > _SHOWN:
        yield Note("fault", "waiting", f"and {len(unreadable) - _SHOWN} more")
