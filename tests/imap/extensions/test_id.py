import pytest

from tests.imap.talk import ImapFixture


@pytest.mark.parametrize(
    "arguments",
    [
        "NIL",
        "()",
        '("name" "sodr")',
        '("name" "sodr" "version" NIL)',
        "(" + " ".join(['"a" "b"'] * 30) + ")",
    ],
)
def test_id_takes_a_list_or_nil(arguments: str) -> None:
    lines = ImapFixture().talk(f"a ID {arguments}")
    assert lines == ['* ID ("name" "twisted-mail")', "a OK ID completed."]


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        '"name"',
        '("name")',
        '("name" "x"',
        "(NIL NIL)",
        '("' + "n" * 31 + '" "x")',
        '("name" "' + "n" * 1025 + '")',
        "(" + " ".join(['"a" "b"'] * 31) + ")",
    ],
)
def test_id_refuses_anything_else(arguments: str) -> None:
    [line] = ImapFixture().talk(f"a ID {arguments}")
    assert line.startswith("a BAD")


def test_a_server_may_keep_its_name_to_itself() -> None:
    assert ImapFixture(identity="").talk("a ID NIL")[0] == "* ID NIL"  # type: ignore[arg-type]
