import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.smtp.framing import BadLine, Flaw, Framer, parse_command

LIMIT, AUTH_LIMIT = 20, 40
OCTETS = st.lists(
    st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"AUTH ", b" " * 9, b"x" * 15, b"\0", b"\x16"])
)


def units(chunks: list[bytes], limit: int | None = None) -> list[bytes | BadLine]:
    framer = Framer(LIMIT, AUTH_LIMIT)
    found = []
    for chunk in chunks:
        framer.feed(chunk)
        while (unit := framer.next(limit)) is not None:
            found.append(unit)
        assert len(framer._buffer) - framer._at <= AUTH_LIMIT + 1
    return found


def test_lines_end_with_crlf() -> None:
    assert units([b"one\r\ntwo\r\n\r\nthr"]) == [b"one", b"two", b""]


def test_a_line_may_come_in_pieces() -> None:
    assert units([b"o", b"ne\r", b"\n", b"two\r\n"]) == [b"one", b"two"]


def flaws(stream: bytes) -> list[bytes | Flaw]:
    return [one.flaw if isinstance(one, BadLine) else one for one in units([stream])]


@pytest.mark.parametrize("line", [b"a\rb", b"\r", b"a\r", b"\ra", b"a\r\r"])
def test_a_cr_alone_is_named_and_what_follows_is_in_step(line: bytes) -> None:
    assert flaws(line + b"\r\nnext\r\n") == [Flaw.BARE, b"next"]


@pytest.mark.parametrize("end", [b"\n", b"\r\r\n", b"\rx\n"])
def test_each_line_that_ends_in_another_way_is_named(end: bytes) -> None:
    assert flaws(b"one" + end + b"two" + end + b"\n" + b"next\r\n") == [
        Flaw.BARE,
        Flaw.BARE,
        Flaw.BARE,
        b"next",
    ]


def test_an_lf_after_a_line_is_a_line_of_its_own() -> None:
    assert flaws(b"one\r\n\ntwo\r\n") == [b"one", Flaw.BARE, b"two"]


def test_a_nul_is_named() -> None:
    assert flaws(b"a\0b\r\n\0\nnext\r\n") == [Flaw.NUL, Flaw.NUL, b"next"]


def test_a_line_that_is_too_long_ends_with_any_lf() -> None:
    assert flaws(b"x" * 99 + b"\nnext\r\n") == [Flaw.LONG, b"next"]


def test_the_beginning_of_tls_is_named_at_its_first_octet() -> None:
    assert units([b"\x16", b"\x03\x01\0\0\r\nnext\r\n"]) == [BadLine(Flaw.TLS), b"next"]


def test_what_a_bad_line_begins_with_is_known() -> None:
    assert units([b"GET /\n", b"GET /" + b"x" * 99]) == [
        BadLine(Flaw.BARE, b"GET /"),
        BadLine(Flaw.LONG, b"GET /" + b"x" * (LIMIT - 5)),
    ]


def test_a_line_up_to_the_limit_is_a_line() -> None:
    assert units([b"x" * LIMIT + b"\r\n"]) == [b"x" * LIMIT]


def test_a_longer_line_is_named_and_skipped() -> None:
    assert flaws(b"x" * (LIMIT + 1) + b"\r\nnext\r\n") == [Flaw.LONG, b"next"]


def test_a_line_without_end_is_named_once_and_costs_no_memory() -> None:
    framer = Framer(LIMIT, AUTH_LIMIT)
    framer.feed(b"x" * 100)
    assert framer.next() == BadLine(Flaw.LONG, b"x" * LIMIT)
    for _ in range(1000):
        framer.feed(b"QUIT\r" * 100)
        assert framer.next() is None
        assert framer.is_empty
    framer.feed(b"\r\nnext\r\n")
    assert framer.next() == b"next"


def test_an_auth_line_may_be_longer() -> None:
    line = b"auth " + b"x" * (AUTH_LIMIT - 5)
    assert units([line + b"\r\n"]) == [line]
    assert flaws(line + b"x\r\n") == [Flaw.LONG]


