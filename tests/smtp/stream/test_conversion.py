"""Making messages legal: whoever decodes both sides finds the same."""

import binascii
import email
import email.policy
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mime import structure
from twisted_mail.smtp.stream import conversion
from twisted_mail.smtp.stream.conversion import (
    MAX_LINE,
    converted,
    has_binary,
    has_long_line,
    is_legal,
    to_base64,
    to_quoted_printable,
)

LONG = b"x" * 2000
TEXT = b"Content-Type: text/plain; charset=utf-8\r\n"
OCTETS = b"Content-Type: application/octet-stream\r\n"


def leaves(data: bytes) -> list[bytes]:
    """Return the decoded contents of all parts without parts."""
    found = []
    for part in structure.scan(data).walk():
        if part.children:
            continue
        content = data[part.body : part.stop]
        encoding = (part.field(b"content-transfer-encoding") or b"").lower()
        if encoding == b"base64":
            content = binascii.a2b_base64(content)
        elif encoding == b"quoted-printable":
            content = binascii.a2b_qp(content)
        found.append(content)
    return found


def leaves_for_python(data: bytes) -> list[bytes]:
    message = email.message_from_bytes(data, policy=email.policy.compat32)
    parts = [part for part in message.walk() if not part.is_multipart()]
    return [part.get_payload(decode=True) for part in parts]  # type: ignore[misc]


def multipart(*parts: bytes, boundary: bytes = b"bnd", kind: bytes = b"mixed") -> bytes:
    inner = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    head = b"Content-Type: multipart/" + kind + b'; boundary="' + boundary + b'"\r\n'
    return head + b"\r\n" + inner + b"--" + boundary + b"--\r\n"


# ---------------------------------------------------------------- looking


@given(st.lists(st.sampled_from([0, 1, 500, 996, 997, 998, 999, 1000, 1001, 3000])))
def test_a_long_line_is_found_wherever_it_is(lengths: list[int]) -> None:
    data = b"".join(b"x" * length + b"\r\n" for length in lengths)
    assert has_long_line(data) is any(length > MAX_LINE for length in lengths)


@pytest.mark.parametrize(("tail", "is_long"), [(998, False), (999, True)])
def test_the_last_line_needs_no_end(tail: int, is_long: bool) -> None:
    assert has_long_line(b"a\r\n" + b"x" * tail) is is_long
    assert has_long_line(b"a\r\n" + b"x" * tail + b"\r") is is_long


def test_part_of_the_data_can_be_looked_at() -> None:
    data = b"short\r\n" + b"x" * 1500 + b"\r\nshort\r\n"
    assert not has_long_line(data, 0, 900)
    assert not has_long_line(data, 1000)
    assert has_long_line(data, 7)


@pytest.mark.parametrize("octets", [b"a\0b", b"a\rb", b"a\nb", b"\n", b"\r\r\n", b"\r\n\n"])
def test_binary_octets_are_found(octets: bytes) -> None:
    assert has_binary(octets)
    assert not is_legal(octets)


def test_octets_above_127_are_legal_where_8_bits_go_through() -> None:
    assert is_legal(b"\xe9\r\n")
    assert not is_legal(b"\xe9\r\n", is_7bit=True)


# ---------------------------------------------------------------- converting


def test_a_legal_message_is_the_same_object() -> None:
    data = b"Subject: x\r\n\r\nh\xe9llo\r\n"
    assert converted(data) is data


def test_long_lines_of_text_become_quoted_printable() -> None:
    data = b"Subject: x\r\n\r\nshort\r\n" + LONG + b"\r\n"
    result = converted(data)
    assert result.startswith(
        b"Subject: x\r\nContent-Transfer-Encoding: quoted-printable\r\nMIME-Version: 1.0\r\n\r\nshort"
    )
    assert leaves(result) == leaves(data) == [b"short\r\n" + LONG + b"\r\n"]


