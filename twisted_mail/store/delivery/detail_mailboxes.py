"""The mailboxes that details mean, looked up in maildirs as they are now. Runs in a thread.

Nothing is opened for this but the account's folder and its short file of special uses: a stranger may
name a detail of an alias for a thousand accounts.
"""

import os
import stat
from collections.abc import Mapping

from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.format import layout
from twisted_mail.store.format.detail_mailbox import detail_mailbox
from twisted_mail.store.format.special_use import SpecialUses


def find_detail_mailboxes(
    environment: StoreEnvironment, root: bytes, details: Mapping[str, str]
) -> dict[str, str]:
    """Return the mailboxes of accounts with their details; those left out have mail put into INBOX.

    An account that cannot be looked at is one of these, and the error is noted.
    """
    found = {}
    for account, detail in details.items():
        path = layout.account_path(root, account)
        try:
            name = _find(environment, path, detail)
        except FileNotFoundError:  # the account's first mail
            continue
        except OSError as error:
            environment.faults.note(path, error)
            continue
        if name:
            found[account] = name
    return found


def _find(environment: StoreEnvironment, path: bytes, detail: str) -> str:
    maildir = os.path.join(path, b"Maildir")
    names = map(layout.mailbox_name, environment.disk.names(maildir))
    uses = {name: "" for name in names if name is not None}
    name = detail_mailbox(detail, uses | SpecialUses(environment.disk, path).read())
    if not name or name not in uses:
        return ""
    found = environment.disk.stat(os.path.join(maildir, layout.folder_name(name)))
    return name if stat.S_ISDIR(found.st_mode) else ""
