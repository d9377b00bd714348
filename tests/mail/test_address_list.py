"""Tests of twisted_mail.mail.address_list."""

from email.utils import formataddr, getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail import address_list
from twisted_mail.mail.address_list import GROUP_END, HeaderAddress, parse


def one(
    local: bytes, domain: bytes | None, name: bytes | None = None, route: bytes | None = None
) -> HeaderAddress:
    return HeaderAddress(name, route, local, domain)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"", []),
        (b", ,,", []),
        (b"joe@example.org", [one(b"joe", b"example.org")]),
        (b"Joe <joe@a>", [one(b"joe", b"a", b"Joe")]),
        (b'"Doe, Joe" <joe@a>, <x@b>', [one(b"joe", b"a", b"Doe, Joe"), one(b"x", b"b")]),
        (b'"a \\"b\\" c" <joe@a>', [one(b"joe", b"a", b'a "b" c')]),
        (b'"John Doe"@a', [one(b"John Doe", b"a")]),
        (b"joe@[127.0.0.1]", [one(b"joe", b"[127.0.0.1]")]),
        (b"a=?utf-8?Q?J._D?= <j@a>", [one(b"j", b"a", b"a=?utf-8?Q?J._D?=")]),
        # RFC 5322 Appendix A.1.2, A.1.3, A.5, A.6.1
        (b"John Q. Public <j@a>", [one(b"j", b"a", b"John Q. Public")]),
        (
            b"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
            [
                one(b"A Group", None),
                one(b"c", b"a.test", b"Ed Jones"),
                one(b"joe", b"where.test"),
                one(b"jdoe", b"one.test", b"John"),
                GROUP_END,
            ],
        ),
        (b"Undisclosed recipients:;", [one(b"Undisclosed recipients", None), GROUP_END]),
        (
            b"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
            [one(b"pete", b"silly.test", b"Pete")],
        ),
        (b"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", None),
        (
            b"Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
            [
                one(b"mary", b"example.net", b"Mary Smith", b"@node.test"),
                one(b"jdoe", b"test.example"),
            ],
        ),
        (b"<@a,@b:joe@c>", [one(b"joe", b"c", None, b"@a,@b")]),
        (b"joe@a (Joe Doe)", [one(b"joe", b"a", b"Joe Doe")]),
        # what senders do
        (b"joe", [one(b"joe", b"")]),
        (b"<>", [one(b"", b"")]),
        (b"Joe <joe@a", [one(b"joe", b"a", b"Joe")]),
        (b"joe@a ann@b", [one(b"joe", b"a"), one(b"ann", b"b")]),
        (b"joe@a; ann@b", [one(b"joe", b"a"), one(b"ann", b"b")]),
        (b"<joe@a> junk, ann@b", [one(b"joe", b"a"), one(b"ann", b"b")]),
        (b"<joe@a> <ann@b>", [one(b"joe", b"a"), one(b"ann", b"b")]),
        (b"team: joe@a", [one(b"team", None), one(b"joe", b"a"), GROUP_END]),
        (b"joe@a@b", [one(b"joe", b"a@b")]),
        (b'"joe@a', [one(b"joe", b"a")]),
        (b'Joe "x <joe@a>, ann@b', [one(b"joe", b"a", b"Joe x"), one(b"ann", b"b")]),
        (b"Joe (x <joe@a>, ann@b", [one(b"joe", b"a", b"Joe (x"), one(b"ann", b"b")]),
        (
            b"Joe (x <joe(y)@a>, (z) ann@b (Ann)",
            [one(b"joe", b"a", b"Joe (x"), one(b"ann", b"b", b"Ann")],
        ),
        (b"joe@a (J\\(oe\\))", [one(b"joe", b"a", b"J(oe)")]),
        (b'"Joe"Doe <joe@a>', [one(b"joe", b"a", b"Joe Doe")]),
        (b'Joe"D"(x)Doe <joe@a>', [one(b"joe", b"a", b"Joe D Doe")]),
        (b'"J"."D".E@a', [one(b"J.D.E", b"a")]),
        (b"<joe doe@a . b c>", [one(b"joe doe", b"a.b c")]),
        (b"joe@a ( Joe  Doe )", [one(b"joe", b"a", b"Joe Doe")]),
        (b"Joe [x <joe@a>", [one(b"joe", b"a", b"Joe [x")]),
        (b'\\"Joe\\" <joe@a>', [one(b"joe", b"a", b'"Joe"')]),
        (b"joe@a <joe@a>", [one(b"joe", b"a", b"joe@a")]),
        (b"Info @ Shop Inc <joe@a>", [one(b"joe", b"a", b"Info @ Shop Inc")]),
        (
            b"'bob@a' <bob@a>, Ann @ b <ann@b>",
            [one(b"bob", b"a", b"'bob@a'"), one(b"ann", b"b", b"Ann @ b")],
        ),
        (b"Joe joe@a", [one(b"joe", b"a", b"Joe")]),
        (b'"Joe D" joe@a, x', [one(b"joe", b"a", b"Joe D"), one(b"x", b"")]),
        (b"Joe Doe", [one(b"", b"", b"Joe Doe")]),
        (b'"Joe"', [one(b"", b"", b"Joe")]),
        (b"joe . b @ a . c", [one(b"joe.b", b"a.c")]),
        (b"joe@a (Joe) ann@b (Ann)", [one(b"joe", b"a", b"Joe"), one(b"ann", b"b", b"Ann")]),
        (b"<joe@a> ann@b", [one(b"joe", b"a"), one(b"ann", b"b")]),
        (b"joe@a is mine", [one(b"joe", b"a")]),
        (b"Joe\t \tDoe <joe@a>", [one(b"joe", b"a", b"Joe Doe")]),
        (b"Joe (x)\tDoe <joe@a>", [one(b"joe", b"a", b"Joe Doe")]),
        (b"<@a>", [one(b"", b"a")]),
        (b"<mailto:joe@a>", [one(b"mailto:joe", b"a")]),
        (b"g: a:b@c;", [one(b"g", None), one(b"a:b", b"c"), GROUP_END]),
        (b"(x) joe@a", [one(b"joe", b"a")]),
        (b"(x) <joe(y)@a> (z)", [one(b"joe", b"a")]),
        (b"joe(x)@a(y)", [one(b"joe", b"a", b"y")]),
        (b": joe@a", [one(b"joe", b"a")]),
        (b"<<joe@a>>", [one(b"joe", b"a")]),
        (b"Jos\xe9 <j@a>", [one(b"j", b"a", b"Jos\xe9")]),
    ],
)
def test_lists_of_addresses_are_read(value: bytes, found: list[HeaderAddress] | None) -> None:
    if found is None:
        found = [one(b"Hidden recipients", None), GROUP_END]
    assert parse(value) == found


