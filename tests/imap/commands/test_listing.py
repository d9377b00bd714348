import pytest

from tests.imap.talk import ImapFixture
from twisted_mail.mail.outcome import MailError, Refused, Unavailable
from twisted_mail.testing.doubles import finish


def house_of(*names: str, subscribed: tuple[str, ...] = ()) -> ImapFixture:
    imap = ImapFixture()
    for name in ("Archive", "Drafts", "Junk", "Sent", "Trash"):
        finish(imap.account.delete(name))
        finish(imap.account.subscribe(name, False))
    for name in names:
        finish(imap.account.create(name))
    for name in subscribed:
        finish(imap.account.subscribe(name, True))
    return imap


def test_the_separator_is_asked_for_with_an_empty_pattern() -> None:
    assert ImapFixture().inside('a LIST "" ""')[0] == '* LIST (\\Noselect) "/" ""'
    assert ImapFixture().inside('a LIST foo ""')[0] == '* LIST (\\Noselect) "/" ""'


def test_levels_without_a_mailbox_are_shown() -> None:
    imap = house_of("a/b")
    finish(imap.account.delete("a"))
    assert imap.inside('a LIST "" %') [:-1] == [
        '* LIST (\\HasNoChildren) "/" INBOX',
        '* LIST (\\Noselect \\HasChildren) "/" a',
    ]  # fmt: skip


def test_names_that_are_only_subscribed_to_are_not_mailboxes() -> None:
    imap = house_of(subscribed=("gone/far",))
    assert imap.inside('a LIST "" *')[:-1] == ['* LIST (\\HasNoChildren) "/" INBOX']
    assert imap.inside('a LIST (SUBSCRIBED) "" gone*')[:-1] == [
        '* LIST (\\NonExistent \\HasNoChildren \\Subscribed) "/" gone/far'
    ]


def test_lsub_shows_levels_that_percent_does_not_reach_below() -> None:
    imap = house_of("a", "a/b", "c", subscribed=("a/b", "c", "d/e/f"))
    assert imap.inside('a LSUB "" %')[:-1] == [
        '* LSUB () "/" INBOX',
        '* LSUB (\\Noselect) "/" a',
        '* LSUB () "/" c',
        '* LSUB (\\Noselect) "/" d',
    ]
    assert imap.inside('a LSUB "" d/%')[:-1] == ['* LSUB (\\Noselect) "/" d/e']
    assert imap.inside('a LSUB "d/" "*"')[:-1] == ['* LSUB (\\Noselect) "/" d/e/f']


def test_recursivematch_shows_parents_of_what_is_chosen() -> None:
    imap = house_of("a/b", "c", subscribed=("a/b", "c"))
    assert imap.inside('a LIST (SUBSCRIBED RECURSIVEMATCH) "" %')[:-1] == [
        '* LIST (\\HasNoChildren \\Subscribed) "/" INBOX',
        '* LIST (\\HasChildren) "/" a ("CHILDINFO" ("SUBSCRIBED"))',
        '* LIST (\\HasNoChildren \\Subscribed) "/" c',
    ]


def test_recursivematch_leaves_out_what_is_shown_by_a_child() -> None:
    imap = house_of("a/b2", "c/d2", "c/e", subscribed=("a/b2", "c/d2", "c/e"))
    assert imap.inside('a LIST (SUBSCRIBED RECURSIVEMATCH) "" (a c *2)')[:-1] == [
        '* LIST (\\HasNoChildren \\Subscribed) "/" a/b2',
        '* LIST (\\HasChildren) "/" c ("CHILDINFO" ("SUBSCRIBED"))',
        '* LIST (\\HasNoChildren \\Subscribed) "/" c/d2',
    ]


def test_recursivematch_shows_levels_above_names_that_are_only_subscribed_to() -> None:
    imap = house_of(subscribed=("gone/far/away",))
    assert imap.inside('a LIST (SUBSCRIBED RECURSIVEMATCH) "" g%')[:-1] == [
        '* LIST (\\NonExistent \\HasNoChildren) "/" gone ("CHILDINFO" ("SUBSCRIBED"))'
    ]


