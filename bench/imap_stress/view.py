"""What one client has been told: its messages by number, checked with each response."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bench.imap_stress.grammar import Atom, Value, text
from bench.imap_stress.knowledge import Knowledge

# Only with these may an EXPUNGE come (RFC 3501 §7.4.1): not while numbers are in use.
EXPUNGE_COMES_WITH = frozenset(
    {"NOOP", "CHECK", "EXPUNGE", "APPEND", "COPY", "MOVE", "STATUS", "LIST", "IDLE"}
    | {"SELECT", "LOGOUT", "UID FETCH"}
)


@dataclass(eq=False)
class SeenMessage:
    """A message as this client knows it; 0 and None stand for what it has not heard.

    ``references`` counts the commands under way that name it by number.
    """

    uid: int = 0
    flags: frozenset[str] | None = None
    references: int = 0
    owned: dict[str, bool | None] = field(
        default_factory=dict
    )  # flags that only this client alters


class View:
    """The messages of one session. ``heard`` is called with each message whose flags came."""

    def __init__(
        self, known: Knowledge, session: int, heard: Callable[[SeenMessage], None]
    ) -> None:
        self.known = known
        self._heard = heard
        self.session = session
        self.messages: list[SeenMessage] = []
        self.keywords: set[str] = set()
        self.recent = 0
        self.found: set[int] | None = None  # by the SEARCH under way
        self._others = {"FLAGS": self._flags, "SEARCH": self._searched, "OK": self._code}

    def wrong(self, what: str) -> None:
        """Note an error of this session."""
        self.known.wrong(f"session {self.session}: {what}")

    def take(self, response: list[Value], oldest: str) -> None:
        """Take an untagged response without its star; ``oldest`` is the first command under way."""
        first = response[0]
        if isinstance(first, Atom) and first.isdigit():
            self._numbered(int(first), text(response[1]).upper(), response[2:], oldest)
        elif take := self._others.get(text(first).upper()):
            take(response[1:])
        elif text(first).upper() == "BAD":
            self.wrong(f"untagged {text(response)}")

    # ------------------------------------------------------------ of numbers

    def _numbered(self, number: int, what: str, rest: list[Value], oldest: str) -> None:
        if what == "RECENT":
            self.recent = number
        elif what == "EXISTS":
            if number < len(self.messages):
                self.wrong(f"EXISTS fell from {len(self.messages)} to {number}")
            missing = number - len(self.messages)
            self.messages += [SeenMessage() for _ in range(missing)]
        elif not 1 <= number <= len(self.messages):
            self.wrong(f"{what} {number} of {len(self.messages)}")
        elif what == "EXPUNGE":
            self._expunged(number, oldest)
        elif what == "FETCH" and isinstance(rest[0], list):
            self._fetched(number, _items(rest[0]))

    def _expunged(self, number: int, oldest: str) -> None:
        if oldest not in EXPUNGE_COMES_WITH:
            self.wrong(f"EXPUNGE {number} with {oldest or 'no command'}")
        gone = self.messages.pop(number - 1)
        if gone.references and oldest != "MOVE":
            self.wrong(f"{number}, uid {gone.uid}, was expunged while a command names it")
        if gone.uid:
            self.known.removed.add(gone.uid)

    def _fetched(self, number: int, items: dict[str, Value]) -> None:
        message = self.messages[number - 1]
        if "UID" in items:
            self._learn_uid(number, int(text(items["UID"])))
        if isinstance(flags := items.get("FLAGS"), list):
            self._learn_flags(message, frozenset(text(flag).lower() for flag in flags))
        if not message.uid:
            return
        if isinstance(date := items.get("INTERNALDATE"), str):
            self.known.learn_date(message.uid, date)
        envelope = items.get("ENVELOPE")
        if isinstance(envelope, list) and isinstance(envelope[9], str):
            self.known.learn_id(message.uid, envelope[9])
        self.known.learn_items(message.uid, items)

    def _learn_uid(self, number: int, uid: int) -> None:
        message = self.messages[number - 1]
        if message.uid not in (0, uid):
            self.wrong(f"the UID of {number} was {message.uid} and is {uid}")
        message.uid = uid
        before = next((one.uid for one in reversed(self.messages[: number - 1]) if one.uid), 0)
        if before >= uid:
            self.wrong(f"{number} has uid {uid}, and a message before it {before}")

    def _learn_flags(self, message: SeenMessage, flags: frozenset[str]) -> None:
        for keyword in flags - self.keywords:
            if not keyword.startswith("\\"):
                self.wrong(f"the keyword {keyword} was not in FLAGS")
        for flag, is_set in message.owned.items():
            if is_set is not None and not message.references and (flag in flags) != is_set:
                self.wrong(f"uid {message.uid}: {flag} is {flag in flags}, and nobody altered it")
        if "\\recent" in flags and message.uid:
            first = self.known.recent.setdefault(message.uid, self.session)
            if first != self.session:
                self.wrong(f"uid {message.uid} is recent here and in session {first}")
        message.flags = flags - {"\\recent"}
        self._heard(message)

    # ------------------------------------------------------------ others

    def _flags(self, rest: list[Value]) -> None:
        names = {text(flag).lower() for flag in rest[0] or ()}
        keywords = {name for name in names if not name.startswith("\\")}
        for gone in self.keywords - keywords:
            if any(one.flags and gone in one.flags for one in self.messages):
                self.wrong(f"the keyword {gone} was dropped and is in use")
        self.keywords = keywords

    def _searched(self, rest: list[Value]) -> None:
        self.found = {int(text(number)) for number in rest}
        if self.found and max(self.found) > len(self.messages):
            self.wrong(f"SEARCH found {max(self.found)} of {len(self.messages)}")

    def _code(self, rest: list[Value]) -> None:
        if rest and text(rest[0]).upper() == "[UIDVALIDITY":
            value = text(rest[1]).rstrip("]")
            if self.known.uid_validity not in ("", value):
                self.wrong(f"UIDVALIDITY was {self.known.uid_validity} and is {value}")
            self.known.uid_validity = value


def _items(values: list[Value]) -> dict[str, Value]:
    """Return the items of a FETCH response by name; ``BODY[HEADER.FIELDS (...)]`` is one name."""
    items: dict[str, Value] = {}
    rest = iter(values)
    for value in rest:
        name = text(value).upper()
        if name == "BODY[HEADER.FIELDS":
            fields = next(rest)
            names = sorted({text(field).upper() for field in fields or ()})
            name += f" ({' '.join(names)})]"
            next(rest)  # the bracket
        items[name] = next(rest)
    return items
