"""``store check``, ``store repair`` and ``store reindex``."""

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.output import FAILED, FINE, CommandError, CommandResult, count
from twisted_mail.control.store import accounts
from twisted_mail.control.store.account_spellings import astray, bring_together, spelled_otherwise
from twisted_mail.control.store.progress import Progress
from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.repair import reindex as reindexing
from twisted_mail.store.repair import repair as repairing
from twisted_mail.store.repair.check import MaildirCheck
from twisted_mail.store.repair.findings import StoreFinding
from twisted_mail.store.tree.transaction import in_transaction
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.work.perform import perform_steps

SHOWN = 10  # findings of one kind in one mailbox
_TRANSIENT_SECONDS = 0.3  # for other programs to finish what they are doing


# ---------------------------------------------------------------- check


def check(options: argparse.Namespace, config: Config) -> CommandResult:
    """Check everything, and change nothing."""
    lines: list[str] = []
    data: list[dict[str, Any]] = []
    faults = messages = 0
    names, elsewhere = accounts.chosen(config, options.account), astray(config)
    with Progress(0, not options.json) as progress:
        for account in names:
            progress.place = account
            look = _look(config, account, not options.quick, progress)
            found = twice(look)
            if account in elsewhere:
                found.append(spelled_otherwise(elsewhere[account]))
            faults += len(found)
            messages += look.messages
            sums = f"{count(look.mailboxes, 'mailbox', 'mailboxes')}, {count(look.messages, 'message')}"
            lines += [f"{account}: {sums}, {_verdict(found)}", *_lines(found)]
            data.append(
                {
                    "account": account,
                    "mailboxes": look.mailboxes,
                    "messages": look.messages,
                    "findings": [_data(finding) for finding in found],
                }
            )
    unreadable = [] if options.account else accounts.unreadable_folders(config)
    faults += len(unreadable)
    lines += [f"{folder}: {why}" for folder, why in unreadable]
    lines.append(f"{count(len(names), 'account')}, {count(messages, 'message')}, {_sum(faults)}")
    if faults:
        lines.append("twisted-mail store repair ACCOUNT mends what can be mended")
    answer = {"findings": faults, "accounts": data, "unreadable": unreadable}
    return CommandResult(answer, lines, FAILED if faults else FINE)


def _look(config: Config, account: str, reads: bool, progress: Progress) -> MaildirCheck:
    return MaildirCheck(Disk(), accounts.path(config, account), time.time(), reads, progress.step)


def twice(look: MaildirCheck) -> list[StoreFinding]:
    """Return findings that are still there a moment later: other programs may be working."""
    found = look.findings()
    if not found:
        return []
    time.sleep(_TRANSIENT_SECONDS)
    again = set(look.findings())
    return [finding for finding in found if finding in again]


def _verdict(found: Sequence[StoreFinding]) -> str:
    return count(len(found), "finding") if found else "fine"


def _sum(faults: int) -> str:
    return count(faults, "finding") if faults else "nothing was found"


def _lines(found: Iterable[StoreFinding]) -> list[str]:
    lines = []
    shown: Counter[tuple[str, str]] = Counter()
    for finding in found:
        group = finding.mailbox, finding.kind
        shown[group] += 1
        if shown[group] <= SHOWN:
            where = f"{finding.mailbox}: " if finding.mailbox else ""
            lines.append(f"  {where}{finding.text}")
    for (mailbox, kind), number in shown.items():
        if number > SHOWN:
            lines.append(f"  {mailbox}: and {number - SHOWN} more of the kind {kind!r}")
    return lines


def _data(finding: StoreFinding) -> dict[str, Any]:
    return {"mailbox": finding.mailbox, "kind": finding.kind, "text": finding.text}


# ---------------------------------------------------------------- repair


def repair(options: argparse.Namespace, config: Config) -> CommandResult:
    """Repair what check finds; no mail is removed."""
    try:
        return _repair(options, config)
    except KeyboardInterrupt:
        raise CommandError("interrupted; run the same command again") from None


def _repair(options: argparse.Namespace, config: Config) -> CommandResult:
    lines: list[str] = []
    data: list[dict[str, Any]] = []
    left = 0
    elsewhere = astray(config)
    # What is astray goes first, and is part of its account then.
    for account in sorted(
        accounts.chosen(config, options.account), key=lambda name: name not in elsewhere
    ):
        if account in elsewhere:
            done, rest = bring_together(config, account, elsewhere[account], options)
        else:
            done, rest = _repaired(config, account, options)
        left += len(rest)
        lines.append(f"{account}: {'; '.join(done) if done else 'nothing was to be done'}")
        if rest:
            lines += [f"  left as it is, {count(len(rest), 'finding')}:", *_lines(rest)]
        data.append({"account": account, "done": done, "left": [_data(each) for each in rest]})
    return CommandResult({"accounts": data}, lines, FAILED if left else FINE)


def _repaired(
    config: Config, account: str, options: argparse.Namespace
) -> tuple[list[str], list[StoreFinding]]:
    with Progress(0, not options.json) as progress:
        progress.place = account
        found = twice(_look(config, account, not options.quick, progress))
        done: list[str] = []
        if found or options.new_uidvalidity:
            with accounts.opened(config, account) as tree:
                if found:
                    done = perform_steps(tree, repairing.repair, found)
                if options.new_uidvalidity:
                    done += perform_steps(tree, _renumber, options.mailbox)
        rest = twice(_look(config, account, not options.quick, progress)) if found else []
    return done, rest


def _renumber(tree: Tree, mailbox: str | None) -> list[str]:
    names = [mailbox] if mailbox else reindexing.selectable_mailboxes(tree)
    for name in names:
        in_transaction(tree, reindexing.renumber, name)
    return [f"{name}: has a new UIDVALIDITY, clients load it again" for name in names]


# ---------------------------------------------------------------- reindex


def reindex(options: argparse.Namespace, config: Config) -> CommandResult:
    """Rebuild the index from the files; UIDs are kept."""
    lines: list[str] = []
    data: list[dict[str, Any]] = []
    for account in accounts.chosen(config, options.account):
        with accounts.opened(config, account) as tree:
            found = perform_steps(tree, reindexing.reindex_all)
        messages = sum(found.values())
        sums = f"{count(len(found), 'mailbox', 'mailboxes')}, {count(messages, 'message')}"
        lines.append(f"{account}: the index is made again: {sums}")
        data.append({"account": account, "mailboxes": found})
    return CommandResult({"accounts": data}, lines)
