"""Another IMAP server as a source, read without marking anything there.

What the server tells of is compared with what it gives, at each step: the messages it counts (EXISTS)
with those it lists (SEARCH), those with the ones it describes and sends (FETCH).
"""

import imaplib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from twisted_mail.control.output import CommandError, count
from twisted_mail.control.store.importing import imap_replies
from twisted_mail.control.store.importing.imap_client import (
    ConnectionLost,
    ImapServerAddress,
    connected,
    words,
)
from twisted_mail.control.store.importing.imap_listing import ImapListing
from twisted_mail.control.store.importing.source import MAX_MESSAGE, SourceMessage, storable_flags
from twisted_mail.control.store.skipped import BadItem

_BULK = 500  # messages asked about at a time
_TOGETHER = 8 * 1024 * 1024  # octets of messages asked for at a time, by the sizes the server told
_ROOM = 4 * _TOGETHER  # octets that are kept of them, whatever the server told
MAX_LOSSES = 20  # of the connection, one after the other
_ABOUT = "(UID FLAGS INTERNALDATE RFC822.SIZE)"


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
        self._password = password
        self._how = (is_starttls, authority, tls_name)
        self._losses = 0  # of the connection, without an answer between them
        self._bad: list[tuple[str, str]] = []
        self._selected = ""
        self._uidvalidity = b""
        self._other_sizes: Counter[str] = Counter()
        self._connect()
        self._listing = ImapListing(self._client, address.host)

    def _connect(self) -> None:
        self._client = connected(self._address, *self._how)
        self._login()
        self._client.learn_capabilities()

    def _login(self) -> None:
        try:
            self._password.encode("ascii")
            self._client.login(self._address.user, self._password)
        except UnicodeError:
            text = f"\0{self._address.user}\0{self._password}".encode()
            self._ask_login(text)
        except imaplib.IMAP4.error as error:
            raise CommandError(f"{self._address.host} refuses the login: {words(error)}") from None
        except OSError as error:
            raise self._client.lost(error) from None

    def _ask_login(self, text: bytes) -> None:
        try:
            self._client.ask("authenticate", "PLAIN", lambda _: text)
        except BadItem as bad:
            raise CommandError(f"{self._address.host} refuses the login: {bad}") from None

    def _ask_for_messages(
        self, mailbox: str, uids: Iterable[int], what: str, room: int = MAX_MESSAGE
    ) -> list[Any]:
        """Fetch something; raise BadItem where the server refuses, or ends the connection.

        Some do end it at a message that they cannot read, so others are asked for again.
        """
        try:
            answers = self._client.ask("uid", "FETCH", ",".join(map(str, uids)), what, room=room)
        except ConnectionLost as lost:
            self._connect_again(mailbox, lost)
            raise BadItem("the server ended the connection when it was asked for it") from None
        self._losses = 0
        return answers

    def _connect_again(self, mailbox: str, lost: ConnectionLost) -> None:
        self._losses += 1
        if self._losses > MAX_LOSSES:
            raise lost
        with suppress(OSError):
            self._client.shutdown()
        try:
            self._connect()
            self._listing.client = self._client
            before, self._selected = self._uidvalidity, ""
            self._open(mailbox)
        except (CommandError, BadItem):
            raise lost from None
        if self._uidvalidity != before:
            raise lost

    # ------------------------------------------------------------ mailboxes

    def mailboxes(self) -> Sequence[str]:
        """Return the mailboxes that can be opened, INBOX first."""
        return sorted(self._listing.names, key=lambda name: (name != "INBOX", name))

    def subscribed(self) -> Iterable[str]:
        """Return the names that are subscribed to; all where the server does not tell."""
        return self._listing.subscribed()

    def numbering(self, mailbox: str) -> None:
        """Return None: other servers' UIDs are not kept."""

    def _open(self, mailbox: str) -> None:
        if self._selected == mailbox:
            return
        self._selected = ""
        self._client.examine(self._listing.names[mailbox])
        self._selected = mailbox
        values: list[Any] = self._client.untagged_responses.get("UIDVALIDITY") or [b"0"]
        self._uidvalidity = bytes(values[0])

    def count(self, mailbox: str) -> int:
        """Return how many messages there are; none when the mailbox cannot be opened."""
        try:
            self._open(mailbox)
        except BadItem as bad:
            self._bad.append((mailbox, str(bad)))
            return 0
        return self._client.exists

    # ------------------------------------------------------------ which messages there are

    def items(self, mailbox: str) -> Iterator[SourceMessage]:
        """Yield the messages in the order of their UIDs, as they are described."""
        try:
            self._open(mailbox)
            uids = sorted(self._listed(mailbox))
        except BadItem as bad:
            self._bad.append((mailbox, str(bad)))
            return
        for at in range(0, len(uids), _BULK):
            yield from self._described(mailbox, uids[at : at + _BULK])

    def _listed(self, mailbox: str) -> set[int]:
        """Return the UIDs that the server lists, compared with what it counts."""
        found = self._searched()
        if len(found) < self._client.exists:
            with suppress(BadItem):  # then the difference is named
                answers = self._client.ask("fetch", "1:*", "(UID)")
                found |= imap_replies.fetched(answers).keys()
        there = self._client.exists
        if len(found) != there:
            difference = f"the server counts {count(there, 'message')} and lists {len(found)}"
            self._bad.append((mailbox, difference))
        return found

    def _searched(self) -> set[int]:
        answers = self._client.ask("uid", "SEARCH", "ALL")
        found = imap_replies.numbers(answers)
        # A server of IMAP4rev2 alone answers so (RFC 9051 §6.4.4).
        extended = self._client.untagged_responses.pop("ESEARCH", [])
        for first, last in imap_replies.numbers_in_set(extended):
            if last - first >= self._client.exists:
                raise BadItem(f"the server lists UIDs {first} to {last}, and counts fewer messages")
            found.update(range(first, last + 1))
        return found

    def _described(self, mailbox: str, uids: list[int]) -> Iterator[SourceMessage]:
        self._open(mailbox)
        found = self._about(mailbox, uids)
        for uid in uids:
            about = found.get(uid, BadItem("the server listed it and has it not"))
            if isinstance(about, BadItem):
                self._bad.append((_where(mailbox, uid), str(about)))
            else:
                yield self._item(mailbox, uid, about)

    def _about(self, mailbox: str, uids: list[int]) -> dict[int, dict[bytes, Any] | BadItem]:
        """Return what the server says about messages; asked for in halves where it refuses all."""
        try:
            answers = self._ask_for_messages(mailbox, uids, _ABOUT)
        except BadItem as bad:
            if len(uids) == 1:
                return {uids[0]: bad}
            half = len(uids) // 2
            return self._about(mailbox, uids[:half]) | self._about(mailbox, uids[half:])
        return {**imap_replies.fetched(answers)}

    def _item(self, mailbox: str, uid: int, about: Mapping[bytes, Any]) -> SourceMessage:
        flags = about.get(b"FLAGS") or []
        words = [word.decode("ascii", "replace") for word in flags if isinstance(word, bytes)]
        return SourceMessage(
            b"%s.%d" % (self._uidvalidity, uid),
            _where(mailbox, uid),
            storable_flags(words),
            imap_replies.date(about.get(b"INTERNALDATE")),
            _octets(about.get(b"RFC822.SIZE")),
            uid,
        )

    # ------------------------------------------------------------ the messages themselves

    def load(
        self, mailbox: str, items: Sequence[SourceMessage]
    ) -> Iterator[tuple[SourceMessage, bytes | BadItem]]:
        """Fetch the messages, several with one command."""
        self._open(mailbox)
        together: list[SourceMessage] = []
        for item in items:
            if together and sum(each.size for each in together) + item.size > _TOGETHER:
                yield from self._fetched(mailbox, together)
                together = []
            together.append(item)
        if together:
            yield from self._fetched(mailbox, together)

    def _fetched(
        self, mailbox: str, items: Sequence[SourceMessage]
    ) -> Iterator[tuple[SourceMessage, bytes | BadItem]]:
        """Fetch messages; those that did not come with the others are asked for once more, alone."""
        uids = [item.uid for item in items]
        is_one = len(items) == 1
        room = MAX_MESSAGE if is_one else _ROOM
        bodies: dict[int, Any] = {}
        try:
            answers = self._ask_for_messages(mailbox, uids, "(UID BODY.PEEK[])", room)
            about = imap_replies.fetched(answers)
            bodies = {uid: imap_replies.body(each) for uid, each in about.items()}
        except BadItem as bad:
            if is_one:
                yield items[0], bad
                return
        for item in items:
            data = bodies.get(item.uid)
            if is_one or isinstance(data, bytes):
                yield item, self._message(mailbox, item, data)
            else:
                yield from self._fetched(mailbox, [item])

    def _message(self, mailbox: str, item: SourceMessage, data: Any) -> bytes | BadItem:
        if data is imap_replies.NOT_KEPT:
            return BadItem(f"larger than {MAX_MESSAGE} octets")
        if not isinstance(data, bytes):
            return BadItem("the server has it not")
        self._other_sizes[mailbox] += item.size != len(data)
        return data or BadItem("it is empty")

    # ------------------------------------------------------------ the end

    def bad(self) -> Iterable[tuple[str, str]]:
        """Return the mailboxes that could not be opened, and the messages that are missing."""
        return dict.fromkeys([*self._listing.bad, *self._bad])

    def remarks(self) -> Iterable[str]:
        """Return what the server did otherwise than it should, though nothing is missing."""
        yield from self._listing.remarks
        for mailbox, number in self._other_sizes.items():
            if number:
                some = count(number, "message")
                yield f"{mailbox}: {some} had another size than the server told"

    def close(self) -> None:
        """Log out."""
        try:
            self._client.logout()
        except (imaplib.IMAP4.error, OSError):
            self._client.shutdown()


def _where(mailbox: str, uid: int) -> str:
    return f"{mailbox}, UID {uid}"


def _octets(value: Any) -> int:
    return int(value) if isinstance(value, bytes) and value.isdigit() and len(value) < 16 else 0