def test_long_lines_of_other_types_become_base64() -> None:
    data = b"MIME-Version: 1.0\r\n" + OCTETS + b"\r\n" + LONG + b"\r\n"
    result = converted(data)
    assert b"Content-Transfer-Encoding: base64\r\n\r\n" in result
    assert result.count(b"MIME-Version") == 1
    assert result.endswith(b"\r\n")
    assert leaves(result) == [LONG + b"\r\n"]


def test_text_without_a_name_for_its_octets_gets_one() -> None:
    for octets, name in ((b"\xc3\xa9", b"utf-8"), (b"\xe9", b"unknown-8bit")):
        result = converted(b"Subject: x\r\n\r\n" + octets + LONG + b"\r\n")
        assert b"\r\nContent-Type: text/plain; charset=" + name + b"\r\n" in result


@pytest.mark.parametrize("octets", [b"a\0b", b"a\rb", b"a\nb", b"\xff\xfe\n\0", b""])
@pytest.mark.parametrize("head", [TEXT, OCTETS, b""])
def test_binary_parts_become_base64(octets: bytes, head: bytes) -> None:
    binary = head + b"Content-Transfer-Encoding: binary\r\n\r\n" + octets
    data = b"MIME-Version: 1.0\r\n" + multipart(binary, TEXT + b"\r\nhello", OCTETS + b"\r\n\0")
    result = converted(data)
    assert is_legal(result)
    assert leaves(result) == leaves(data) == [octets, b"hello", b"\0"]
    assert b"binary" not in result


def test_only_the_parts_that_need_it_are_altered() -> None:
    good = TEXT + b"Content-Transfer-Encoding: 8bit\r\n\r\nh\xe9llo"
    data = multipart(good, TEXT + b"\r\n" + LONG)
    result = converted(data)
    assert good in result
    assert leaves(result) == [b"h\xe9llo", LONG]


def test_what_is_encoded_already_is_encoded_anew() -> None:
    wide = b"Content-Transfer-Encoding: base64\r\n\r\n" + binascii.b2a_base64(LONG, newline=False)
    quoted = TEXT + b"Content-Transfer-Encoding: Quoted-Printable (x)\r\n\r\n=41" + LONG
    data = multipart(OCTETS + wide, quoted)
    result = converted(data)
    assert is_legal(result, is_7bit=True)
    assert leaves(result) == [LONG, b"A" + LONG]


def test_an_unknown_encoding_is_left() -> None:
    data = b"Content-Transfer-Encoding: x-uuencode\r\n\r\n" + LONG + b"\r\n"
    assert converted(data) == data


SEALED = [
    multipart(TEXT + b"\r\n" + LONG, OCTETS + b"\r\nsig", kind=b"signed"),
    multipart(TEXT + b"\r\n" + LONG, kind=b"encrypted"),
    b"Content-Type: message/delivery-status\r\n\r\nX: " + LONG + b"\r\n",
    b"Content-Type: message/rfc822\r\n\r\nDKIM-Signature: v=1\r\n\r\n" + LONG + b"\r\n",
]


@pytest.mark.parametrize("sealed", SEALED)
def test_a_part_that_is_signed_or_may_not_be_encoded_is_left(sealed: bytes) -> None:
    assert converted(sealed) == sealed
    result = converted(multipart(sealed, TEXT + b"\r\n" + LONG, boundary=b"outer"))
    assert sealed in result
    assert b"quoted-printable" in result


@pytest.mark.parametrize("name", [b"DKIM-Signature", b"arc-message-signature"])
def test_a_message_that_is_signed_is_left(name: bytes) -> None:
    data = name + b": v=1\r\n" + TEXT + b"X: " + b"x " * 999 + b"\r\n\r\n" + LONG + b"\r\n"
    assert converted(data) == data


def test_a_message_inside_a_message_is_converted_in_its_place() -> None:
    inner = b"Subject: inner\r\n\r\n" + LONG + b"\r\n"
    data = b"Content-Type: message/rfc822\r\nMIME-Version: 1.0\r\n\r\n" + inner
    result = converted(data)
    assert is_legal(result)
    _, _, rest = result.partition(b"\r\n\r\n")
    assert rest.startswith(b"Subject: inner\r\nContent-Transfer-Encoding: quoted-printable\r\n")
    assert rest.count(b"MIME-Version: 1.0") == 1
    assert leaves(result) == [LONG + b"\r\n"]