@pytest.mark.parametrize(
    "options",
    ["RECURSIVEMATCH", "REMOTE RECURSIVEMATCH", "SPECIAL-USE RECURSIVEMATCH", "X-OTHER"],
)
def test_options_that_cannot_be_are_bad(options: str) -> None:
    assert ImapFixture().inside(f'a LIST ({options}) "" *')[-1].startswith("a BAD")


@pytest.mark.parametrize(
    "arguments", ['() "" ""', '"" ("")', '"" "" RETURN ()', '() INBOX ""', '"INBOX" ("" x)']
)
def test_an_empty_pattern_of_the_extended_form_matches_nothing(arguments: str) -> None:
    assert ImapFixture().inside(f"a LIST {arguments}") == ["a OK LIST completed."]


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (Refused("gone", "NONEXISTENT"), '* LIST (\\Noselect \\HasNoChildren) "/" a'),
        (Unavailable("The disk is away"), '* LIST (\\HasNoChildren) "/" a'),
    ],
    ids=["deleted meanwhile", "unavailable"],
)
def test_a_status_that_fails_is_left_out(
    error: MailError, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    imap = house_of("a")
    status = imap.account.status

    async def failing(name: str, has_size: bool) -> object:
        if name == "a":
            raise error
        return await status(name, has_size)

    monkeypatch.setattr(imap.account, "status", failing)
    lines = imap.inside('a LIST "" % RETURN (STATUS (MESSAGES))')
    assert lines[:-1] == [
        '* LIST (\\HasNoChildren) "/" INBOX',
        "* STATUS INBOX (MESSAGES 0)",
        shown,
    ]


def test_many_mailboxes_are_all_listed() -> None:
    imap = house_of(*(f"m{number}" for number in range(600)))
    assert len(imap.inside('a LIST "" m*')) == 601


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        '""',
        '"" * x',
        '"" * RETURN',
        '"" * RETURN (',
        '"" * RETURN (FOO)',
        '"" * RETURN (STATUS)',
        '"" * RETURN (STATUS (FOO))',
        '(FOO) "" *',
        '(RECURSIVEMATCH) "" *',
        '"" ()',
        '"" (a b',
        '"" (' + "a " * 200 + "a)",
        '"" ' + "a" * 5000,
    ],
)
def test_list_refuses_anything_else(arguments: str) -> None:
    [line] = ImapFixture().inside(f"a LIST {arguments}")
    assert line.startswith("a BAD")


@pytest.mark.parametrize(
    "line",
    ['LSUB "" * x', "LSUB", 'XLIST "" * RETURN ()', "STATUS INBOX", "STATUS INBOX ()", "NAMESPACE x",
     "STATUS INBOX (MESSAGES", "STATUS INBOX (MESSAGES) x", "STATUS INBOX (COLOUR)"],
)  # fmt: skip
def test_the_others_refuse_it_too(line: str) -> None:
    [answer] = ImapFixture().inside(f"a {line}")
    assert answer.startswith("a BAD")


def test_many_long_patterns_are_refused_together() -> None:
    pattern = "%a" * 500
    imap = house_of()
    lines = imap.inside(f't LIST "" ({pattern} {pattern} {pattern} {pattern})')
    assert lines[-1].startswith("t OK")
    lines = house_of().inside(f't LIST "" ({pattern} {pattern} {pattern} {pattern} a)')
    assert lines[-1] == "t BAD The patterns are too long"


def test_status_counts() -> None:
    imap = ImapFixture()
    imap.put()
    imap.put("\\Seen")
    lines = imap.inside("a STATUS inbox (MESSAGES MESSAGES RECENT UIDNEXT UNSEEN)")
    assert lines[0] == "* STATUS INBOX (MESSAGES 2 RECENT 2 UIDNEXT 3 UNSEEN 1)"


def test_google_had_other_names() -> None:
    lines = ImapFixture().inside('a XLIST "" *')
    assert '* XLIST (\\HasNoChildren \\Spam) "/" Junk' in lines
    assert '* XLIST (\\HasNoChildren \\Inbox) "/" INBOX' in lines


def test_all_names_are_the_account_s_own() -> None:
    assert ImapFixture().inside("a NAMESPACE")[0] == '* NAMESPACE (("" "/")) NIL NIL'


def test_a_level_is_shown_once() -> None:
    imap = house_of(subscribed=("d/e", "d/f"))
    assert imap.inside('a LSUB "" d%')[:-1] == ['* LSUB (\\Noselect) "/" d']
