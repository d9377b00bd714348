"""The command line of ``twisted-mail store``."""

from argparse import ArgumentParser
from typing import Protocol

from twisted_mail.control.store import checking, undelete
from twisted_mail.control.store.backup import backup, restore
from twisted_mail.control.store.exporting import exporter
from twisted_mail.control.store.importing import importer


class AddCommand(Protocol):
    """Makes a command of this family, and returns its parser."""

    def __call__(self, name: str, command: object, about: str, /) -> ArgumentParser:
        """Make a command."""


def add(command: AddCommand) -> None:
    """Add the commands."""
    _checking(command)
    _importing(command)
    _exporting(command)
    _backing_up(command)
    _undeleting(command)


def _checking(command: AddCommand) -> None:
    check = command("check", checking.check, "look for everything that is wrong; change nothing")
    repair = command("repair", checking.repair, "mend what check finds; no mail is removed")
    reindex = command("reindex", checking.reindex, "make the index again from the files")
    for parser in (check, repair, reindex):
        parser.add_argument("account", metavar="ACCOUNT", nargs="*", help="all if none is named")
    for parser in (check, repair):
        parser.add_argument("--quick", action="store_true", help="do not read every message")
    repair.add_argument(
        "--new-uidvalidity", action="store_true", help="have clients load everything again"
    )
    repair.add_argument("--mailbox", metavar="MAILBOX", help="that for this mailbox only")


def _importing(command: AddCommand) -> None:
    take_in = command("import", importer.import_mail, "import from a Maildir, mbox or IMAP server")
    take_in.add_argument("account", metavar="ACCOUNT")
    take_in.add_argument(
        "source",
        metavar="SOURCE",
        help="a Maildir, an mbox file, a folder of them, or imaps://user@host/",
    )
    take_in.add_argument("--into", metavar="MAILBOX", help="instead of INBOX; others go below it")
    _choosing(take_in)
    take_in.add_argument(
        "--mbox",
        choices=("mboxrd", "mboxo", "mboxcl", "mboxcl2"),
        default="mboxrd",
        help="how From lines are quoted",
    )
    take_in.add_argument("--starttls", action="store_true", help="with imap://")
    take_in.add_argument("--ca", metavar="FILE", help="trust certificates signed by these")
    take_in.add_argument("--tls-name", metavar="NAME", help="the name the certificate must have")
    take_in.add_argument(
        "--password-stdin", action="store_true", help="read it from the first line of stdin"
    )


def _exporting(command: AddCommand) -> None:
    put_out = command("export", exporter.export_mail, "export to a Maildir or to mbox files")
    put_out.add_argument("account", metavar="ACCOUNT")
    put_out.add_argument(
        "target", metavar="TARGET", help="a folder; run again, it gets what is new"
    )
    put_out.add_argument("--format", choices=("maildir", "mbox"), default="maildir")
    _choosing(put_out)


def _backing_up(command: AddCommand) -> None:
    back_up = command("backup", backup.back_up, "back up accounts, while the server runs")
    back_up.add_argument("folder", metavar="DIR", help="where backups are; what one has is linked")
    back_up.add_argument("account", metavar="ACCOUNT", nargs="*", help="all if none is named")
    back_up.add_argument("--keep", type=int, metavar="N", help="remove all but the last N backups")
    listing = command("backups", backup.listing, "list the backups in a folder")
    listing.add_argument("folder", metavar="DIR")
    restored = command("restore", restore.restore, "restore accounts from a backup")
    restored.add_argument("folder", metavar="DIR", help="where backups are, or one of them")
    restored.add_argument("account", metavar="ACCOUNT", nargs="*", help="all if none is named")
    restored.add_argument("--snapshot", metavar="NAME", help="this backup, not the last")
    restored.add_argument("--into", metavar="STATE", help="another state folder")
    restored.add_argument(
        "--replace", action="store_true", help="move mail that is there into mailboxes of its own"
    )


def _undeleting(command: AddCommand) -> None:
    undeleted = command("undelete", undelete.undelete, "bring back expunged messages")
    undeleted.add_argument("account", metavar="ACCOUNT")
    undeleted.add_argument("mailbox", metavar="MAILBOX", nargs="?", help="of this mailbox only")
    undeleted.add_argument("--since", metavar="TIME", help="expunged since: 2h, 3d, 2026-11-23")
    undeleted.add_argument("--uid", type=int, action="append", help="only this one; repeat")
    undeleted.add_argument("--into", metavar="MAILBOX", help="not where they were")
    undeleted.add_argument("--list", action="store_true", help="list them, and change nothing")


def _choosing(parser: ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="count, and do nothing")
    parser.add_argument("--only", metavar="PATTERN", action="append", help="these mailboxes")
    parser.add_argument("--skip", metavar="PATTERN", action="append", help="not these mailboxes")
