import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.ground import refused
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.format import layout, mailbox_names

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
LEVEL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)


@given(TEXT | st.from_regex(r"[a-z./\\~@%]{0,12}", fullmatch=True))
def test_an_account_lies_two_levels_below_the_root(account: str) -> None:
    path = layout.account_path(b"/root", account)
    parts = path.split(b"/")
    assert os.path.normpath(path) == path
    assert parts[:2] == [b"", b"root"]
    assert len(parts) == 4
    assert not any(part in (b"", b".", b"..") for part in parts[1:])
    assert all(len(part) <= layout.MAX_FILE_NAME for part in parts)


@given(TEXT)
def test_an_account_is_known_by_its_folder(account: str) -> None:
    domain, local = layout.account_path(b"/root", account).split(b"/")[-2:]
    if not (domain.startswith(b"%h-") or local.startswith(b"%h-")):
        assert layout.account_name(domain, local) == account


def test_usual_addresses_are_readable_on_disk() -> None:
    assert layout.account_path(b"/m", "bob.b+x@example.org") == b"/m/example.org/bob.b+x"


def test_capitals_dots_and_slashes_are_encoded() -> None:
    assert layout.account_path(b"/m", "../Bob@..") == b"/m/%2e./%2e.%2f%42ob"


def test_an_account_without_domain_has_a_folder_of_its_own() -> None:
    assert layout.account_path(b"/m", "bob") == b"/m/%/bob"
    assert layout.account_path(b"/m", "bob@") == b"/m/%-/bob"


def test_long_names_are_hashed_and_stay_different() -> None:
    one, two = (layout.account_path(b"/m", "x" * 300 + end + "@example.org") for end in "ab")
    assert one != two
    assert layout.account_name(*one.split(b"/")[-2:]) is None


@given(
    st.lists(LEVEL | st.from_regex(r"[.~\\&%2e5c]{1,6}", fullmatch=True), min_size=1, max_size=4)
)
def test_mailbox_names_round_trip(levels: list[str]) -> None:
    name = mailbox_names.canonical("/".join(level.replace("/", "") or "x" for level in levels))
    try:
        folder = layout.folder_name(name)
    except Refused:
        return
    assert layout.mailbox_name(folder) == name
    assert b"/" not in folder
    assert b".." not in folder


@given(
    st.lists(st.from_regex(r"[a-z\\257ecf0%* ][a-z\\~257ecf0%* ]{0,8}", fullmatch=True), min_size=1)
)
def test_every_folder_of_dovecot_is_a_mailbox(levels: list[str]) -> None:
    folder = "".join("." + level for level in levels[:4]).encode()
    name = layout.mailbox_name(folder)
    assert name is not None or folder.lower().startswith(b".inbox")
    assert name is None or layout.folder_name(name) == folder


@given(st.binary(max_size=40))
def test_any_folder_is_one_mailbox_or_none(junk: bytes) -> None:
    name = layout.mailbox_name(b"." + junk)
    assert name is None or layout.folder_name(name) == b"." + junk


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("INBOX", b""),
        ("inbox", b""),
        ("Inbox/a", b".INBOX.a"),
        ("Sent/2024", b".Sent.2024"),
        ("a.b", rb".a\2eb"),
        ("~root", rb".\7eroot"),
        ("~root/~root", rb".\7eroot.\7eroot"),
        ("a~b", b".a~b"),
        ("a\\b", rb".a\b"),
        (r"a\2fb", rb".a\2fb"),
        (r"a\5cb", rb".a\5cb"),
        (r"a\2eb", rb".a\5c2eb"),
        (r"a\5c2eb", rb".a\5c5c2eb"),
        (r"a\.b", rb".a\\2eb"),
        (r"\7eb", rb".\5c7eb"),
        (r"a\7eb", rb".a\7eb"),
        ("Entwürfe", b".Entw&APw-rfe"),
        ("R&D", b".R&-D"),
    ],
)
def test_folders_are_those_of_dovecot(name: str, folder: bytes) -> None:
    assert layout.folder_name(name) == folder
    assert layout.mailbox_name(folder) == mailbox_names.canonical(name)


@pytest.mark.parametrize("folder", [b".", b"..", b"..x", b".a..b", b".INBOX", b".inbox.a", b".a&b"])
def test_folders_that_are_no_mailboxes_are_passed_over(folder: bytes) -> None:
    assert layout.mailbox_name(folder) is None


@pytest.mark.parametrize("name", ["", "/", "a//b", "/a", "a/", "x" * 255])
def test_names_that_are_empty_or_too_long_are_refused(name: str) -> None:
    with refused("CANNOT", "The mailbox name is empty or too long."):
        layout.folder_name(name)


def test_a_name_that_is_no_text_is_refused() -> None:
    with refused("CANNOT", "The mailbox name is not Unicode."):
        layout.folder_name("\udc80")


def test_a_folder_may_have_a_name_as_long_as_file_names_are() -> None:
    assert layout.folder_name("x" * 254) == b"." + b"x" * 254


def test_of_an_account_200_octets_are_written_as_they_are() -> None:
    for local, is_plain in (("x" * 200, True), ("x" * 201, False)):
        name = layout.account_path(b"/m", local).split(b"/")[-1]
        assert (name == local.encode()) is is_plain
