"""Another IMAP server as a source, read without marking anything there."""

import imaplib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from twisted_mail.control.output import CommandError
from twisted_mail.control.store.importing import imap_replies
from twisted_mail.control.store.importing.imap_client import ImapServerAddress, connected, words
from twisted_mail.control.store.importing.source import MAX_MESSAGE, SourceMessage, storable_flags
from twisted_mail.control.store.skipped import BadItem

_BULK = 500  # messages asked about at a time
_TOGETHER = 8 * 1024 * 1024  # octets of messages asked for at a time
_UID = re.compile(rb"\bUID ([0-9]{1,10})")
_FLAGS = re.compile(rb"\bFLAGS \(([^)]*)\)")
_DATE = re.compile(rb'\bINTERNALDATE "([^"]{1,40})"')
_SIZE = re.compile(rb"\bRFC822\.SIZE ([0-9]{1,15})")
_HIDDEN = (b"\\noselect", b"\\nonexistent")


class ImapSource:
    """Fulfils ``source.ImportSource``."""

    def __init__(
        self,
        address: ImapServerAddress,
        password: str,
        is_starttls: bool = False,
        authority: str = "",
        tls_name: str = "",
    ) -> None:
        self._address = address
        self._client = connected(address, is_starttls, authority, tls_name)
        self._bad: list[tuple[str, str]] = []
        self._selected = ""
        self._uidvalidity = b""
        self._counts: dict[str, int] = {}
        self._login(password)
        self._names = self._listed("LIST")

    def _login(self, password: str) -> None:
        try:
            password.encode("ascii")
            self._client.login(self._address.user, password)
        except UnicodeError:
            text = f"\0{self._address.user}\0{password}".encode()
            self._ask("authenticate", "PLAIN", lambda _: text)
        except imaplib.IMAP4.error as error:
            raise CommandError(f"{self._address.host} refuses the login: {words(error)}") from None
        except OSError as error:
            raise self._lost(error) from None

    def _lost(self, error: BaseException) -> CommandError:
        text = f"the connection to {self._address.host} was lost: {words(error)}"
        return CommandError(f"{text}; the same command goes on where it ended")

    def _ask(self, command: str, *arguments: Any) -> list[Any]:
        try:
            answer, data = getattr(self._client, command)(*arguments)
        except (imaplib.IMAP4.abort, OSError) as error:
            raise self._lost(error) from None
        except imaplib.IMAP4.error as error:
            raise BadItem(words(error)) from None
        if answer != "OK":
            text = data[0] if data and isinstance(data[0], bytes) else b""
            raise BadItem(text.decode("utf-8", "replace")[:200] or "the server refuses")
        return list(data)

    # ------------------------------------------------------------ mailboxes

    def _listed(self, command: str) -> dict[str, bytes]:
        """Return the names as they are here and there."""
        found: dict[str, bytes] = {}
        try:
            answers = self._ask(command.lower(), '""', "*")
        except BadItem as bad:
            raise CommandError(f"{self._address.host} does not list mailboxes: {bad}") from None
        for answer in answers:
            named = imap_replies.mailbox(answer)
            if named is None:
                continue
            attributes, delimiter, raw = named
            if command == "LIST" and any(word in attributes.lower() for word in _HIDDEN):
                continue
            found[imap_replies.local_name(raw, delimiter)] = raw
        return found

    def mailboxes(self) -> Sequence[str]:
        """Return the mailboxes that can be opened, INBOX first."""
        return sorted(self._names, key=lambda name: (name != "INBOX", name))

    def subscribed(self) -> Iterable[str]:
        """Return the names in the answer to LSUB."""
        return [name for name in self._listed("LSUB") if name in self._names]

    def numbering(self, mailbox: str) -> None:
        """Return None: other servers' UIDs are not kept."""

    def _open(self, mailbox: str) -> None:
        if self._selected == mailbox:
            return
        self._selected = ""
        name = b'"' + self._names[mailbox].replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
        [number] = self._ask("select", name.decode("utf-8", "surrogateescape"), True)
        self._selected = mailbox
        self._counts[mailbox] = int(number or 0)
        values: list[Any] = self._client.untagged_responses.get("UIDVALIDITY") or [b"0"]
        self._uidvalidity = bytes(values[0])

    def count(self, mailbox: str) -> int:
        """Return how many messages there are; none when the mailbox cannot be opened."""
        try:
            self._open(mailbox)
        except BadItem as bad:
            self._bad.append((mailbox, str(bad)))
            return 0
        return self._counts[mailbox]

    # ------------------------------------------------------------ messages

    def items(self, mailbox: str) -> Iterator[SourceMessage]:
        """Yield the messages in the order of their UIDs, as they are described."""
        try:
            self._open(mailbox)
            uids = [int(uid) for uid in (self._ask("uid", "SEARCH", "ALL")[0] or b"").split()]
            for at in range(0, len(uids), _BULK):
                yield from self._described(mailbox, sorted(uids)[at : at + _BULK])
        except BadItem as bad:
            self._bad.append((mailbox, str(bad)))

    def _described(self, mailbox: str, uids: list[int]) -> Iterator[SourceMessage]:
        self._open(mailbox)
        what = "(UID FLAGS INTERNALDATE RFC822.SIZE)"
        found = {}
        for answer in self._ask("uid", "FETCH", ",".join(map(str, uids)), what):
            line = answer if isinstance(answer, bytes) else b" ".join(answer or ())
            item = self._item(mailbox, line)
            if item is not None:
                found[item.uid] = item
        for uid in uids:
            if uid in found:
                yield found[uid]

    def _item(self, mailbox: str, line: bytes) -> SourceMessage | None:
        uid = _UID.search(line)
        if uid is None:
            return None
        flags, date, size = _FLAGS.search(line), _DATE.search(line), _SIZE.search(line)
        words = flags[1].decode("ascii", "ignore").split() if flags else []
        key = b"%s.%s" % (self._uidvalidity, uid[1])
        where = f"{mailbox}, UID {int(uid[1])}"
        octets = int(size[1]) if size else 0
        return SourceMessage(
            key, where, storable_flags(words), imap_replies.date(date), octets, int(uid[1])
        )

    def load(
        self, mailbox: str, items: Sequence[SourceMessage]
    ) -> Iterator[tuple[SourceMessage, bytes | BadItem]]:
        """Fetch the messages, several with one command."""
        self._open(mailbox)
        together: list[SourceMessage] = []
        for item in items:
            if item.size > MAX_MESSAGE:
                yield item, BadItem(f"larger than {MAX_MESSAGE} octets")
                continue
            if together and sum(each.size for each in together) + item.size > _TOGETHER:
                yield from self._fetched(together)
                together = []
            together.append(item)
        if together:
            yield from self._fetched(together)

    def _fetched(
        self, items: Sequence[SourceMessage]
    ) -> Iterator[tuple[SourceMessage, bytes | BadItem]]:
        uids = ",".join(str(item.uid) for item in items)
        try:
            answers = self._ask("uid", "FETCH", uids, "(UID BODY.PEEK[])")
        except BadItem as bad:
            if len(items) > 1:  # find the one that is bad
                for item in items:
                    yield from self._fetched([item])
                return
            yield items[0], bad
            return
        found = dict(imap_replies.bodies(answers))
        for item in items:
            data = found.get(item.uid)
            yield item, (data or BadItem("it is empty" if data == b"" else "the server has it not"))

    def bad(self) -> Iterable[tuple[str, str]]:
        """Return the mailboxes that could not be opened."""
        return dict.fromkeys(self._bad)

    def close(self) -> None:
        """Log out."""
        try:
            self._client.logout()
        except (imaplib.IMAP4.error, OSError):
            self._client.shutdown()
