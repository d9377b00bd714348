"""Opening the source of an import."""

import argparse
import getpass
import os
import sys

from twisted_mail.control import secrets
from twisted_mail.control.output import WRONG_USE, CommandError
from twisted_mail.control.store.importing import imap_client, imap_source
from twisted_mail.control.store.importing.maildir_source import MaildirSource
from twisted_mail.control.store.importing.mbox_source import MboxSource
from twisted_mail.control.store.importing.source import ImportSource
from twisted_mail.control.store.importing.source_files import SourceFiles


def opened(options: argparse.Namespace) -> tuple[ImportSource, str]:
    """Open the source; return it with a name that is the same in every run."""
    given: str = options.source
    if "://" in given:
        address = imap_client.parse(given)
        password = _password(options, address.user)
        return (
            imap_source.ImapSource(
                address, password, options.starttls, options.ca or "", options.tls_name or ""
            ),
            f"imap:{address.user}@{address.host}:{address.port}",
        )
    path = os.path.abspath(given)
    files = SourceFiles(os.fsencode(path))
    if MaildirSource.is_one(files):
        return MaildirSource(files), f"maildir:{path}"
    source = MboxSource(files, options.mbox)
    if not source.mailboxes():
        details = [f"{where}: {why}" for where, why in source.bad()]
        text = f"{given} is no Maildir, and no mbox file is in it"
        raise CommandError(text, details=details)
    return source, f"mbox:{path}"


def _password(options: argparse.Namespace, user: str) -> str:
    if options.password_stdin:
        return secrets.read_password()
    if not sys.stdin.isatty():
        raise CommandError(
            "there is no terminal to ask for the password: use --password-stdin", WRONG_USE
        )
    return getpass.getpass(f"Password of {user}: ")
