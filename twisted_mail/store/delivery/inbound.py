"""One message on its way into the inboxes of several accounts.

It is written to tmp and synced, then it gets a name in ``new`` of each account, then each ``new`` is
synced: only then is it told to be there. Nothing else is on this path: UIDs, and the index, come when
somebody looks. Everything here runs in a thread, on one message at a time.
"""

import errno
import os
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import suppress

from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError
from twisted_mail.store.disk.durable import unavailable
from twisted_mail.store.disk.message_file import link_or_copy, write_message
from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.format import layout
from twisted_mail.store.work.prepare import make_maildir

Seal = Callable[[int], None]  # what is done with a file that is written, before it is closed


class InboxDelivery:
    """A message, the accounts it is for, and how far it has come; it owns the message's blob.

    ``answers`` gets None for each account where the message is durable and visible, else why not.
    ``is_begun`` says that a thread has taken it, ``is_apart`` that its file turned out to be on another
    file system than that of the store, and ``failure`` is a bug that ended it.
    """

    def __init__(
        self, ground: StoreEnvironment, root: bytes, names: Sequence[str], message: Message
    ) -> None:
        self.message = message
        self.names = tuple(dict.fromkeys(names))
        self.answers: dict[str, MailError | None] = {}
        self.is_begun = False
        self.is_apart = False
        self.failure: BaseException | None = None
        self._disk = ground.disk
        self._ground = ground
        self._root = root
        self._home = ""  # the account in whose tmp the file was written
        self._base = b""  # what it is called there, and in new of that account
        self._written = b""  # its path in tmp, while it has that name
        self._placed: dict[str, bytes] = {}  # its paths in new, by account
        self._copied: set[bytes] = set()  # those that could not be links

    @property
    def apart(self) -> Set[bytes]:
        """Return the names in ``new`` that may be on another file system than that of the store."""
        return set(self._placed.values()) if self.is_apart else self._copied

    def deliver(self) -> Mapping[str, MailError | None]:
        """Take the message all the way by itself; return the answers."""
        self.is_begun = True
        try:
            self.write(self._disk.sync_file)
            self.place()
            self.settle(set(self._placed.values()))
        finally:
            self.message.blob.close()
        return self.answers

    # ------------------------------------------------------------ the steps

    def write(self, seal: Seal) -> None:
        """Write the file into the tmp of the first account where that can be done, and seal it."""
        for name in self.names:
            try:
                self._write(name, seal)
            except OSError as error:
                self.answers[name] = unavailable(error)
            else:
                return

    def place(self) -> None:
        """Give the file a name in ``new`` of each account; do nothing if it was not written.

        The others' names are links to its name in tmp, which at last becomes that in its own ``new``.
        """
        if not self._written:
            return
        try:
            for name in self.names:
                if name not in self.answers and name != self._home:
                    self._place(name, self._new_base(), self._link)
            self._place(self._home, self._base, self._rename)
        finally:
            if self._written:
                with suppress(OSError):
                    self._disk.unlink(self._written)
                self._written = b""

    def settle(self, unsynced: Set[bytes]) -> None:
        """Sync the folders of names that are not on disk yet, and answer for all names."""
        for name, path in self._placed.items():
            self.answers[name] = self._sync(path) if path in unsynced else None

    def fail(self, error: Exception) -> None:
        """Take back what was done, and answer that for now nobody has the message.

        What is no OSError is a bug, to be raised by whoever wants the answers.
        """
        if not isinstance(error, OSError):
            self.failure = error
            error = OSError(errno.EIO, "a bug")
        for path in (self._written, *self._placed.values()):
            if path:
                with suppress(OSError):
                    self._disk.unlink(path)
        self._written = b""
        self._placed.clear()
        self.answers |= dict.fromkeys(self.names, unavailable(error))

    # ------------------------------------------------------------ names

    def _write(self, name: str, seal: Seal) -> None:
        maildir = self._maildir(name)
        self._home, self._base = name, self._new_base()
        path = os.path.join(maildir, b"tmp", self._base)
        now = self._ground.clock.now()
        try:
            write_message(self._disk, path, self.message, now, seal)
        except FileNotFoundError:  # the account's first mail
            make_maildir(self._disk, maildir)
            write_message(self._disk, path, self.message, now, seal)
        self._written = path

    def _place(self, name: str, base: bytes, give: Callable[[bytes, bytes], bytes]) -> None:
        """Have ``give`` make a name in an account's maildir; note it, or why there is none."""
        maildir = self._maildir(name)
        try:
            try:
                self._placed[name] = give(maildir, base)
            except FileNotFoundError:  # the account's first mail
                make_maildir(self._disk, maildir)
                self._placed[name] = give(maildir, base)
        except OSError as error:
            self.answers[name] = unavailable(error)

    def _rename(self, maildir: bytes, base: bytes) -> bytes:
        path = os.path.join(maildir, b"new", base)
        self._disk.rename(self._written, path)
        self._written = b""
        return path

    def _link(self, maildir: bytes, base: bytes) -> bytes:
        """Link, by way of tmp where it must be copied: nothing half written is ever in new."""
        path = os.path.join(maildir, b"new", base)
        try:
            self._disk.link(self._written, path)
        except FileNotFoundError:
            raise
        except OSError:
            self._copy(os.path.join(maildir, b"tmp", base), path)
        return path

    def _copy(self, beside: bytes, path: bytes) -> None:
        link_or_copy(self._disk, self._written, beside)
        try:
            self._disk.rename(beside, path)
        except OSError:
            with suppress(OSError):
                self._disk.unlink(beside)
            raise
        self._copied.add(path)

    def _sync(self, path: bytes) -> MailError | None:
        try:
            self._disk.sync_folder(os.path.dirname(path))
        except OSError as error:
            with suppress(OSError):
                self._disk.unlink(path)
            return unavailable(error)
        return None

    def _maildir(self, name: str) -> bytes:
        return os.path.join(layout.account_path(self._root, name), b"Maildir")

    def _new_base(self) -> bytes:
        size = self.message.size
        return self._ground.namer.base(self._ground.clock.now(), size, size)
