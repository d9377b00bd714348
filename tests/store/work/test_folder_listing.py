"""Listings of folders whose names other programs chose."""

from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.store.disk.calls import Disk
from twisted_mail.store.disk.faults import DiskFaults
from twisted_mail.store.format import filename
from twisted_mail.store.format.filename import Namer
from twisted_mail.store.tree.folder import Folder
from twisted_mail.store.work.folder_listing import list_plainly, list_some
from twisted_mail.testing.doubles import StillClock


class Names(Disk):
    """A disk with these names in every folder."""

    def __init__(self, names: list[bytes]) -> None:
        self._names = names

    def files(self, path: bytes) -> list[bytes]:
        return list(self._names)


def tails(names: list[bytes]) -> dict[bytes, bytes]:
    folder = Folder(Names(names), StillClock(1.0), Namer("host"), b"/maildir", b"", DiskFaults())
    return list_some(folder, b"cur").tails


letters = st.sampled_from([b"c", b"1", b":", b"2", b","])
strange = st.builds(lambda first, rest: first + b"".join(rest), letters, st.lists(letters))
usual = st.integers(0, 99).map(lambda number: b"%d.host:2,S" % number)
names = st.one_of(strange, usual).filter(filename.is_listable)


@given(st.lists(names, unique_by=lambda name: filename.split(name)[0]))
def test_every_name_is_split_at_its_first_colon(some: list[bytes]) -> None:
    parts = map(filename.split, some)
    assert tails(some) == {base: b"c" + rest for base, rest in parts}


def test_names_are_listed_in_order() -> None:
    assert list(tails([b"3:2,", b"1:2,S", b"2:2,"])) == [b"1", b"2", b"3"]


@given(st.lists(names, unique_by=lambda name: filename.split(name)[0]))
def test_a_plain_listing_says_the_same_as_any_other(some: list[bytes]) -> None:
    folder = Folder(Names(some), StillClock(1.0), Namer("host"), b"/maildir", b"", DiskFaults())
    found = list_plainly(folder)
    parts = [filename.split(name) for name in sorted(some)]
    assert list(zip(*found, strict=True)) == [
        (base, place + rest) for place in (b"n", b"c") for base, rest in parts
    ]
