"""Items that a command skips instead of stopping, with the reasons: listed at its end."""

from dataclasses import dataclass, field
from typing import Any

from twisted_mail.control.output import count

SHOWN = 100  # of each list; the rest is counted


class BadItem(Exception):
    """One item that cannot be handled, with the reason in words."""


def reason_of(error: BaseException) -> str:
    """Return why something failed: of an error of the system its words, without number and file."""
    return str(getattr(error, "strerror", None) or error)


@dataclass(slots=True)
class SkippedItems:
    """Bad items: where, and why not."""

    items: list[tuple[str, str]] = field(default_factory=list)

    def add(self, where: str, why: object) -> None:
        """Record a bad item."""
        self.items.append((where, str(why)))

    def __len__(self) -> int:
        return len(self.items)

    def lines(self) -> list[str]:
        """Return the list for people; empty when nothing was skipped."""
        if not self.items:
            return []
        lines = [f"{count(len(self.items), 'item')} skipped:"]
        lines += [f"  {where}: {why}" for where, why in self.items[:SHOWN]]
        if len(self.items) > SHOWN:
            lines.append(f"  and {len(self.items) - SHOWN} more (--json lists all)")
        return lines

    def data(self) -> list[dict[str, Any]]:
        """Return the list for programs."""
        return [{"where": where, "why": why} for where, why in self.items]
