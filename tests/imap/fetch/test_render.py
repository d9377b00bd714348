"""Tests of twisted_mail.imap.fetch.render."""

import re

from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.mail.mailbox.entry import RenderedItems


def render(text: str | bytes) -> RenderedItems:
    data = text.encode() if isinstance(text, str) else text
    return ItemRenderer()(data.replace(b"\n", b"\r\n"))


def test_the_envelope_of_the_rfc() -> None:
    # RFC 3501 §8
    envelope = render(
        "Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)\n"
        "From: Terry Gray <gray@cac.washington.edu>\n"
        "Subject: IMAP4rev1 WG mtg summary and minutes\n"
        "To: imap@cac.washington.edu\n"
        "cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>\n"
        "Message-Id: <B27397-0100000@cac.washington.edu>\n"
        "MIME-Version: 1.0\n"
        "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\n\n"
    ).envelope
    gray = b'(("Terry Gray" NIL "gray" "cac.washington.edu"))'
    assert envelope == (
        b'("Wed, 17 Jul 1996 02:23:25 -0700 (PDT)" "IMAP4rev1 WG mtg summary and minutes" '
        + (gray + b" ") * 3
        + b'((NIL NIL "imap" "cac.washington.edu")) '
        b'((NIL NIL "minutes" "CNRI.Reston.VA.US")("John Klensin" NIL "KLENSIN" "MIT.EDU")) '
        b'NIL NIL "<B27397-0100000@cac.washington.edu>")'
    )


def test_sender_and_reply_to_stand_for_themselves() -> None:
    envelope = render("From: a@b\nSender: c@d\nReply-To: e@f\n\n").envelope
    assert envelope.startswith(
        b'(NIL NIL ((NIL NIL "a" "b")) ((NIL NIL "c" "d")) ((NIL NIL "e" "f")) NIL'
    )


def test_an_empty_sender_is_from() -> None:
    envelope = render("From: a@b\nSender:\nReply-To: ,\n\n").envelope
    assert envelope.startswith(b"(NIL NIL" + b' ((NIL NIL "a" "b"))' * 3 + b" NIL")


def test_absent_members_are_nil_and_empty_ones_empty() -> None:
    assert render("\n").envelope == b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)"
    envelope = render("Subject:\nIn-Reply-To: \nTo:\n\n").envelope
    assert envelope == b'(NIL "" NIL NIL NIL NIL NIL NIL "" NIL)'


def test_groups_have_no_host() -> None:
    envelope = render("To: team: a@b, c@d;, e@f\n\n").envelope
    assert b'((NIL NIL "team" NIL)(NIL NIL "a" "b")(NIL NIL "c" "d")(NIL NIL NIL NIL)' in envelope


def test_header_values_are_unfolded() -> None:
    assert b'"one two"' in render("Subject: one\n two\n\n").envelope


def test_octets_that_are_not_ascii_come_as_literals() -> None:
    envelope = render("Subject: caf\u00e9\nFrom: Jos\u00e9 <j@a>\n\n").envelope
    assert envelope.startswith("(NIL {5}\r\ncafé (({5}\r\nJosé NIL".encode())


def test_the_structure_of_plain_text() -> None:
    items = render("Subject: x\n\none\ntwo\n")
    plain = b'"text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2'
    assert items.body == b"(%b)" % plain
    assert items.bodystructure == b"(%b NIL NIL NIL NIL)" % plain
    assert items.header_size == 14


def test_the_example_of_the_rfc() -> None:
    # RFC 3501 §7.4.2: a text and a Base64-encoded text attachment
    body = render(
        "Content-Type: multipart/mixed; boundary=x\n\n"
        "--x\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII\n\nhello\n\n"
        "--x\nContent-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=cc.diff\n"
        "Content-ID: <960723163407.20117h@cac.washington.edu>\n"
        "Content-Description: Compiler diff\nContent-Transfer-Encoding: BASE64\n\naGVsbG8=\n\n"
        "--x--\n"
    ).body
    assert body == (
        b'(("text" "plain" ("charset" "US-ASCII") NIL NIL "7bit" 7 1)'
        b'("text" "plain" ("charset" "US-ASCII" "name" "cc.diff") '
        b'"<960723163407.20117h@cac.washington.edu>" "Compiler diff" "base64" 10 1) "mixed")'
    )


def test_extension_data_is_only_in_bodystructure() -> None:
    items = render(
        "Content-Type: image/gif\nContent-MD5: Q2hlY2s=\n"
        'Content-Disposition: attachment; filename="a b.gif"\n'
        "Content-Language: en, fr\nContent-Location: http://x/y\n\n"
    )
    assert items.body == b'("image" "gif" NIL NIL NIL "7bit" 0)'
    assert items.bodystructure == (
        b'("image" "gif" NIL NIL NIL "7bit" 0 "Q2hlY2s=" '
        b'("attachment" ("filename" "a b.gif")) ("en" "fr") "http://x/y")'
    )


