"""The journal of one process, and the file that it may be written to as well."""

from typing import Any

from twisted.logger import Logger

from twisted_mail.config import Config
from twisted_mail.log import LogJournal
from twisted_mail.net.process.maillog import MailLog
from twisted_mail.queue.events import QueueEvents

log = Logger(namespace="twisted_mail")


class JournalAssembly:
    """``journal`` notes the events, ``queue_journal`` those of the queue in the same log.

    ``close`` writes out what is left of them.
    """

    def __init__(self, reactor: Any, config: Config) -> None:
        self._mail_log = _make_mail_log(reactor, config)
        write = None if self._mail_log is None else self._mail_log.write
        self.journal = LogJournal(config.log.connections, write)
        self.queue_journal = QueueEvents(self.journal)

    def close(self) -> None:
        """Write out and close the file, if there is one."""
        if self._mail_log is not None:
            self._mail_log.flush()
            self._mail_log.close()


def _make_mail_log(reactor: Any, config: Config) -> MailLog | None:
    if not config.log.file:
        return None
    path = config.state / config.log.file
    return MailLog(reactor, path, lambda text: log.warn("{text}", text=text))
