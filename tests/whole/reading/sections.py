"""Which sections of a message are compared (RFC 3501 §6.4.5), and where Dovecot's are others."""

from collections.abc import Iterator

from tests.whole.imap_values import Value

_WHOLE = (
    *(b"", b"HEADER", b"TEXT", b"1", b"HEADER.FIELDS (SUBJECT TO X-FOLD CONTENT-TYPE X-NONE)"),
    *(b"HEADER.FIELDS.NOT (SUBJECT X-Fold From)", b"HEADER.FIELDS (From To Cc Date Message-ID)"),
    *(b"HEADER.FIELDS (X-NONE)", b"HEADER.FIELDS (X-Blank X-CR X-Colon x-EIGHT)"),
)
_RANGES = (b"]", b"]<0.5>", b"]<3.9>", b"]<100000.5>")


def names_of(structure: Value) -> list[bytes]:
    """Return the sections of a message with this structure, whole and in part."""
    names = dict.fromkeys([*_WHOLE, *_of_parts(structure, ())])
    return [name + extent for name in names for extent in _RANGES]


def _of_parts(part: Value, path: tuple[int, ...]) -> Iterator[bytes]:
    """Yield the sections of the parts of a message; ``path`` leads to it."""
    assert isinstance(part, list)
    if not isinstance(part[0], list):
        yield from _of_leaf(part, (*path, 1))
        return
    for number, child in enumerate(part, 1):
        if not isinstance(child, list):
            break
        yield from _of_part(child, (*path, number))


def _of_part(part: Value, path: tuple[int, ...]) -> Iterator[bytes]:
    assert isinstance(part, list)
    if isinstance(part[0], list):
        yield from _own(path)
        yield from _of_parts(part, path)
    else:
        yield from _of_leaf(part, path)


def _of_leaf(part: list[Value], path: tuple[int, ...]) -> Iterator[bytes]:
    yield from _own(path)
    if len(part) > 8 and isinstance(part[7], list) and isinstance(part[8], list):
        dotted = _dotted(path)
        yield dotted + b".HEADER"
        yield dotted + b".TEXT"
        yield dotted + b".HEADER.FIELDS (SUBJECT To)"
        yield dotted + b".HEADER.FIELDS.NOT (To)"
        yield from _of_parts(part[8], path)


def _own(path: tuple[int, ...]) -> Iterator[bytes]:
    yield _dotted(path)
    yield _dotted(path) + b".MIME"


def _dotted(path: tuple[int, ...]) -> bytes:
    return b".".join([b"%d" % number for number in path])


# ---------------------------------------------------------------- rows of the document

NO_SUCH_PART, PART_OF_A_LEAF = "no-such-part", "part-of-a-leaf"
NO_EMPTY_LINE, HEADER_AT_DELIMITER = "no-empty-line", "header-at-delimiter"
ROWS = {NO_SUCH_PART, PART_OF_A_LEAF, NO_EMPTY_LINE, HEADER_AT_DELIMITER}
LINE_END = "line-end-of-delimiter"  # which is one of BODYSTRUCTURE, too
CRLF = b"\r\n"


def row_of(name: bytes, their: bytes | None, our: bytes | None) -> str:
    """Return the row by which a section differs, empty if it is none."""
    if their is None or our is None or name.endswith(b">"):
        return ""
    if name[-1:].isdigit() and their == our + CRLF and our.endswith(b"--"):
        return LINE_END
    if b"HEADER.FIELDS" in name and their == our + CRLF and not our.endswith(CRLF * 2):
        return NO_EMPTY_LINE
    if b"." in name and name.endswith((b".HEADER", b".MIME")) and our == their + CRLF:
        return HEADER_AT_DELIMITER
    return ""