def test_long_fields_are_folded() -> None:
    data = b"References: " + b"<a@b.example> " * 200 + b"\r\nX: " + LONG + b"\r\n\r\nhello\r\n"
    result = converted(data)
    assert result.replace(b"\r\n ", b" ") == data
    assert not has_long_line(result.partition(b"X: ")[0])
    assert LONG in result  # where there is no space, it stays


def test_long_fields_are_folded_at_tabs_too() -> None:
    data = b"References: <a@b.example>" + b"\t<a@b.example>" * 200 + b"\r\n\r\nhello\r\n"
    result = converted(data)
    assert result.replace(b"\r\n\t", b"\t") == data
    assert not has_long_line(result)


def test_what_stands_around_the_parts_goes_where_it_is_not_legal() -> None:
    data = multipart(TEXT + b"\r\nhello")
    before = data.replace(b"\r\n\r\n--bnd", b"\r\n\r\n" + LONG + b"\r\n--bnd", 1)
    behind = data + LONG + b"\r\n"
    assert converted(before) == data
    assert converted(behind) == data
    assert converted(data + b"fine\r\n") == data + b"fine\r\n"


def test_for_seven_bits_text_and_octets_are_encoded_and_labels_fall() -> None:
    data = b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: 8bit\r\n" + multipart(
        TEXT + b"Content-Transfer-Encoding: 8bit\r\n\r\nh\xe9", OCTETS + b"\r\n\xff"
    )
    result = converted(data, is_7bit=True)
    assert is_legal(result, is_7bit=True)
    assert result.startswith(b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: 7bit\r\n")
    assert leaves(result) == [b"h\xe9", b"\xff"]


def test_a_label_says_8bit_where_something_signed_stays_so() -> None:
    signed = multipart(TEXT + b"\r\nh\xe9", OCTETS + b"\r\nsig", kind=b"signed")
    data = b"Content-Transfer-Encoding: 8bit\r\n" + multipart(
        signed, TEXT + b"\r\n\xe9", boundary=b"outer"
    )
    result = converted(data, is_7bit=True)
    assert result.startswith(b"Content-Transfer-Encoding: 8bit\r\n")
    assert leaves(result) == leaves(data)


# ---------------------------------------------------------------- properties

CONTENT = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=40).map(str.encode),
    st.sampled_from([LONG, b"a\r\n" + LONG + b"\r\nb ", b"\0", b"\r\n", b" \t", b"=3D\r\n", b"."]),
).filter(lambda content: b"--" not in content)
LEAF = st.builds(
    lambda head, label, content: head + label + b"\r\n" + content,
    st.sampled_from([TEXT, OCTETS, b"", b"Content-Type: text/html\r\n", b"Content-Type: ;\r\n"]),
    st.sampled_from(
        [b""]
        + [b"Content-Transfer-Encoding: " + one + b"\r\n" for one in (b"binary", b"8bit", b"7BIT")]
    ),
    CONTENT,
)
BOUNDARIES = iter(range(10**9))
TREE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(
        lambda parts: multipart(*parts, boundary=b"b%d" % next(BOUNDARIES)).removesuffix(b"\r\n")
    ),
    max_leaves=6,
)
MESSAGE = st.builds(
    lambda head, tree: head + tree + b"\r\n",
    st.sampled_from([b"", b"Subject: x\r\n", b"MIME-Version: 1.0\r\nSubject: h\xe9\r\n"]),
    TREE,
)


@given(MESSAGE, st.booleans())
def test_both_sides_decode_to_the_same(data: bytes, is_7bit: bool) -> None:
    result = converted(data, is_7bit)
    assert leaves(result) == leaves(data)
    assert not has_long_line(result)
    assert not has_binary(result)
    if is_7bit:
        assert result.partition(b"\r\n\r\n")[2].isascii()
    assert converted(result, is_7bit) == result


