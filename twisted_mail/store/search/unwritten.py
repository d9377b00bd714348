"""What was read of messages for the full-text index, and is not written yet."""

from collections.abc import Callable

from twisted_mail.store.search.fulltext import IndexedContent
from twisted_mail.store.search.indexed_messages import MailboxKey

# Written together: one large transaction takes less time than several small ones.
MESSAGES = 250
CHARACTERS = 1024 * 1024


class UnwrittenContents:
    """Collects contents of messages, and writes them some hundreds at a time.

    ``write`` puts contents of one mailbox into the index, and returns whether the index works; where it
    does not they are dropped, and read again another time. Used by one thread at a time.
    """

    __slots__ = ("_characters", "_contents", "_place", "_write")

    def __init__(self, write: Callable[[MailboxKey, list[IndexedContent]], bool]) -> None:
        self._write = write
        self._place: MailboxKey | None = None
        self._contents: list[IndexedContent] = []
        self._characters = 0

    def add(self, place: MailboxKey, content: IndexedContent) -> bool:
        """Take what was read of a message in a mailbox; return whether the index works so far."""
        is_working = place == self._place or self.write()
        self._place = place
        self._contents.append(content)
        self._characters += len(content.text.body) if content.text else 0
        if len(self._contents) >= MESSAGES or self._characters >= CHARACTERS:
            is_working = self.write()
        return is_working

    def write(self) -> bool:
        """Write what waits; return whether the index works."""
        contents, self._contents, self._characters = self._contents, [], 0
        return self._place is None or not contents or self._write(self._place, contents)
