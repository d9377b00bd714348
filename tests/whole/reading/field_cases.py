"""Where we read the fields of a part otherwise than Dovecot does: cases as in ``cases``."""

from dataclasses import replace

from tests.whole.reading.cases import Case, Differing

EXTENDED, REPEATED = "extended-parameters", "repeated-parameters"
ASCII = (b"charset", b"us-ascii")  # which Dovecot says of every text that names none


def case_of(row: str, text: bytes, **differing: tuple[list[object], list[object]]) -> Case:
    """Make a case of attributes, each with Dovecot's values and ours."""
    named = {
        name.replace("_", " "): Differing(tuple(theirs), tuple(ours))
        for name, (theirs, ours) in differing.items()
    }
    return Case(row, text, named)


def _named(row: str, text: bytes, theirs: list[object], ours: list[object]) -> Case:
    return case_of(row, text, parameters=(theirs, ours))


def _value(row: str, text: bytes, theirs: bytes, ours: bytes) -> Case:
    """Make a case of the value of the parameter ``name``."""
    return _named(row, text, [(b"name", theirs)], [(b"name", ours)])


UNTIL_2_3 = (
    _named(
        "pieces-that-do-not-fit",
        b"; name*0=a; name*0=b",
        [(b"name*0", b"a"), (b"name*0", b"b")],
        [(b"name", b"a"), (b"name*0", b"b")],
    ),
    _named(
        "several-extended",
        b"; name*0=a; name*1=b; other*=utf-8''y",
        [(b"name", b"ab"), (b"other*1*", b"utf-8''y")],
        [(b"name", b"ab"), (b"other*", b"utf-8''y")],
    ),
    _named(
        "escapes-of-pieces",
        b"; name*0*=utf-8''a; name*1=\"b c\"",
        [(b"name*", b"utf-8''ab c")],
        [(b"name*", b"utf-8''ab%20c")],
    ),
)
PARAMETERS = (  # at the end of Content-Type
    _value("blanks-in-value", b"; name=a b.txt", b"a", b"a b.txt"),
    _value("blanks-in-value", b"; name='a b'", b"'a", b"'a b'"),
    _value("blanks-in-value", b"; name=a\r\n\tb", b"a", b"a b"),
    *[
        _value("specials-in-value", b"; name=" + text, text[:at], text)
        for text, at in (
            *(
                (b"C:\\a.txt", 1),
                (b"a(b).txt", 1),
                (b"a@b", 1),
                (b"<a>", 0),
                (b"a=b", 1),
                (b"a/b", 1),
            ),
            *((b"[a]", 0), (b"a,b", 1), (b"a?b", 1), (b'a"b"', 1)),
        )
    ],
    _named(
        "empty-parameter",
        b"; name=a; ; size=3",
        [(b"name", b"a")],
        [(b"name", b"a"), (b"size", b"3")],
    ),
    _named("empty-parameter", b"; name=a; =b", [(b"", b"b"), (b"name", b"a")], [(b"name", b"a")]),
    _named("empty-parameter", b"; name; size=3", [], [(b"size", b"3")]),
    _named(
        "missing-semicolon",
        b"; name=a size=3",
        [(b"name", b"a")],
        [(b"name", b"a"), (b"size", b"3")],
    ),
    _named("quote-never-closed", b'; name="a b', [], [(b"name", b"a b")]),
    _named(
        "pieces-that-do-not-fit",
        b"; name*0=a; name*2=b",
        [(b"name*0", b"a"), (b"name*2", b"b")],
        [(b"name", b"a"), (b"name*2", b"b")],
    ),
    *[replace(case, until=(2, 4)) for case in UNTIL_2_3],
    _value("nul", b'; name="a\0b"', b"a\xef\xbf\xbdb", b"a\x80b"),
)


def _extended(text: bytes, theirs: list[object], ours: list[object], row: str = EXTENDED) -> Case:
    return replace(_named(row, text, theirs, ours), since=(2, 4))


