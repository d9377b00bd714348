"""One message on its way into the inboxes of several accounts, or into other mailboxes that are there.

It is written to tmp and synced, then it gets a name in ``new`` of each account, then each ``new`` is
synced: only then is it reported as delivered. Nothing else is on this path: UIDs, and the index, come
when somebody looks. Everything here runs in a thread, on one message at a time.
"""

import errno
import os
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import suppress

from twisted_mail.mail.message import Message
from twisted_mail.mail.outcome import MailError, Refused
from twisted_mail.store.disk.faults import answer_to, is_of_one_file
from twisted_mail.store.disk.message_file import link_or_copy, write_message
from twisted_mail.store.environment import StoreEnvironment
from twisted_mail.store.format import layout
from twisted_mail.store.work.prepare import make_maildir

Seal = Callable[[int], None]  # what is done with a file that is written, before it is closed


class InboxDelivery:
    """A message, the accounts it is for, and how far it has come; the message's blob is lent.

    ``mailboxes`` has the names of those other mailboxes, by account; nothing of them is made. ``answers``
    gets None for each account where the message is durable and visible, else why not.
    ``is_begun`` says that a thread has taken it, ``is_apart`` that its file turned out to be on another
    file system than that of the store, and ``failure`` is a bug that ended it.
    """

    def __init__(
        self,
        environment: StoreEnvironment,
        root: bytes,
        names: Sequence[str],
        message: Message,
        mailboxes: Mapping[str, str] | None = None,
    ) -> None:
        self.message = message
        self.size = message.size
        self.names = tuple(dict.fromkeys(names))
        self.answers: dict[str, MailError | None] = {}
        self.is_begun = False
        self.is_apart = False
        self.failure: BaseException | None = None
        self._disk = environment.disk
        self._faults = environment.faults
        self._clock = environment.clock
        self._namer = environment.namer
        self._root = root
        self.mailboxes = mailboxes or {}
        self._now = 0.0
        self._maildirs: dict[str, bytes] = {}  # by account
        self._first = ""  # the account in whose tmp the file was written
        self._base = b""  # what it is called there, and in new of that account
        self._written = b""  # its path in tmp, while it has that name
        self._placed: dict[str, bytes] = {}  # its paths in new, by account
        self._copied: set[bytes] = set()  # those that could not be links

    @property
    def apart(self) -> Set[bytes]:
        """Return the names in ``new`` that may be on another file system than that of the store."""
        return set(self._placed.values()) if self.is_apart else self._copied

    def refuse(self, errors: Mapping[str, MailError]) -> None:
        """Leave out accounts that cannot have the message, with the reason as their answer."""
        self.answers |= errors
        self.names = tuple([name for name in self.names if name not in errors])

    def deliver(self) -> Mapping[str, MailError | None]:
        """Take the message all the way by itself; return the answers."""
        self.is_begun = True
        self.write(self._disk.sync_file)
        self.place()
        self.settle(set(self._placed.values()))
        return self.answers

    # ------------------------------------------------------------ the steps

    def write(self, seal: Seal) -> None:
        """Write the file into the tmp of the first account where that can be done, and seal it."""
        self._now = self._clock.now()
        for name in self.names:
            try:
                self._first, self._base = name, self._new_base()
                self._written = self._in_maildir(name, lambda maildir: self._write(maildir, seal))
            except OSError as error:
                self.answers[name] = self._unavailable(name, error)
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
                if name not in self.answers and name != self._first:
                    self._place(name, self._link)
            self._place(self._first, self._rename)
        finally:
            if self._written:
                with suppress(OSError):
                    self._disk.unlink(self._written)
                self._written = b""

    def settle(self, unsynced: Set[bytes]) -> None:
        """Sync the folders of names that are not on disk yet, and answer for all names."""
        for name, path in self._placed.items():
            self.answers[name] = self._sync(name, path) if path in unsynced else None

    def fail(self, error: Exception) -> None:
        """Roll back what was done, and answer that for now nobody has the message.

        What is no OSError is a bug, to be raised by whoever wants the answers.
        """
        if isinstance(error, OSError):
            self._faults.note(self._root, error)
        else:
            self.failure = error
            error = OSError(errno.EIO, "a bug")
        for path in (self._written, *self._placed.values()):
            if path:
                with suppress(OSError):
                    self._disk.unlink(path)
        self._written = b""
        self._placed.clear()
        self.answers |= dict.fromkeys(self.names, answer_to(error))

    # ------------------------------------------------------------ names

    def _in_maildir(self, name: str, make: Callable[[bytes], bytes]) -> bytes:
        """Have ``make`` make a file in an account's maildir; return its path. Raises OSError."""
        maildir = self._maildirs.get(name)
        if maildir is None:
            maildir = layout.account_path(self._root, name) + b"/Maildir"
            self._maildirs[name] = maildir
        try:
            return make(maildir)
        except FileNotFoundError:  # the account's first mail
            make_maildir(self._disk, maildir)
            return make(maildir)

    def _place(self, name: str, make: Callable[[bytes], bytes]) -> None:
        """Have ``make`` make a name in an account's ``new``; note it, or why there is none."""
        if name in self.mailboxes:
            self._place_in_mailbox(name, self.mailboxes[name])
            return
        try:
            self._placed[name] = self._in_maildir(name, make)
        except OSError as error:
            self.answers[name] = self._unavailable(name, error)

    def _place_in_mailbox(self, name: str, mailbox: str) -> None:
        """Link the file into a mailbox that was there: its owner may just be deleting it."""
        path = layout.account_path(self._root, name) + b"/Maildir/" + layout.folder_name(mailbox)
        try:
            self._placed[name] = self._link(path)
        except OSError as error:
            if not is_of_one_file(error):
                self.answers[name] = self._unavailable(name, error)
                return
            if not isinstance(error, FileNotFoundError):
                self._faults.note(path, error)
            self.answers[name] = Refused("There is no such mailbox.", "NONEXISTENT")

    def _write(self, maildir: bytes, seal: Seal) -> bytes:
        path = maildir + b"/tmp/" + self._base
        write_message(self._disk, path, self.message, self._now, seal)
        return path

    def _rename(self, maildir: bytes) -> bytes:
        path = maildir + b"/new/" + self._base
        self._disk.rename(self._written, path)
        self._written = b""
        return path

    def _link(self, maildir: bytes) -> bytes:
        """Link, by way of tmp where it must be copied: nothing half written is ever in new."""
        base = self._new_base()
        path = maildir + b"/new/" + base
        try:
            self._disk.link(self._written, path)
        except FileNotFoundError:
            raise
        except OSError:
            self._copy(maildir + b"/tmp/" + base, path)
        return path

    def _copy(self, tmp_path: bytes, path: bytes) -> None:
        link_or_copy(self._disk, self._written, tmp_path)
        try:
            self._disk.rename(tmp_path, path)
        except OSError:
            with suppress(OSError):
                self._disk.unlink(tmp_path)
            raise
        self._copied.add(path)

    def _sync(self, name: str, path: bytes) -> MailError | None:
        try:
            self._disk.sync_folder(os.path.dirname(path))
        except OSError as error:
            with suppress(OSError):
                self._disk.unlink(path)
            return self._unavailable(name, error)
        return None

    def _unavailable(self, name: str, error: OSError) -> MailError:
        return self._faults.unavailable(layout.account_path(self._root, name), error)

    def _new_base(self) -> bytes:
        return self._namer.base(self._now, self.size, self.size)
