"""The mailboxes of another IMAP server: the names they get here, and which are subscribed to."""

from collections.abc import Iterable, Iterator
from typing import Any

from twisted_mail.control.output import CommandError
from twisted_mail.control.store.importing import imap_replies
from twisted_mail.control.store.importing.imap_client import ImapClient
from twisted_mail.control.store.skipped import BadItem

_HIDDEN = (b"\\noselect", b"\\nonexistent")


class ImapListing:
    """The mailboxes of the user who is logged in. Raises CommandError where they are not listed."""

    def __init__(self, client: ImapClient, host: str) -> None:
        self.client = client
        self.bad: list[tuple[str, str]] = []
        self.remarks: list[str] = []
        self._prefix = self._own_prefix()
        try:
            answers = client.ask("list", '""', "*")
        except BadItem as bad:
            raise CommandError(f"{host} does not list mailboxes: {bad}") from None
        self.names = self._named(answers)

    def _own_prefix(self) -> bytes:
        if "NAMESPACE" not in self.client.capabilities:
            return b""
        try:
            own = imap_replies.own_namespace(self.client.ask("namespace"))
        except BadItem as bad:
            self.remarks.append(f"the server does not tell its namespaces: {bad}")
            return b""
        if own is None:
            return b""
        prefix, delimiter = own
        if prefix and delimiter and not prefix.endswith(delimiter):
            return prefix + delimiter
        return prefix

    def _read(self, answers: Iterable[Any]) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield local names, names and attributes; what cannot be read is bad."""
        is_open = False
        for answer in answers:
            was_open, is_open = is_open, isinstance(answer, tuple)
            if was_open or answer is None:
                continue  # the rest of the answer after its literal, or no mailbox at all
            named = imap_replies.mailbox(answer)
            if named is None:
                self.bad.append(("a mailbox", f"its name cannot be read: {answer!r:.200}"))
                continue
            attributes, delimiter, raw = named
            yield imap_replies.local_name(raw, delimiter, self._prefix), raw, attributes.lower()

    def _named(self, answers: Iterable[Any]) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for name, raw, attributes in self._read(answers):
            if any(word in attributes.split() for word in _HIDDEN):
                continue
            if found.setdefault(name, raw) != raw:
                shown = raw.decode("utf-8", "backslashreplace")
                self.bad.append((shown, f"its name would be {name} a second time"))
        return found

    def subscribed(self) -> list[str]:
        """Return the names that are subscribed to; all where the server does not tell."""
        try:
            answers = self._asked_for_subscribed()
        except BadItem as bad:
            text = "the server does not tell subscriptions, so all mailboxes are subscribed to"
            self.remarks.append(f"{text}: {bad}")
            return list(self.names)
        return [name for name, _, _ in self._read(answers) if name in self.names]

    def _asked_for_subscribed(self) -> list[Any]:
        """Ask by LIST (RFC 5258 §3.1) where that is offered, else by LSUB, which RFC 9051 lacks."""
        if {"LIST-EXTENDED", "IMAP4REV2"}.isdisjoint(self.client.capabilities):
            return self.client.ask("lsub", '""', "*")
        try:
            return self.client.ask("list", '(SUBSCRIBED) ""', "*")
        except BadItem:
            return self.client.ask("lsub", '""', "*")
