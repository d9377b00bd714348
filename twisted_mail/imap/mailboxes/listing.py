r"""Which mailboxes LIST shows, and with which attributes.

RFC 3501 §6.3.8, with RFC 3348 (children), RFC 5258 (extended), RFC 5819 (STATUS), RFC 6154 (special
use, which plain LIST shows too: clients make folders of their own where it does not).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.mailboxes.patterns import MAX_PATTERN, SEPARATOR, Pattern, pattern
from twisted_mail.imap.mailboxes.return_options import SUBSCRIBED, ReturnOption
from twisted_mail.imap.mailboxes.status_items import StatusItem
from twisted_mail.imap.response_syntax import mailbox_name
from twisted_mail.mail.mailbox.entry import MailboxInfo
from twisted_mail.mail.outcome import ProtocolError

_MAX_PATTERNS = 50
_SELECTIONS = frozenset({"SUBSCRIBED", "REMOTE", "RECURSIVEMATCH", "SPECIAL-USE"})


@dataclass(slots=True)
class ListRequest:
    """What a LIST asks for. ``is_root`` is the request for the separator (an empty pattern).

    ``returns`` has the arguments of the return options.
    """

    patterns: list[Pattern] = field(default_factory=list)
    selections: set[str] = field(default_factory=set)
    returns: dict[ReturnOption, Any] = field(default_factory=dict)
    is_extended: bool = False
    is_root: bool = False

    @property
    def is_recursive(self) -> bool:
        """True where parents are shown for the sake of their children (RFC 5258 §3.1)."""
        return "RECURSIVEMATCH" in self.selections

    def matches(self, name: str) -> bool:
        """Return whether one of the patterns fits."""
        return any(pattern.matches(name) for pattern in self.patterns)


@dataclass(frozen=True, slots=True)
class ListedMailbox:
    """One mailbox of the answer.

    ``is_chosen`` where it meets the selection criteria itself, and is not there for its children alone.
    """

    info: MailboxInfo
    attributes: tuple[str, ...]
    is_chosen: bool = True
    has_chosen_children: bool = False

    def line(self, word: bytes) -> bytes:
        """Return the untagged answer."""
        extended = b' ("CHILDINFO" ("SUBSCRIBED"))' if self.has_chosen_children else b""
        attributes = " ".join(self.attributes).encode("ascii")
        return b'%b (%b) "/" %b%b' % (word, attributes, mailbox_name(self.info.name), extended)


# ---------------------------------------------------------------- reading the request


def read_list_request(
    reader: Reader, options: Mapping[str, ReturnOption], status_items: Mapping[str, StatusItem]
) -> ListRequest:
    """Read the arguments of LIST (RFC 5258 §6)."""
    request = ListRequest()
    reader.space()
    if reader.peek(b"("):
        request.is_extended = True
        request.selections = set(_read_options(reader, _SELECTIONS))
        reader.space()
    reference = reader.astring()
    reader.space()
    _read_patterns(reader, reference, request)
    if not reader.at_end:
        _read_returns(reader, request, options, status_items)
    reader.end()
    if request.is_recursive and "SUBSCRIBED" not in request.selections:
        raise ProtocolError("RECURSIVEMATCH needs SUBSCRIBED")
    if "SUBSCRIBED" in request.selections:
        request.returns[SUBSCRIBED] = None
    return request


def _read_patterns(reader: Reader, reference: bytes, request: ListRequest) -> None:
    if reader.accept(b"("):
        request.is_extended = True
        found = [reader.pattern()]
        while reader.accept(b" ") and len(found) < _MAX_PATTERNS:
            found.append(reader.pattern())
        reader.take(b")")
    else:
        found = [reader.pattern()]
    if request.is_extended or not reader.at_end:
        found = [octets for octets in found if octets]  # they match nothing (RFC 5258 §3)
    request.is_root = found == [b""]
    if sum(len(reference) + len(octets) for octets in found) > MAX_PATTERN:
        raise ProtocolError("The patterns are too long")
    request.patterns = [pattern(reference, octets) for octets in found]


def _read_options(reader: Reader, known: frozenset[str]) -> list[str]:
    reader.take(b"(")
    found: list[str] = []
    while not reader.accept(b")"):
        if found:
            reader.space()
        option = reader.word().upper()
        if option not in known:
            raise ProtocolError(f"Unknown option {option[:40]}")
        found.append(option)
    return found


def _read_returns(
    reader: Reader,
    request: ListRequest,
    options: Mapping[str, ReturnOption],
    status_items: Mapping[str, StatusItem],
) -> None:
    reader.space()
    if reader.word().upper() != "RETURN":
        raise ProtocolError("Expected RETURN")
    request.is_extended = True
    reader.space()
    reader.take(b"(")
    while not reader.accept(b")"):
        if request.returns:
            reader.space()
        name = reader.word().upper()
        option = options.get(name)
        if option is None:
            raise ProtocolError(f"Unknown option {name[:40]}")
        request.returns[option] = None if option.read is None else option.read(reader, status_items)


# ---------------------------------------------------------------- finding the answer


class ListResult:
    """What LIST shows of all mailboxes: asked slice by slice, for matching takes time.

    Where the request is recursive, ``look`` takes all slices of ``infos`` before ``of`` is asked.
    """

    def __init__(self, infos: Sequence[MailboxInfo], request: ListRequest) -> None:
        self.infos = infos
        self._request = request
        self._parents = _parents(info.name for info in infos if info.is_selectable)
        self._chosen = {info.name for info in infos if _is_chosen(info, request, self._parents)}
        self._chosen_parents: set[str] = set()
        self._left_out: set[str] = set()  # parents of chosen names that no pattern fits
        if request.is_recursive:
            self._chosen_parents = _parents(self._chosen)
            self.infos = _with_levels(infos, self._chosen_parents)

    def look(self, infos: Iterable[MailboxInfo]) -> None:
        """Find the parents that are shown for the children of theirs that the patterns leave out."""
        names = [info.name for info in infos if info.name in self._chosen]
        self._left_out |= _parents(name for name in names if not self._request.matches(name))

    def of(self, infos: Iterable[MailboxInfo]) -> Iterator[ListedMailbox]:
        """Return those of ``infos`` that are shown, in their order."""
        for info in infos:
            is_chosen = info.name in self._chosen
            is_candidate = is_chosen or info.name in self._left_out
            if is_candidate and self._request.matches(info.name):
                attributes = _attributes(info, self._request, self._parents)
                has_children = info.name in self._chosen_parents
                yield ListedMailbox(info, attributes, is_chosen, has_children)


def _with_levels(infos: Sequence[MailboxInfo], levels: set[str]) -> list[MailboxInfo]:
    """Return the mailboxes with levels above names that are only subscribed to."""
    missing = levels.difference(info.name for info in infos)
    levels_only = [MailboxInfo(name, is_selectable=False) for name in missing]
    return sorted([*infos, *levels_only], key=attrgetter("name"))


def _parents(names: Iterable[str]) -> set[str]:
    """Return all levels above the names."""
    found: set[str] = set()
    for name in names:
        at = name.rfind(SEPARATOR)
        while at > 0 and name[:at] not in found:
            found.add(name[:at])
            at = name.rfind(SEPARATOR, 0, at)
    return found


def _is_chosen(info: MailboxInfo, request: ListRequest, parents: set[str]) -> bool:
    if "SPECIAL-USE" in request.selections and not info.use:
        return False
    if "SUBSCRIBED" in request.selections:
        return info.is_subscribed
    return info.is_selectable or info.name in parents


def _attributes(info: MailboxInfo, request: ListRequest, parents: set[str]) -> tuple[str, ...]:
    words = []
    if not info.is_selectable:
        words.append("\\NonExistent" if request.is_extended else "\\Noselect")
    words.append("\\HasChildren" if info.name in parents else "\\HasNoChildren")
    if info.use:
        words.append(info.use)
    for option in request.returns:
        if option.attribute is not None and (word := option.attribute(info)):
            words.append(word)
    return tuple(words)


class LsubResult:
    r"""What LSUB shows (RFC 3501 §6.3.9), asked slice by slice.

    A level that is not subscribed to, with something below that is and that ``%`` does not reach, is
    shown as \Noselect.
    """

    def __init__(self, infos: Sequence[MailboxInfo], request: ListRequest) -> None:
        self.infos = infos
        self._request = request
        self._names = {info.name for info in infos if info.is_subscribed}

    def of(self, infos: Iterable[MailboxInfo]) -> Iterator[ListedMailbox]:
        """Return what is shown for these of the mailboxes."""
        for info in infos:
            if not info.is_subscribed:
                continue
            if self._request.matches(info.name):
                gone = () if info.is_selectable else ("\\Noselect",)
                yield ListedMailbox(info, (*gone, *([info.use] if info.use else [])))
            else:
                yield from self._levels(info.name)

    def _levels(self, name: str) -> Iterator[ListedMailbox]:
        for level in sorted(_parents([name]) - self._names):
            self._names.add(level)  # once is enough
            if self._request.matches(level):
                yield ListedMailbox(MailboxInfo(level), ("\\Noselect",))