# Before 2.4 Dovecot shows these parameters as we do.
EXTENDED_PARAMETERS = (
    _extended(
        b"; name*=utf-8''%C3%BCx", [(b"name", b"\xc3\xbcx")], [(b"name*", b"utf-8''%C3%BCx")]
    ),
    _extended(b"; name*=utf-8'en'x", [(b"name", b"x")], [(b"name*", b"utf-8'en'x")]),
    _extended(b"; name*=koi8-r''%C1", [(b"name", b"\xd0\xb0")], [(b"name*", b"koi8-r''%C1")]),
    _extended(b"; name*=''a", [(b"name", b"a")], [(b"name*", b"''a")]),
    _extended(b"; name*=x", [(b"name", b"x")], [(b"name*", b"x")]),
    _extended(
        b"; name*0*=utf-8''%C3; name*1*=%BC", [(b"name", b"%C3%BC")], [(b"name*", b"utf-8''%C3%BC")]
    ),
    _extended(
        b"; name*0*=utf-8''%C3%BC;\r\n name*1=b",
        [(b"name", b"\xc3\xbcb")],
        [(b"name*", b"utf-8''%C3%BCb")],
    ),
    _extended(b"; name*0=a; name*1*=%62", [(b"name", b"a%62")], [(b"name*", b"''a%62")]),
    _extended(
        b"; name=x; name*=utf-8''y", [(b"name", b"x")], [(b"name", b"x"), (b"name*", b"utf-8''y")]
    ),
    _extended(
        b"; name*=utf-8''y; name=x", [(b"name", b"y")], [(b"name", b"x"), (b"name*", b"utf-8''y")]
    ),
    _extended(
        b"; name=x; name*0=y; name*1=z", [(b"name", b"x")], [(b"name", b"x"), (b"name", b"yz")]
    ),
    _extended(b"; name=x; name=y", [(b"name", b"x")], [(b"name", b"x"), (b"name", b"y")], REPEATED),
)


def _of_file(differing: Differing) -> Differing:
    """Return the same of a parameter ``filename``."""
    theirs, ours = differing.theirs, differing.ours
    return Differing(tuple(map(_renamed, theirs)), tuple(map(_renamed, ours)))


def _renamed(parameter: object) -> object:
    assert isinstance(parameter, tuple)
    return parameter[0].replace(b"name", b"filename"), parameter[1]


EXTENDED_FIELDS = tuple(
    replace(
        case,
        text=b"Content-Disposition: inline" + case.text.replace(b"name", b"filename"),
        differing={"disposition parameters": _of_file(case.differing["parameters"])},
    )
    for case in EXTENDED_PARAMETERS
)


FIELDS = (  # of a part with a Content-Type
    case_of(
        "encoding-with-more", b"Content-Transfer-Encoding: 8bit;", encoding=([b"7bit"], [b"8bit"])
    ),
    case_of(
        "encoding-with-more", b'Content-Transfer-Encoding: "8bit"', encoding=([b"7bit"], [b"8bit"])
    ),
    case_of(
        "encoding-with-more",
        b"Content-Transfer-Encoding: 8bit, 7bit",
        encoding=([b"7bit"], [b"8bit"]),
    ),
    case_of("languages", b"Content-Language: en de", languages=([b"en"], [b"en", b"de"])),
    case_of("languages", b"Content-Language: en; de", languages=([b"en"], [b"en", b"de"])),
    case_of("languages", b"Content-Language: en,,de", languages=([b"en"], [b"en", b"de"])),
    case_of("languages", b"Content-Language: , en", languages=([], [b"en"])),
    case_of("languages", b'Content-Language: "en"', languages=([], [b"en"])),
    case_of(
        "disposition-without-kind",
        b"Content-Disposition: filename=x",
        disposition=([b"filename"], [b"attachment"]),
        disposition_parameters=([], [(b"filename", b"x")]),
    ),
    case_of(
        "disposition-without-kind",
        b"Content-Disposition: ; filename=x",
        disposition=([b""], [b"attachment"]),
    ),
    case_of(
        "disposition-without-kind",
        b'Content-Disposition: "attachment"',
        disposition=([b""], [b"attachment"]),
    ),
    case_of("disposition-without-kind", b"Content-Disposition:", disposition=([b""], [])),
    case_of(
        "missing-semicolon",
        b"Content-Disposition: inline filename=x",
        disposition_parameters=([], [(b"filename", b"x")]),
    ),
    case_of(
        "missing-semicolon",
        b"Content-Disposition: inline, filename=x",
        disposition_parameters=([], [(b"filename", b"x")]),
    ),
    case_of(
        "blanks-in-value",
        b"Content-Disposition: inline; filename=a b",
        disposition_parameters=([(b"filename", b"a")], [(b"filename", b"a b")]),
    ),
    case_of(
        "disposition-repeated",
        b"Content-Disposition: inline\r\nContent-Disposition: attachment",
        disposition=([b"attachment"], [b"inline"]),
    ),
)