@given(MESSAGE, st.booleans())
def test_python_finds_the_same_on_both_sides(data: bytes, is_7bit: bool) -> None:
    if b"\r" in data.replace(b"\r\n", b"") or b"\n" in data.replace(b"\r\n", b""):
        return  # its parser takes each of them for the end of a line
    assert leaves_for_python(converted(data, is_7bit)) == leaves_for_python(data)


@given(st.binary(max_size=400), st.booleans())
def test_any_octets_are_converted(data: bytes, is_7bit: bool) -> None:
    result = converted(data, is_7bit)
    assert converted(data, is_7bit) == result


@given(st.binary(max_size=300))
def test_base64_is_read_as_it_was_written(content: bytes) -> None:
    encoded = to_base64(content)
    assert binascii.a2b_base64(encoded) == content
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))


@given(st.lists(st.binary(max_size=200)))
def test_quoted_printable_is_read_as_it_was_written(lines: list[bytes]) -> None:
    content = b"\r\n".join(line.replace(b"\r", b"").replace(b"\n", b"") for line in lines)
    encoded = to_quoted_printable(content)
    assert binascii.a2b_qp(encoded) == content
    assert encoded.isascii()
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))


@given(
    st.lists(
        st.binary(max_size=60).map(lambda piece: piece.replace(b"\r", b"").replace(b"\n", b""))
    ),
    st.sampled_from([b"", b"\r\n", b" ", b"=", b"\xff"]),
    st.integers(40, 200),
)
def test_quoting_in_pieces_makes_no_difference(
    words: list[bytes], between: bytes, stride: int
) -> None:
    content = between.join(words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversion, "_STRIDE", stride)
        encoded = to_quoted_printable(content)
    assert binascii.a2b_qp(encoded) == content
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    assert not has_binary(encoded)


@pytest.mark.parametrize("length", [49, 50, 51])
def test_a_line_end_is_in_one_piece(length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversion, "_STRIDE", 50)
    encoded = to_quoted_printable(b"a" * length + b"\r\nb")
    assert binascii.a2b_qp(encoded) == b"a" * length + b"\r\nb"
    assert encoded.replace(b"=\r\n", b"") == b"a" * length + b"\r\nb"


@pytest.mark.parametrize("before", [b"", b"x" * 75])
@pytest.mark.parametrize(
    ("line", "lengths"),
    [
        (b"a" * 73 + b" ", [39, 39]),  # it ends with =20, so that it has 76
        (b"=" * 24 + b"a ", [37, 41]),  # one octet ends at 36, the next at 39
        (b"a" + b"=" * 24 + b" ", [38, 40]),  # one ends at 37
        (b"aa" + b"=" * 23 + b"aa ", [39, 39]),  # one ends at 38
    ],
)
def test_a_full_line_is_broken_outside_of_what_stands_for_one_octet(
    before: bytes, line: bytes, lengths: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = before + line
    monkeypatch.setattr(conversion, "_STRIDE", len(content))
    encoded = to_quoted_printable(content + b"end")
    assert binascii.a2b_qp(encoded) == content + b"end"
    assert [len(one) for one in encoded.split(b"\r\n")][-3:] == [*lengths, 3]


@pytest.mark.parametrize("content", [b"a" * 74 + b" ", b"a" * 74 + b"\t", b"\0" + b"a" * 71 + b" "])
def test_a_space_at_the_end_of_a_line_makes_it_no_longer_than_allowed(content: bytes) -> None:
    encoded = to_quoted_printable(content + b"\r\n" + content)
    assert max(map(len, encoded.split(b"\r\n"))) <= 76  # RFC 2045 §6.7
    assert binascii.a2b_qp(encoded) == content + b"\r\n" + content


def test_many_parts_are_converted_in_linear_time() -> None:
    fields = b"X: y\r\n" * 9000
    parts = b"".join(b"--b\r\n\r\n\0\r\n" for _ in range(9000))
    data = (
        b"Content-Type: multipart/mixed; boundary=b\r\n" + fields + b"\r\n" + parts + b"--b--\r\n"
    )
    began = time.process_time()
    assert leaves(converted(data)) == [b"\0"] * 9000
    assert time.process_time() - began < 5
