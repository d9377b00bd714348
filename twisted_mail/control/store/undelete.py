"""``store undelete``: restore what was expunged."""

import argparse
import re
import time
from datetime import UTC, datetime
from typing import Any

from twisted_mail.config import Config
from twisted_mail.control.output import WRONG_USE, CommandError, CommandResult, count, table
from twisted_mail.control.store import accounts
from twisted_mail.mail.mime.encoding import decode_words
from twisted_mail.mail.mime.header import end, unfolded, values
from twisted_mail.store.repair import undelete as expunged
from twisted_mail.store.repair.undelete import ExpungedMessage
from twisted_mail.store.tree.tree import Tree
from twisted_mail.store.work.perform import perform_steps

_AGO = re.compile(r"([0-9]{1,6})([mhd])")
_UNITS = {"m": 60, "h": 3600, "d": 86_400}
_WANTED = frozenset((b"from", b"subject"))


def undelete(options: argparse.Namespace, config: Config) -> CommandResult:
    """List what can be restored, or restore it."""
    account = accounts.existing_account(config, options.account)
    if not accounts.has_mail(config, account):
        raise CommandError(f"{account} has no mail yet")
    since = _since(options.since, time.time()) if options.since else 0.0
    with accounts.opened(config, account) as tree:
        found = perform_steps(tree, expunged.list_expunged, options.mailbox, since)
        if options.uid:
            found = [each for each in found if each.uid in options.uid]
        if options.list:
            return _listed(tree, account, found)
        return _restored(tree, account, found, options.into or "")


def _since(text: str, now: float) -> float:
    """Read a time: ``2h`` or ``3d`` ago, or a date, perhaps with a time."""
    match = _AGO.fullmatch(text)
    if match:
        return now - int(match[1]) * _UNITS[match[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"{text} is no time: say 2h, 3d, 2026-11-23 or 2026-11-23T09:00", WRONG_USE
        ) from None
    return (moment if moment.tzinfo else moment.astimezone()).timestamp()


def _listed(tree: Tree, account: str, found: list[ExpungedMessage]) -> CommandResult:
    data = [_data(tree, each) for each in found]
    cells = [
        (
            each["mailbox"],
            str(each["uid"] or "-"),
            each["expunged"],
            str(each["size"]),
            each["from"][:30],
            each["subject"][:40],
        )
        for each in data
    ]
    titles = "MAILBOX", "UID", "EXPUNGED", "OCTETS", "FROM", "SUBJECT"
    lines = table(titles, cells) or ["nothing can be brought back"]
    return CommandResult({"account": account, "messages": data}, lines)


def _data(tree: Tree, message: ExpungedMessage) -> dict[str, Any]:
    head = expunged.head(tree, message)
    fields = values(head, 0, end(head), _WANTED)
    return {
        "mailbox": message.mailbox,
        "uid": message.uid,
        "expunged": datetime.fromtimestamp(message.expunged, UTC).isoformat(),
        "size": message.size,
        "flags": sorted(message.flags),
        "from": _text(fields.get(b"from", [])),
        "subject": _text(fields.get(b"subject", [])),
    }


def _text(values: list[bytes]) -> str:
    return " ".join(decode_words(unfolded(values[0])).split()) if values else ""


def _restored(tree: Tree, account: str, found: list[ExpungedMessage], into: str) -> CommandResult:
    done = perform_steps(tree, expunged.restore, found, into)
    lines = [
        f"{mailbox}: {count(len(copied.targets), 'message')} brought back"
        for mailbox, copied in done.items()
    ]
    data = {
        mailbox: [
            {"old_uid": old, "uid": new}
            for old, new in zip(copied.sources, copied.targets, strict=True)
        ]
        for mailbox, copied in done.items()
    }
    return CommandResult({"account": account, "mailboxes": data}, lines or ["there was nothing"])
