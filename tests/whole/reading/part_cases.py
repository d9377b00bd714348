"""Where we read a part, or a message, otherwise than Dovecot does: cases as in ``cases``."""

from tests.whole.reading.cases import Case, Differing
from tests.whole.reading.field_cases import ASCII, EXTENDED, case_of


def _type(row: str, value: bytes, shown: bytes, ours: object = ASCII) -> Case:
    """Make a case of a Content-Type that Dovecot shows as it is, and we as plain text."""
    text = b"Content-Type: " + value + b"\r\n\r\nx"
    return case_of(
        row, text, type=([shown], [b"text/plain"]), parameters=([], [ours]), lines=([], [0])
    )


def _empty_part(number: str) -> dict[str, Differing]:
    """Return what Dovecot says of an empty part that we do not see."""
    said = {"type": b"text/plain", "parameters": ASCII, "encoding": b"7bit", "size": 0, "lines": 0}
    return {f"{number} {name}": Differing((value,), ()) for name, value in said.items()}


def _empty_multipart(theirs: list[object], size: int, lines: int = 0) -> dict[str, Differing]:
    """Return how what is a multipart with an empty part to Dovecot is a text to us."""
    return {
        "parameters": Differing(tuple(theirs), (ASCII,)),
        "type": Differing((b"multipart/mixed",), (b"text/plain",)),
        "encoding": Differing((), (b"7bit",)),
        "size": Differing((), (size,)),
        "lines": Differing((), (lines,)),
        **_empty_part(".1"),
    }


_BOUNDED = b"Content-Type: multipart/mixed; boundary="
_LONG = b"x" * 300
PARTS = (  # whole, in a multipart
    *[
        _type("type-malformed", value, shown)
        for value, shown in (
            *(
                (b"image", b"image/"),
                (b"/", b"/"),
                (b"text/", b"/"),
                (b"/plain", b"/"),
                (b"", b"/"),
            ),
            *(
                (b"text/plain/x", b"/"),
                (b"text/plain,x", b"/"),
                (b'"text/plain"', b"/"),
                (b"x; name=a", b"/"),
            ),
        )
    ],
    case_of("type-malformed", b"Content-Type: text\r\n\r\nx", type=([b"text/"], [b"text/plain"])),
    _type("missing-semicolon", b"text/plain charset=a", b"/", (b"charset", b"a")),
    Case("no-boundary", b"Content-Type: multipart/mixed\r\n\r\nx", _empty_multipart([], 1)),
    Case(
        "no-boundary",
        b"Content-Type: multipart/mixed; boundary=\r\n\r\nx",
        _empty_multipart([(b"boundary", b"")], 1),
    ),
    Case(
        "boundary-prefix",
        _BOUNDED + b"o\r\n\r\n--o\r\n\r\nx\r\n--ox\r\n--o--\r\n",
        {
            ".1 size": Differing((1,), (7,)),
            ".1 lines": Differing((0,), (1,)),
            **_empty_part(".2"),
        },
    ),
    Case(
        "long-boundary",
        _BOUNDED + _LONG + b"\r\n\r\n--" + _LONG + b"\r\n\r\n",
        _empty_multipart([(b"boundary", _LONG)], size=len(_LONG) + 6, lines=2),
    ),
    Case(
        "boundary-with-charset",
        _BOUNDED[:-1] + b"*=us-ascii''o\r\n\r\n--o\r\n\r\nx\r\n--o--\r\n",
        {".1 size": Differing((0,), (1,))},
        until=(2, 4),
    ),
    Case(
        EXTENDED,
        _BOUNDED[:-1] + b"*=us-ascii''o\r\n\r\n--o\r\n\r\nx\r\n--o--\r\n",
        {"parameters": Differing(((b"boundary", b"o"),), ((b"boundary*", b"us-ascii''o"),))},
        since=(2, 4),
    ),
    Case(
        "blanks-at-boundary",
        _BOUNDED + b'"o "\r\n\r\n--o\r\n\r\nx\r\n--o--\r\n',
        {".1 size": Differing((0,), (1,))},
    ),
    case_of(
        "line-end-of-delimiter",
        b"Content-Type: message/rfc822\r\n\r\n" + _BOUNDED + b"i\r\n\r\n--i\r\n\r\nx\r\n--i--",
        size=([62], [60]),
        lines=([6], [5]),
    ),
)
ROOTS = (  # a whole message after its other fields
    case_of("fields-without-type", b"Content-ID: <a>\r\n\r\nx", id=([], [b"<a>"])),
    case_of(
        "fields-without-type",
        b"Content-Disposition: inline\r\n\r\nx",
        disposition=([], [b"inline"]),
    ),
    case_of(
        "fields-without-type",
        b"Content-Transfer-Encoding: 8bit\r\n\r\nx",
        encoding=([b"7bit"], [b"8bit"]),
    ),
    case_of("fields-without-type", b"Content-Language: en\r\n\r\nx", languages=([], [b"en"])),
)
MESSAGE_FIELDS = (  # of a whole message, that has none of these besides
    *[
        Case(
            "field-repeated",
            b"%b: <one>\r\n%b: <two>\r\n" % (name, name),
            {f"envelope {name.decode().lower()}": Differing((b"<two>",), (b"<one>",))},
        )
        for name in (b"Subject", b"Date", b"Message-ID", b"In-Reply-To")
    ],
    Case(
        "nul",
        b"Subject: a\0b\r\n",
        {"envelope subject": Differing((b"a\xef\xbf\xbdb",), (b"a\x80b",))},
    ),
)
