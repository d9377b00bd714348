"""The mailboxes that a command of ``twisted-mail store`` is about."""

import argparse
from collections.abc import Sequence
from fnmatch import fnmatchcase


def chosen_mailboxes(mailboxes: Sequence[str], options: argparse.Namespace) -> list[str]:
    """Return the mailboxes that ``--only`` and ``--skip`` select."""
    only, skip = options.only or ["*"], options.skip or []
    return [name for name in mailboxes if _matches(name, only) and not _matches(name, skip)]


def _matches(mailbox: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(mailbox, pattern) for pattern in patterns)
