from argparse import Namespace

from twisted_mail.control.store.mailbox_choice import chosen_mailboxes

NAMES = ["INBOX", "Lists/python", "Lists/twisted", "Sent"]


def chosen(only: list[str] | None = None, skip: list[str] | None = None) -> list[str]:
    return chosen_mailboxes(NAMES, Namespace(only=only, skip=skip))


def test_all_are_chosen_unless_something_else_is_said() -> None:
    assert chosen() == NAMES


def test_patterns_choose_and_skip() -> None:
    assert chosen(only=["Lists/*", "INBOX"]) == ["INBOX", "Lists/python", "Lists/twisted"]
    assert chosen(skip=["Lists/*"]) == ["INBOX", "Sent"]
    assert chosen(only=["Lists/*"], skip=["*/python"]) == ["Lists/twisted"]


def test_letter_case_counts() -> None:
    assert chosen(only=["inbox"]) == []
