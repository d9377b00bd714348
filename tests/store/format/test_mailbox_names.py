from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.ground import refused
from twisted_mail.mail.mailbox.entry import MailboxInfo
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.format import mailbox_names

level = st.text(st.sampled_from("ab"), min_size=1, max_size=2)
name = st.lists(level, min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize("written", ["INBOX", "inbox", "iNbOx"])
def test_inbox_is_one_name_in_any_case(written):
    assert mailbox_names.canonical(written) == "INBOX"
    assert mailbox_names.canonical(f"{written}/Sub") == "INBOX/Sub"


@pytest.mark.parametrize("written", ["inboxes", "a/inbox", "ınbox", "İnbox", "", "/inbox"])
def test_other_names_are_left_alone(written):
    assert mailbox_names.canonical(written) == written


def test_a_new_name_is_canonical():
    assert mailbox_names.new("inbox/x") == "INBOX/x"


@pytest.mark.parametrize(
    "good",
    [
        "x" * 255,
        "/".join("abcdefghijklmnopqrst"),
        "/".join(["x" * 199] * 5),
        "ä" * 127,
        ". .",
        "\u2028",
    ],
)
def test_names_up_to_the_bounds_are_allowed(good):
    assert mailbox_names.new(good) == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "/",
        "a/",
        "/a",
        "a//b",
        "x" * 256,
        "ä" * 128,
        "/".join("a" * 21),
        "/".join(["x" * 200] * 5),
    ],
)
def test_names_beyond_the_bounds_are_refused(bad):
    with refused("CANNOT"):
        mailbox_names.new(bad)


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        ("a//b", "A mailbox name has no empty level."),
        ("a\0", "A mailbox name has no control characters."),
        ("/".join("a" * 21), "A mailbox name has at most 20 levels."),
        ("x" * 256, "The mailbox name is too long."),
    ],
)
def test_it_is_said_why_a_name_is_refused(bad, text):
    with refused("CANNOT", text):
        mailbox_names.new(bad)


@pytest.mark.parametrize("letter", [*map(chr, range(32)), "\x7f", "\x80", "\x9f", "\ud800"])
def test_control_characters_and_surrogates_are_refused(letter):
    with refused("CANNOT"):
        mailbox_names.new(f"a{letter}b")


@given(st.text())
def test_a_name_that_was_new_is_left_as_it_is(text):
    with suppress(Refused):
        assert mailbox_names.new(mailbox_names.new(text)) == mailbox_names.new(text)


def test_levels_of_others_make_a_name():
    assert mailbox_names.of_levels(["a/b", "", "c\td"]) == "a_b/_/c_d"


def test_uses_are_spelled_as_usual():
    assert mailbox_names.use("\\sent") == "\\Sent"
    assert mailbox_names.use("") == ""
    with refused("USEATTR", "No mailbox can have this special use."):
        mailbox_names.use("\\Important")


def test_levels_above_come_highest_first():
    assert mailbox_names.above("a/b/c") == ["a", "a/b"]
    assert mailbox_names.above("a") == []


def test_names_below_are_below_by_level_and_not_by_letter():
    assert [*mailbox_names.below("a", ["a", "ab", "a/b", "a/b/c", "b/a"])] == ["a/b", "a/b/c"]


@given(st.sets(name, max_size=8), name, name)
def test_a_rename_leaves_as_many_mailboxes_and_can_be_done_one_by_one(mailboxes, old, new):
    try:
        pairs = mailbox_names.renamed(old, new, mailboxes)
    except Refused:
        return
    left = {*mailboxes}
    for before, after in pairs:
        left.remove(before)
        assert after not in left
        left.add(after)
        assert after == new + before[len(old) :]
    assert len(left) == len(mailboxes)


@pytest.mark.parametrize(
    ("old", "new", "condition", "text"),
    [
        ("c", "d", "NONEXISTENT", "There is no such mailbox."),
        ("a", "a", "ALREADYEXISTS", "There is a mailbox of this name already."),
        ("a", "b", "ALREADYEXISTS", "There is a mailbox of this name already."),
        ("a", "b/c", "ALREADYEXISTS", "There is a mailbox of this name already."),
        ("a", "a/x", "CANNOT", "A mailbox cannot be put into itself."),
        ("a", "/".join(["x" * 199] * 5), "CANNOT", "The mailbox name is too long."),
    ],
)
def test_it_is_said_why_a_mailbox_is_not_renamed(old, new, condition, text):
    with refused(condition, text):
        mailbox_names.renamed(old, new, ["a", "a/d", "b", "b/c/d"])


def test_the_list_has_mailboxes_levels_above_and_subscriptions():
    assert mailbox_names.list_mailboxes({"b/c": "\\Sent", "a": ""}, {"a", "gone/away"}) == [
        MailboxInfo("a", "", True, True),
        MailboxInfo("b", "", False, False),
        MailboxInfo("b/c", "\\Sent", False, True),
        MailboxInfo("gone/away", "", True, False),
    ]
