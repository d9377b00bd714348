"""Other mail servers, from Debian, that serve the same mail: their files below a folder of the test."""

import grp
import imaplib
import os
import poplib
import pwd
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from tests.whole.dovecot_config import dovecot_config, dovecot_version
from tests.whole.live import PATIENCE, needs
from tests.whole.ports import free_port
from tests.whole.process import select_nothing

ROOT = "root"
MAIL_USER = "mail"  # Debian has it always; as root, Dovecot serves no mail


def give(path: Path) -> None:
    """Let other servers have what root made."""
    if os.getuid() == 0:
        found = pwd.getpwnam(MAIL_USER)
        os.chown(path, found.pw_uid, found.pw_gid)


class Dovecot:
    """A Dovecot that serves one maildir to whoever logs in, until it is stopped.

    ``settings`` are added to its configuration.
    """

    def __init__(self, folder: Path, maildir: Path, settings: str = "") -> None:
        self._program = needs("dovecot")
        self.folder, self.maildir = folder, maildir
        self.imap_port, self.pop3_port = free_port(), free_port()
        for name in ("run", "state", "home"):
            (folder / name).mkdir(parents=True)
            give(folder / name)
        self._log = folder / "dovecot.log"
        self._config = folder / "dovecot.conf"
        self._config.write_text(self._text() + settings)
        self.start()

    def _text(self) -> str:
        user = pwd.getpwuid(os.getuid()).pw_name
        group = grp.getgrgid(os.getgid()).gr_name
        is_root = user == ROOT
        return dovecot_config(dovecot_version(self._program)).format(
            folder=self.folder,
            maildir=self.maildir,
            instance=self.folder.name,
            user=user,
            group=group,
            login_user="dovenull" if is_root else user,
            chroot="login" if is_root else "",
            mail_user=MAIL_USER if is_root else user,
            mail_group=MAIL_USER if is_root else group,
            imap=self.imap_port,
            pop3=self.pop3_port,
        )

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._program, "-F", "-c", str(self._config)],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"Dovecot does not answer:\n{self.said()}")
            select_nothing(0.05)

    def _answers(self) -> bool:
        try:
            imaplib.IMAP4("127.0.0.1", self.imap_port, timeout=PATIENCE).logout()
            poplib.POP3("127.0.0.1", self.pop3_port, timeout=PATIENCE).quit()
        except (OSError, EOFError, imaplib.IMAP4.error, poplib.error_proto):
            return False
        return True

    def said(self) -> str:
        """Return its log."""
        return self._log.read_text()

    def complaints(self) -> list[str]:
        """Return the lines of its log that tell of anything out of order."""
        lines = [line for line in self.said().splitlines() if "Killed with signal 15" not in line]
        return [line for line in lines if ": Info: " not in line]

    def stop(self) -> None:
        """Ask it to end; what is left of its processes then is killed."""
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
