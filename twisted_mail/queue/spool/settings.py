"""How much the queue may hold."""

from dataclasses import dataclass

from twisted_mail.queue.spool.bodies import INLINE
from twisted_mail.queue.spool.fresh_jobs import MOST


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """Limits of the spool. ``vfs`` names another file system layer of SQLite's, in tests."""

    max_messages: int = 1_000_000  # jobs; no more are taken in then
    min_free: int = 256 * 1024 * 1024  # octets on the file system, below which none are taken in
    inline: int = INLINE  # octets up to which a body is in the database
    fresh: int = MOST  # octets of new jobs that are in memory for their first attempt
    lock_seconds: float = 5.0  # that a start waits for a control command which alters the queue
    vfs: str | None = None
