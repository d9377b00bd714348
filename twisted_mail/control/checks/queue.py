"""The mail that waits, as ``twisted-mail check`` sees it."""

from collections.abc import Iterator

from twisted_mail.config import Config
from twisted_mail.control.checks.note import Note
from twisted_mail.control.waiting_mail import unreadable_jobs

_SHOWN = 10


def queue_notes(config: Config) -> Iterator[Note]:
    """Check that all mail that waits can be read: the server would never deliver the rest."""
    unreadable = unreadable_jobs(config)
    for text in unreadable[:_SHOWN]:
        yield Note("fault", "waiting", text)
    if len(unreadable) > _SHOWN:
        yield Note("fault", "waiting", f"and {len(unreadable) - _SHOWN} more: waiting list")