def test_extension_data_of_a_multipart() -> None:
    structure = render(
        "Content-Type: multipart/mixed; boundary=x\nContent-Disposition: inline\n"
        "Content-Language: en\n\n--x\n\n--x--\n"
    ).bodystructure
    assert structure == (
        b'(("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 0 0 NIL NIL NIL NIL) "mixed" '
        b'("boundary" "x") ("inline" NIL) ("en") NIL)'
    )


def test_a_message_within_has_its_envelope_and_structure() -> None:
    items = render("Content-Type: message/rfc822\n\nSubject: in\n\none\ntwo\n")
    inside = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 10 2'
    envelope = b'(NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL)'
    start = b'("message" "rfc822" NIL NIL NIL "7bit" 25 ' + envelope
    assert items.body == start + b" " + inside + b") 4)"
    assert items.bodystructure == start + b" " + inside + b" NIL NIL NIL NIL) 4 NIL NIL NIL NIL)"


def test_an_empty_multipart_shows_an_empty_text() -> None:
    items = render("Content-Type: multipart/mixed; boundary=x\n\nnothing\n")
    assert items.body == b'(("text" "plain" NIL NIL NIL "7bit" 0 0) "mixed")'


def test_continued_parameters_are_put_together() -> None:
    structure = render(
        "Content-Type: image/gif;\n name*0*=utf-8''caf%C3%A9;\n name*1=\" x.gif\"\n\n"
    ).bodystructure
    assert b'("name*" "utf-8\'\'caf%C3%A9%20x.gif")' in structure


# ---------------------------------------------------------------- any octets

_LITERAL = re.compile(rb"\{([0-9]+)\}\r\n")
_PLAIN = re.compile(rb'"(?:[^"\\\r\n\x00\x80-\xff]|\\["\\])*"|NIL|[0-9]+|[() ]')


def read_list(data: bytes) -> object:
    """Read what the grammar of RFC 3501 §9 allows: strings, numbers, NIL and lists."""
    levels: list[list[object]] = [[]]
    position = 0
    while position < len(data):
        if match := _LITERAL.match(data, position):
            position = match.end() + int(match[1])
            levels[-1].append(data[match.end() : position])
            assert b"\0" not in data[match.end() : position]
            continue
        match = _PLAIN.match(data, position)
        assert match is not None, data[position:]
        position = match.end()
        if match[0] == b"(":
            levels.append([])
        elif match[0] == b")":
            levels[-2].append(levels.pop())
        elif match[0] != b" ":
            levels[-1].append(match[0])
    ((value,),) = levels
    return value


def check_body(body: object) -> None:
    assert isinstance(body, list)
    if isinstance(body[0], list):
        while isinstance(body[0], list):
            check_body(body.pop(0))
        assert len(body) in (1, 5)
    elif body[0] == b'"message"' and body[1] == b'"rfc822"':
        assert len(body) in (10, 14)
        assert len(body[7]) == 10
        check_body(body[8])
    else:
        assert len(body) - (body[0] == b'"text"') in (7, 11)


lines = st.sampled_from(
    (
        *(b"--b", b"--b--", b"", b" folded", b"--c", b"--c--", b"text \xe9\0"),
        b"Content-Type: multipart/mixed; boundary=b",
        b"Content-Type: multipart/x; boundary=c; name=\xe9",
        b"Content-Type: message/rfc822",
        b"Content-Transfer-Encoding: \xe9",
        b'Content-Disposition: attachment; a*0=x; a*1*=y; b="q\\"',
        b"Content-Language: ,",
        b'From: "a\\"b" <c@d>, g:;, \xe9',
        b"Subject: \0\r\xff",
    )
)


@given(st.lists(lines, max_size=30).map(b"\r\n".join) | st.binary())
def test_any_octets_are_rendered_by_the_grammar(data: bytes) -> None:
    items = ItemRenderer()(data)
    assert len(read_list(items.envelope)) == 10  # type: ignore[arg-type]
    check_body(read_list(items.body))
    check_body(read_list(items.bodystructure))
    assert 0 <= items.header_size <= len(data)


def test_half_a_character_of_utf_16_is_rendered() -> None:
    items = render("Content-Type: text/plain; charset=utf-7\n\nan emoji: +2AA- and more")
    assert items.preview == b"an emoji: ? and more"


def test_deep_messages_are_rendered() -> None:
    items = ItemRenderer()(b"Content-Type: message/rfc822\r\n\r\n" * 3000)
    assert items.body.count(b'"rfc822"') == 100
