"""Keys of SEARCH that are tried on odd messages (RFC 3501 §6.4.4), and where Dovecot finds other ones."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tests.whole.reading.oddities import SUBJECTS

FIELDS = ("FROM", "TO", "CC", "BCC")
FOUND_COMMENTS, FOUND_BLANKS = "search-comments", "search-blanks"
FOUND_EIGHT_BIT, FOUND_LANGUAGE = "search-eight-bit", "search-language"
FOUND_MESSAGES, FOUND_UNKNOWN = "search-messages-within", "search-unknown-encoding"
OPEN_WORDS, FOUND_HTML = "search-open-words", "search-html"
NO_DATE, PART_FIELDS = "search-no-date", "search-part-fields"
ADDRESSES = "search-other-addresses"
ROWS = {FOUND_COMMENTS, FOUND_BLANKS, FOUND_EIGHT_BIT, FOUND_LANGUAGE, FOUND_MESSAGES}
ROWS |= {OPEN_WORDS, FOUND_HTML, FOUND_UNKNOWN, NO_DATE, PART_FIELDS, ADDRESSES}


@dataclass(frozen=True, slots=True)
class Key:
    """A key of SEARCH, and which messages one side alone may find.

    These are the ones whose octets match ``ours_also``, and of Dovecot's ``theirs_also``.
    """

    text: bytes
    row: str = ""
    ours_also: re.Pattern[bytes] | None = None
    theirs_also: re.Pattern[bytes] | None = None

    def is_excused(self, octets: bytes, by_us: bool) -> bool:
        """Return whether a message may be found by one side alone."""
        pattern = self.ours_also if by_us else self.theirs_also
        return pattern is not None and pattern.search(octets) is not None


def keys() -> Iterator[Key]:
    """Yield all keys."""
    yield from _subjects()
    yield from _addresses()
    yield from _texts()
    yield from _fields()
    yield from _numbers()


def _quoted(text: bytes) -> bytes:
    return b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'


def _anything(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


_LANGUAGE = _anything(rb"=\?utf-8\*en\?")
_FOLDED = _anything(rb"folded\r?\n (?:  |\r?\n )")


def _subjects() -> Iterator[Key]:
    for _, needle in SUBJECTS:
        quoted = _quoted(needle)
        if not needle:
            continue
        if needle in (b"with a language", b"a"):
            yield Key(b"SUBJECT " + quoted, FOUND_LANGUAGE, _LANGUAGE)
        elif needle in (b"folded with blanks", b"folded twice"):
            yield Key(b"SUBJECT " + quoted)
            name = b"TEXT " if needle.endswith(b"twice") else b"HEADER Subject "
            yield Key(name + quoted, FOUND_BLANKS, _FOLDED)
        else:
            yield Key(b"SUBJECT " + quoted)
            yield Key(b"HEADER Subject " + quoted)
    yield Key(
        "SUBJECT café".encode(),
        FOUND_EIGHT_BIT,
        _anything(rb"subject: (?:caf\xe9|=\?utf-8\?q\?caf=c3)"),
    )


# An encoded word that is not closed, and one further on in the same field that is.
_OPEN = _anything(rb"=\?x\?q\?a(?:[^\r\n]|\r?\n[ \t])*?\?=")


def _addresses() -> Iterator[Key]:
    for name in FIELDS:
        start = name.encode() + b" "
        bare = _anything(rb"\(ann smith\)\s*\(x\)")  # the last comment is the name
        yield Key(start + b'"ann smith"', FOUND_COMMENTS, _either(bare, _OPEN))
        for word in (b"u1", b"@d.example", b"smith, ann", b"J.D. Smith", b"ann & bob"):
            yield Key(start + _quoted(word), OPEN_WORDS, _OPEN)
        for word in (b"localhost", b"ann@x.example", b"group", b"undisclosed", b"u2@d.example"):
            yield Key(start + _quoted(word), OPEN_WORDS, _OPEN)
    for start, word in ((b"FROM ", b"first"), (b"TO ", b"home")):
        comment = _anything(rb"\((?:the )?" + word + rb"\)")
        yield Key(start + word, FOUND_COMMENTS, _either(comment, _OPEN))
    for start in (b"FROM ", b"TO "):
        odd = _anything(rb"j\xf6rg|j=c3\?=|\(=\?utf-8\?q\?j=c3=b6rg\?=\)")
        yield Key(start + "jörg".encode(), FOUND_EIGHT_BIT, _either(odd, _OPEN))
    escaped = _anything(rb'"Ann \\"A\\" Smith"')
    yield Key(b"CC " + _quoted(b'Ann "A" Smith'), FOUND_COMMENTS, escaped)
    for name in ("Sender", "Reply-To"):
        start = f"HEADER {name} ".encode()
        odd = _anything(rb"ann(?: *\t| \(|\"|\r?\n)")
        yield Key(start + b'"ann smith"', ADDRESSES, odd)
        yield Key(start + b"localhost")


def _texts() -> Iterator[Key]:
    unknown = _anything(rb"content-transfer-encoding: x-odd")
    within = _anything(rb"message/rfc822|digest")
    for word in (b"text 1",):
        yield Key(b"BODY " + _quoted(word), FOUND_UNKNOWN, _either(unknown, within))
        yield Key(b"TEXT " + _quoted(word), FOUND_UNKNOWN, unknown)
    for word in (b"epilogue", b"preamble", b"u1", b"plain words"):
        yield Key(b"BODY " + _quoted(word), FOUND_MESSAGES, within)
    for word in (b"epilogue", b"preamble", b"broken", b"u1", b"plain words"):
        yield Key(b"TEXT " + _quoted(word))
    for word in (b"a.txt", b"x.example", b"q2hl"):
        field = _anything(rb"content-[a-z0-9-]+:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*" + word)
        yield Key(b"TEXT " + word, PART_FIELDS, unknown, field)
    is_html = _anything(rb"text[^\r\n]{0,9}(?:\r\n )?[^\r\n]{0,9}html")
    yield Key(b"BODY bold", FOUND_HTML, is_html)
    yield Key(b'BODY "p {}"', FOUND_HTML, _either(unknown, within), is_html)
    yield Key("BODY café".encode(), FOUND_EIGHT_BIT, _anything(rb"caf(?:\xe9|=e9|=c3|\xc3)"))


def _either(*patterns: re.Pattern[bytes]) -> re.Pattern[bytes]:
    return _anything(b"|".join([pattern.pattern for pattern in patterns]))


def _fields() -> Iterator[Key]:
    for name, value in (
        *((b"X-Fold", b"a b"), (b"X-Fold", b""), (b"X-None", b""), (b"Subject", b"")),
        *((b"Content-Type", b"multipart"), (b"Content-Type", b"boundary="), (b"Date", b"2024")),
        *((b"Date", b"1 jan 2024"), (b"Message-ID", b"x.example"), (b"Message-ID", b"<1")),
        *((b"In-Reply-To", b"a@x"), (b"X-Blank", b"x"), (b"X-Colon", b"a:b"), (b"X-Empty", b"")),
        *((b"x-lower", b"x-upper"), (b"X-CR", b"a"), (b"X-Eight", b""), (b"Received", b"")),
        *(
            (b"Content-Description", b"x"),
            (b"Content-Disposition", b"filename"),
            (b"X-Long", b"yyy"),
        ),
    ):
        yield Key(b"HEADER " + name + b" " + _quoted(value))
    yield Key(b'HEADER X-Fold "b c"', FOUND_BLANKS, _anything(rb"x-fold"))


# Messages without a date that anybody can read, or without a header.
_UNDATED = _anything(
    rb"(?:\A|\n)date: (?:<one>|yesterday|2024-01-01T|mon, 99 |mon, 1 jan 2024 1:2|\r?\n)"
    rb"|\A(?!.*date: )|\A\r\n"
)


def _numbers() -> Iterator[Key]:
    for day in (b"31-Dec-2023", b"1-Jan-2024", b"2-Jan-2024", b"2-Feb-2024", b"29-Feb-2024"):
        yield Key(b"SENTON " + day)
        yield Key(b"SENTSINCE " + day)
        yield Key(b"SENTBEFORE " + day + b" SENTSINCE 1-Jan-1980")
    yield Key(b"SENTBEFORE 31-Dec-2023 FROM ann", NO_DATE, theirs_also=_UNDATED)
    for octets in (300, 500, 1000, 2000, 3000):
        yield Key(b"LARGER %d" % octets)
        yield Key(b"SMALLER %d" % octets)
