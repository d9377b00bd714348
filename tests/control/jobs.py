"""Mail that waits, for tests of the commands that show it."""

from tests.control.terminal import Terminal
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.job import Job
from twisted_mail.mail.mailing_list_definition import ListRole
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.route import ListTarget, ProgramTarget
from twisted_mail.queue.folder import WAITING_FOLDER, QueueFolder
from twisted_mail.store.disk.files import DiskFiles

NEWS, ALICE = "news@example.org", "alice@example.org"


def add_jobs(terminal: Terminal) -> QueueFolder:
    """Have one post held and one message wait for a program."""
    state = next(terminal.folder.rglob("accounts.sqlite3")).parent
    folder = QueueFolder(str(state / WAITING_FOLDER), DiskFiles())
    folder.load()
    several = [
        Job(
            "id1-1", 9.0, parse(ALICE), ListTarget(NEWS, ListRole.POST), is_held=True, reason="why"
        ),
        Job(
            "id2-1",
            8.0,
            NULL,
            ProgramTarget("ticket", parse("t@example.org")),
            due=99.0,
            attempts=2,
        ),
    ]
    folder.prepare(several, Message(MemoryBlob(b"x\r\n")))
    folder.commit(several)
    return folder
