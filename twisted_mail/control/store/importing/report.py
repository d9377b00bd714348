"""The result of an import: its counts for each mailbox, in words and for programs.

An import that ended early has one too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twisted_mail.control.output import (
    FAILED,
    FINE,
    CommandError,
    CommandResult,
    count,
    os_error_text,
)
from twisted_mail.control.store.progress import GO_ON
from twisted_mail.control.store.skipped import SkippedItems
from twisted_mail.mail.outcome import MailError


@dataclass(slots=True)
class MailboxSummary:
    """The counts of one mailbox's messages."""

    target: str
    found: int = 0
    already: int = 0
    imported: int = 0
    skipped: int = 0
    octets: int = 0
    has_uids: bool = False

    def data(self) -> dict[str, Any]:
        """Return the counts for programs."""
        return {
            "mailbox": self.target,
            "found": self.found,
            "already": self.already,
            "imported": self.imported,
            "skipped": self.skipped,
            "octets": self.octets,
            "uids_kept": self.has_uids,
        }

    def line(self, outcome: str) -> str:
        """Return the counts in words."""
        already = f", {self.already} were here already" if self.already else ""
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        kept = ", UIDs kept" if self.has_uids else ""
        return f"{self.target}: {count(self.imported, 'message')} {outcome}{already}{skipped}{kept}"


def result(
    account: str,
    summaries: Sequence[MailboxSummary],
    skipped: SkippedItems,
    is_dry_run: bool,
    remarks: Sequence[str] = (),
) -> CommandResult:
    """Return the result of the command."""
    outcome = "would be imported" if is_dry_run else "imported"
    imported = sum(each.imported for each in summaries)
    octets = sum(each.octets for each in summaries)
    total = f"{count(imported, 'message')}, {octets / 1_000_000:.1f} MB, {outcome}"
    lines = [*(each.line(outcome) for each in summaries), total, *remarks, *skipped.lines()]
    data = {
        "account": account,
        "dry_run": is_dry_run,
        "imported": imported,
        "mailboxes": [each.data() for each in summaries],
        "remarks": [*remarks],
        "skipped": skipped.data(),
    }
    return CommandResult(data, lines, FAILED if skipped.items else FINE)


def ended_early(error: CommandError | MailError | OSError, lines: Sequence[str]) -> CommandError:
    """Return the error with what was imported until then, and what is missing."""
    if isinstance(error, CommandError):
        return CommandError(error.text, error.code, [*error.details, *lines])
    if isinstance(error, MailError):
        return CommandError(f"{error.outcome.text}; {GO_ON}", details=lines)
    return CommandError(f"{os_error_text(error)}; {GO_ON}", details=lines)


def unfinished(expected: Mapping[str, int], summaries: Sequence[MailboxSummary]) -> list[str]:
    """Return lines on the mailboxes that an import has not finished, of so many messages each."""
    done = {each.target: each.imported + each.already for each in summaries}
    return [
        f"not finished: {target}, {done.get(target, 0)} of {count(number, 'message')} are here"
        for target, number in expected.items()
    ]
