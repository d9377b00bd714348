"""Base names by age."""

from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.store.format import filename
from twisted_mail.store.format.filename import Namer, NameSeries, by_age


def test_base_names_are_sorted_by_the_numbers_they_begin_with() -> None:
    ages = [
        b"1000000000.M5P1.host",
        b"1000000000.M12P1.host",
        b"1000000000.M12P1Q2.host",
        b"1000000000.M12P1Q10.host",
        b"1000000001.M1P1.host",
        b"1700000000.a",
    ]
    assert by_age(reversed(ages)) == ages


def test_names_of_other_lengths_are_sorted_too() -> None:
    assert by_age([b"1000000000.a", b"9.a", b"10.a"]) == [b"9.a", b"10.a", b"1000000000.a"]
    assert by_age([b"67890.", b"12345"]) == [b"12345", b"67890."]


numbers = st.integers(0, 3)
names = st.tuples(st.integers(1_000_000_000, 1_000_000_003), numbers, numbers)


@given(st.lists(names, unique=True))
def test_usual_names_are_in_the_order_of_their_numbers(some: list[tuple[int, int, int]]) -> None:
    written = [b"%d.M%dP%d.host" % one for one in some]
    assert by_age(written) == [b"%d.M%dP%d.host" % one for one in sorted(some)]


def test_letters_end_at_a_comma_and_are_those_of_the_second_version() -> None:
    assert filename.letters(b"c:2,FS,x,S=3") == "FS"
    assert filename.letters(b"c:2,") == filename.letters(b"n") == ""
    assert filename.letters(b"c:1,FS") == ""


def test_the_names_of_a_series_are_its_own_and_in_the_order_in_which_they_were_made() -> None:
    namer = Namer("host")
    series, other = namer.series(1_900_000_000.5), namer.series(1_900_000_000.5)
    bases = [series.base(30, 31, b"1.x") for _ in range(12)]
    assert by_age(reversed(bases)) == bases
    assert {filename.sizes(base) for base in bases} == {(30, 31)}
    assert filename.email_id(bases[0]) == filename.email_id(b"1.x")
    assert all(NameSeries.named(series.name).has(base + b":2,S") for base in bases)
    assert not series.has(other.base(30, 31, b"1.x"))
