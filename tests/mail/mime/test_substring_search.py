"""Tests of twisted_mail.mail.mime.substring_search."""

import base64
import quopri

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twisted_mail.mail.mailbox.entry import Contains
from twisted_mail.mail.mime import substring_search
from twisted_mail.mail.mime.folding import folded
from twisted_mail.mail.mime.substring_search import html_text, matches, searchable

MESSAGE = (
    "From: =?utf-8?Q?Ren=C3=A9e?= <renee@example.org>\n"
    "To: team@example.org\n"
    "Subject: A folded\n subject\n"
    "X-Empty:\n"
    'Content-Type: multipart/mixed; boundary="b"\n\n'
    "preamble\n"
    "--b\n"
    "Content-Type: text/plain; charset=iso-8859-1\n"
    "Content-Transfer-Encoding: quoted-printable\n\n"
    "Gr=FC=DFe aus M=FC=\nnchen\n"
    "--b\n"
    "Content-Type: text/html; charset=utf-8\n"
    "Content-Transfer-Encoding: base64\n\n"
    + base64.encodebytes(b"<style>p {}</style><p>H<b>e</b>llo\n w&ouml;rld</p>").decode()
    + "\n--b\n"
    "Content-Type: application/pdf; name*=utf-8''caf%C3%A9.pdf\n"
    "Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(b"hidden octets").decode() + "\n"
    "--b\n"
    "Content-Type: message/rfc822\n\n"
    "Subject: the one within\n\nits text\n"
    "--b--\n"
    "epilogue\n"
)
DATA = MESSAGE.replace("\n", "\r\n").encode()


def holds(where: str, needle: str, name: str = "", data: bytes = DATA) -> bool:
    what = Contains(where, needle, name)
    assert searchable(data).holds(what) is matches(data, what)
    return matches(data, what)


@pytest.mark.parametrize(
    ("name", "needle", "is_there"),
    [
        ("subject", "folded subject", True),
        ("SUBJECT", "FOLDED", True),
        ("Subject", "within", False),
        ("from", "renée", True),
        ("from", "RENÉE <", True),
        ("from", "Rene\u0301e", True),
        ("from", "=C3", False),
        ("to", "renée", False),
        ("x-empty", "", True),
        ("x-empty", "x", False),
        ("x-absent", "", False),
    ],
)
def test_fields_are_searched_as_people_read_them(name: str, needle: str, is_there: bool) -> None:
    assert holds("header", needle, name) is is_there


@pytest.mark.parametrize(
    ("needle", "is_there"),
    [
        ("", True),
        ("grüße aus münchen", True),
        ("GRÜSSE AUS", True),
        ("hello wörld", True),
        ("<p>", False),
        ("p {}", False),
        ("the one within", True),
        ("its text", True),
        ("hidden", False),
        ("folded", False),
        ("preamble", False),
        ("café.pdf", False),
    ],
)
def test_the_body_is_the_text_of_its_parts(needle: str, is_there: bool) -> None:
    assert holds("body", needle) is is_there


@pytest.mark.parametrize("needle", ["folded subject", "renée", "münchen", "café.pdf", "x-empty: "])
def test_text_is_header_and_body(needle: str) -> None:
    assert holds("text", needle)


@pytest.mark.parametrize(
    "field", ["Content-Type: image/gif; name", "Content-Disposition: x; filename"]
)
def test_file_names_are_text(field: str) -> None:
    data = f'{field}="=?utf-8?Q?caf=C3=A9?="\r\n\r\n'.encode()
    assert matches(data, Contains("text", "café"))
    assert not matches(data, Contains("body", "café"))


def test_both_file_names_are_text() -> None:
    data = (
        b"Content-Disposition: attachment; filename=plain.pdf; filename*=utf-8''caf%C3%A9\r\n\r\n"
    )
    for needle in ("plain.pdf", "café"):
        assert matches(data, Contains("text", needle))


def test_a_description_is_text() -> None:
    data = b"Content-Type: image/gif\r\nContent-Description: =?utf-8?Q?caf=C3=A9?=\r\n\r\n"
    data = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + data + b"\r\n--b--\r\n"
    assert holds("text", "café", data=data)
    assert not holds("body", "café", data=data)


def test_text_without_an_empty_line_before_it_is_found() -> None:
    data = b"Subject: a\r\nHello Ann\r\n"
    assert holds("text", "hello ann", data=data)
    assert not holds("header", "hello", "subject", data)
    inside = b"Content-Type: message/rfc822\r\n\r\n" + data
    assert holds("body", "hello ann", data=inside)


@pytest.mark.parametrize("needle", ["One two", "one  two", "ONE\t two", "one two "])
def test_white_space_of_fields_is_one_space(needle: str) -> None:
    data = b"Subject: one\r\n\ttwo  three\r\n\r\none  two\r\n"
    assert matches(data, Contains("header", needle, "subject"))
    assert matches(data, Contains("text", needle))
    assert matches(data, Contains("body", needle)) is (needle == "one  two")