def test_the_number_of_correspondents_is_bounded() -> None:
    value = b"a@b," * (address_list.MAX_ADDRESSES + 5)
    assert len(parse(value)) == address_list.MAX_ADDRESSES


hostile = st.binary() | st.text('ab@<>,;:."\\()[] ', max_size=80).map(str.encode)


@given(hostile)
def test_any_octets_are_a_list(value: bytes) -> None:
    found = parse(value)
    assert len(found) <= len(value) + 1
    groups = [item for item in found if item.domain is None]
    assert all(item == GROUP_END for item in groups[1::2])
    assert all(item.local is not None and item != GROUP_END for item in groups[::2])
    assert len(groups) % 2 == 0


@pytest.mark.parametrize(
    "unit",
    [
        *(b"(", b'"\\"', b"<", b"@", b"a:", b"<@", b"[", b" ", b"a ", b"\\", b'"', b"(x)", b"a@b "),
        *(b"()(", b'""', b"[](", b'("', b"a@b(c) ", b"@ "),
    ],
)
def test_long_hostile_lists_are_read_in_one_pass(unit: bytes) -> None:
    # Each read moves on by at least one octet and never looks at one twice.
    reads = 0

    class Counting(address_list._AddressListReader):
        def read(self, value: bytes, position: int) -> int:
            nonlocal reads
            reads += 1
            after = super().read(value, position)
            assert after > position
            return after

    value = unit * 5000
    reader, position = Counting(), 0
    while position < len(value):
        position = reader.read(value, position)
    assert reads <= len(value)
    assert reader.finish() == parse(value)[: address_list.MAX_ADDRESSES]


@pytest.mark.parametrize("octet", range(256))
def test_every_octet_begins_a_token(octet: int) -> None:
    assert address_list._TOKEN.match(bytes([octet])) is not None


names = st.text('abc, ."\\(<é', max_size=12).map(lambda name: name.strip().replace("é", "e"))
specs = st.tuples(st.text("abc", min_size=1), st.text("xyz", min_size=1)).map("@".join)


@given(st.lists(st.tuples(names, specs), min_size=1))
def test_addresses_agree_with_the_standard_library(pairs: list[tuple[str, str]]) -> None:
    value = ", ".join(map(formataddr, pairs))
    ours = [
        (
            (item.name or b"").decode(),
            f"{(item.local or b'').decode()}@{(item.domain or b'').decode()}",
        )
        for item in parse(value.encode())
    ]
    theirs = getaddresses([value])
    assert [spec for _, spec in ours] == [spec for _, spec in theirs]
    # Several blanks between words without quotes are one, RFC 5322 §3.2.2.
    assert [" ".join(name.split()) for name, _ in ours] == [
        " ".join(name.split()) for name, _ in pairs
    ]