def test_a_limit_for_one_line_stands_for_both() -> None:
    assert units([b"x" * 30 + b"\r\n"], limit=30) == [b"x" * 30]
    assert units([b"x" * 11 + b"\r\n"], limit=10) == [BadLine(Flaw.LONG, b"x" * 10)]


def test_take_returns_what_was_not_returned_as_lines() -> None:
    framer = Framer(LIMIT, AUTH_LIMIT)
    framer.feed(b"DATA\r\nmessage\r\n.\r\n")
    assert framer.next() == b"DATA"
    assert framer.take() == b"message\r\n.\r\n"
    assert framer.is_empty


def test_so_many_octets_may_be_taken_and_no_more() -> None:
    framer = Framer(LIMIT, AUTH_LIMIT)
    framer.feed(b"BDAT 4\r\n\r\n\r\nQUIT\r\n")
    assert framer.next() == b"BDAT 4"
    assert [framer.take_up_to(3), framer.take_up_to(1), framer.take_up_to(0)] == [
        b"\r\n\r",
        b"\n",
        b"",
    ]
    assert framer.next() == b"QUIT"
    assert framer.take_up_to(9) == b""
    assert framer.is_empty


@given(OCTETS, st.lists(st.integers(0, 200)), st.sampled_from([None, 10, 30]))
def test_any_split_gives_the_same_lines(
    parts: list[bytes], cuts: list[int], limit: int | None
) -> None:
    whole = b"".join(parts)
    ends = sorted({min(cut, len(whole)) for cut in cuts} | {0, len(whole)})
    chunks = [whole[start:end] for start, end in itertools.pairwise(ends)]
    single = [whole[at : at + 1] for at in range(len(whole))]
    assert units(chunks, limit) == units([whole], limit) == units(single, limit)


@given(st.lists(st.binary(max_size=LIMIT).filter(lambda line: not set(line) & {0, 10, 13, 22})))
def test_good_lines_come_back_as_they_are(good: list[bytes]) -> None:
    assert units([b"".join(line + b"\r\n" for line in good)]) == good


@given(OCTETS)
def test_every_lf_ends_a_line_that_is_answered(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    assert len(units([whole + b"\n"])) == whole.count(b"\n") + 1


@given(OCTETS)
def test_what_is_a_line_stood_between_line_ends_as_it_is(parts: list[bytes]) -> None:
    whole = b"".join(parts)
    for line, found in zip(whole.split(b"\n"), units([whole]), strict=False):
        assert isinstance(found, BadLine) or line == found + b"\r"


def test_what_was_returned_is_not_kept():
    framer = Framer(100, 200)
    framer.feed(b"NOOP\r\n" * 1000 + b"NO")
    while framer.next() is not None:
        pass
    assert framer._buffer == b"NO"


def test_of_a_bad_line_64_octets_are_kept() -> None:
    line = bytes(range(65, 91)) * 4
    for flaw, text in ((Flaw.LONG, line), (Flaw.BARE, b"a\rb" + line), (Flaw.NUL, b"\0" + line)):
        framer = Framer(80 if flaw is Flaw.LONG else 1000, 1000)
        framer.feed(text + b"\r\n")
        assert framer.next() == BadLine(flaw, text[:64])


def test_verbs_have_no_case_and_spaces_at_the_end_do_not_count() -> None:
    assert parse_command(b"noop") == (b"NOOP", b"")
    assert parse_command(b"QUIT \t ") == (b"QUIT", b"")
    assert parse_command(b"Mail FROM:<a@b>  ") == (b"MAIL", b"FROM:<a@b>")
    assert parse_command(b" \tnoop") == (b"NOOP", b"")
    assert parse_command(b"Mail\tFROM:<a@b>\tSIZE=1") == (b"MAIL", b"FROM:<a@b>\tSIZE=1")


@given(st.binary(max_size=60))
def test_any_line_has_a_verb_and_an_argument(line: bytes) -> None:
    verb, argument = parse_command(line)
    assert b" " not in verb
    assert verb in line.upper()
    assert argument in line