def test_an_address_is_found_without_its_comments() -> None:
    data = b"From: user (work) @ domain.example\r\n\r\n"
    for what in (
        Contains("header", "user@domain.example", "from"),
        Contains("text", "user@domain"),
    ):
        assert matches(data, what)
        assert searchable(data).holds(what)


def test_a_word_cannot_make_a_field() -> None:
    data = b"Subject: =?utf-8?Q?x=0Ato:_me?=\r\n\r\n"
    assert not searchable(data).holds(Contains("header", "me", "to"))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain", "plain"),
        ("a<br>b<p>c</p>d", "a b c d"),
        ("<b>H</b>ello <span class='x'>th</span>ere", "Hello there"),
        ("a<!-- b > c -->d", "ad"),
        ("a<!-- b", "a"),
        ("<SCRIPT>x < y</script >z", "z"),
        ("<scripted>x</scripted>", "x"),
        ("<style/>a</style>b", "b"),
        ("in<!-- a -->side", "inside"),
        ("a<style>b", "a"),
        ("1 < 2 &lt; 3 &#x41; &amp;", "1 < 2 < 3 A &"),
        ("<!DOCTYPE html><?xml ?>x", "x"),
        ("&#" + "9" * 5000 + ";", "&#" + "9" * 5000 + ";"),
        ("a <unclosed", "a <unclosed"),
    ],
)
def test_html_is_read_without_its_tags(source: str, text: str) -> None:
    assert html_text(source) == text


def test_a_tag_that_is_longer_than_a_piece_is_cut_nowhere() -> None:
    tag = "<a title='" + "x" * (2 * substring_search.PIECE) + "'>"
    assert html_text(f"{tag}b<br>d") == "b d"
    assert html_text(tag + "b " + tag + "c") == "b c"


@pytest.mark.parametrize("subtype", ["html", "xhtml+xml"])
def test_a_part_in_html_is_searched_without_its_tags(subtype: str) -> None:
    data = f"Content-Type: text/{subtype}\r\n\r\n<b>H</b>ello".encode()
    assert matches(data, Contains("body", "Hello"))
    assert not matches(data, Contains("body", "<b>"))


def test_of_all_messages_within_a_message_so_much_header_is_searched() -> None:
    head = b"X-Long: " + b"x" * 600_000 + b"\r\n"
    parts = b"".join(
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n%bSubject: s%d\r\n\r\n\r\n" % (head, number)
        for number in range(4)
    )
    data = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts + b"--b--\r\n"
    found = [matches(data, Contains("body", f"Subject: s{number}")) for number in range(4)]
    assert found == [True, False, False, False]


@pytest.mark.parametrize(
    "unit", ["<", "<a ", "<!--", "<script>", "</", "&#", "&amp", "a\u0301\u0316", "\u0301\u0316"]
)
def test_long_hostile_text_is_read(unit: str) -> None:
    text = unit * 100_000
    assert len(folded(html_text(text))) <= 2 * len(text)


def test_an_empty_comment_where_a_piece_ends_hides_nothing() -> None:
    start = "x" * (substring_search.PIECE - 20)
    source = start + "<!----><b>" + "shown" * 10 + "</b> and this<!-- not that -->"
    assert html_text(source) == start + "shown" * 10 + " and this"


hostile = st.binary() | st.sampled_from(["plain", "html"]).flatmap(
    lambda kind: st.binary().map(lambda body: f"Content-Type: text/{kind}\r\n\r\n".encode() + body)
)


@given(hostile, st.text(), st.sampled_from(["text", "body", "header"]))
def test_any_octets_are_searched(data: bytes, needle: str, where: str) -> None:
    assert holds(where, needle, "subject", data) or needle or where == "header"


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r"), min_size=1), st.booleans())
def test_what_was_written_is_found(text: str, is_base64: bool) -> None:
    encode, name = (
        (base64.encodebytes, b"base64") if is_base64 else (quopri.encodestring, b"quoted-printable")
    )
    data = (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
        + name
        + b"\r\n\r\n"
        + encode(text.encode())
    )
    assert matches(data, Contains("body", text))


HTML = ["<!--", "-->", "--", "<!-->", "<script>", "</script>", "<style a>", "</STYLE>", "<b>", "</b>",
        "<p>", "<", ">", "x", "yz", " ", "\n", "!", "<p x"]  # fmt: skip


@settings(max_examples=500)
@given(st.lists(st.sampled_from(HTML), max_size=30).map("".join), st.integers(1, 20))
def test_html_in_pieces_is_the_same_text(source: str, size: int) -> None:
    whole = substring_search.html_text(source)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(substring_search, "PIECE", size)
        assert substring_search.html_text(source) == whole


def test_an_entity_is_not_cut() -> None:
    source = "word " * 20_000 + "&amp;" * 4 + " word" * 20_000
    assert substring_search.html_text(source) == "word " * 20_000 + "&&&&" + " word" * 20_000
