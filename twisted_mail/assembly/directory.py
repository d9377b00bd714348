"""Who lives here: accounts, aliases and mailing lists, and the routes that follow from them."""

import time

from twisted_mail.assembly.thread_pools import ThreadPools
from twisted_mail.auth.login_queue import SharedLoginLine
from twisted_mail.config import Config
from twisted_mail.delivery.local_router import LocalRouter
from twisted_mail.directory.mailing_list_store import SqliteMailingListStore
from twisted_mail.directory.password_checks import PasswordChecks
from twisted_mail.directory.sqlite import SqliteDirectory
from twisted_mail.interfaces import FaultReport


class DirectoryAssembly:
    """``directory`` and ``mailing_lists`` over the accounts file, and the ``router`` over these.

    ``password_checks`` are those of another process, if there is one that checks passwords.
    """

    def __init__(
        self,
        config: Config,
        threads: ThreadPools,
        report_fault: FaultReport,
        password_checks: PasswordChecks | None = None,
    ) -> None:
        separators = config.addresses.separators
        self.directory = SqliteDirectory(
            config.accounts_file,
            threads.files,
            threads.passwords,
            config.passwords,
            config.domains,
            report_fault=report_fault,
            login_line=_login_line(config, threads),
            password_checks=password_checks,
        )
        self.mailing_lists = SqliteMailingListStore(
            config.accounts_file,
            threads.files,
            config.domains,
            separators,
            report_fault=report_fault,
        )
        self.router = LocalRouter(
            self.directory,
            config.hostname,
            config.domains,
            separators,
            config.addresses.postmaster,
        )

    def close(self) -> None:
        """Close the databases."""
        self.directory.close()
        self.mailing_lists.close()


def _login_line(config: Config, threads: ThreadPools) -> SharedLoginLine:
    """Return the line in which passwords wait to be hashed."""
    limits = config.passwords
    return SharedLoginLine(threads.passwords, limits.threads, limits.waiting, time.monotonic)
