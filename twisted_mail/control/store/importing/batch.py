"""Messages of an import that are appended together."""

from dataclasses import dataclass, field

from twisted_mail.control.store.importing.source import SourceMessage

MAX_MESSAGES = 100  # that become visible together
MAX_SIZE = 8 * 1024 * 1024  # octets, likewise


@dataclass(slots=True)
class Batch:
    """Messages that are appended together."""

    items: list[SourceMessage] = field(default_factory=list)
    size: int = 0

    def add(self, item: SourceMessage) -> bool:
        """Add a message; return whether the batch is full."""
        self.items.append(item)
        self.size += item.size
        return len(self.items) >= MAX_MESSAGES or self.size >= MAX_SIZE
