"""The search keys of RFC 3501 §6.4.4. ``NOT``, ``OR`` and parentheses are the parser's."""

from collections.abc import Callable

from twisted_mail.imap.fetch.section_spec import is_field_name
from twisted_mail.imap.search.criteria import (
    ArrivedBetween,
    HasFlag,
    InNumberSet,
    IsRecent,
    SentBetween,
    SizeBetween,
)
from twisted_mail.imap.search.evaluation import Criterion
from twisted_mail.imap.search.groups import ALL, all_of, negated
from twisted_mail.imap.search.key import SearchArguments, SearchKey
from twisted_mail.mail.mailbox import flags
from twisted_mail.mail.mailbox.entry import Contains

_DayCriterion = type[ArrivedBetween | SentBetween]


def _plain(name: str, criterion: Criterion) -> SearchKey:
    return SearchKey(name, lambda arguments: criterion)


def _before(name: str, kind: _DayCriterion) -> SearchKey:
    return SearchKey(name, lambda arguments: kind(end=arguments.date().toordinal()))


def _since(name: str, kind: _DayCriterion) -> SearchKey:
    return SearchKey(name, lambda arguments: kind(arguments.date().toordinal()))


def _on(name: str, kind: _DayCriterion) -> SearchKey:
    def read(arguments: SearchArguments) -> Criterion:
        day = arguments.date().toordinal()
        return kind(day, day + 1)

    return SearchKey(name, read)


def _keyword(arguments: SearchArguments) -> Criterion:
    return HasFlag(arguments.atom().lower())


def _header(arguments: SearchArguments) -> Criterion:
    """Read HEADER; its name is any string, and no message has a field of some of them."""
    name, text = arguments.astring(), arguments.text()
    if not is_field_name(name):
        return negated(ALL)
    return arguments.looking_for(Contains("header", text, name.decode("ascii")))


def _in_field(name: str) -> SearchKey:
    return SearchKey(
        name.upper(),
        lambda arguments: arguments.looking_for(Contains("header", arguments.text(), name)),
    )


def _in_text(where: str) -> Callable[[SearchArguments], Criterion]:
    """Return what reads a string; an empty one is in every text."""

    def read(arguments: SearchArguments) -> Criterion:
        needle = arguments.text()
        return arguments.looking_for(Contains(where, needle)) if needle else ALL

    return read


_SEEN, _RECENT = HasFlag("\\seen"), IsRecent()

SEARCH_KEYS = (
    _plain("ALL", ALL),
    _plain("RECENT", _RECENT),
    _plain("NEW", all_of((_RECENT, negated(_SEEN)))),
    _plain("OLD", negated(_RECENT)),
    *[_plain(flag[1:].upper(), HasFlag(flag.lower())) for flag in flags.SYSTEM],
    *[_plain("UN" + flag[1:].upper(), negated(HasFlag(flag.lower()))) for flag in flags.SYSTEM],
    SearchKey("UID", lambda arguments: InNumberSet(arguments.numbers(), is_uid=True)),
    SearchKey("KEYWORD", _keyword),
    SearchKey("UNKEYWORD", lambda arguments: negated(_keyword(arguments))),
    SearchKey("LARGER", lambda arguments: SizeBetween(first=arguments.number() + 1)),
    SearchKey("SMALLER", lambda arguments: SizeBetween(end=arguments.number())),
    _before("BEFORE", ArrivedBetween),
    _on("ON", ArrivedBetween),
    _since("SINCE", ArrivedBetween),
    _before("SENTBEFORE", SentBetween),
    _on("SENTON", SentBetween),
    _since("SENTSINCE", SentBetween),
    SearchKey("HEADER", _header),
    SearchKey("TEXT", _in_text("text")),
    SearchKey("BODY", _in_text("body")),
    *map(_in_field, ("Bcc", "Cc", "From", "Subject", "To")),
)
