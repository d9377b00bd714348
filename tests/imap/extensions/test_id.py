import pytest

from tests.imap.talk import ImapFixture
from twisted_mail import __version__

OWN = f'* ID ("name" "twisted-mail" "version" "{__version__}")'


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
    assert lines == [OWN, "a OK ID completed."]


@pytest.mark.parametrize("state", ["before login", "after login"])
@pytest.mark.parametrize("form", ["quoted", "literals"])
def test_id_may_be_as_large_as_it_can_be(state: str, form: str) -> None:
    imap = ImapFixture()
    talk = imap.talk if state == "before login" else imap.inside
    fields = (f"field-{number:024}" for number in range(30))
    texts = [text for field in fields for text in (field, "v" * 1024)]
    if form == "quoted":
        values = " ".join(f'"{text}"' for text in texts)
    else:
        values = " ".join(f"{{{len(text)}+}}\r\n{text}" for text in texts)
    assert talk(f"a ID ({values})\r\n".encode(), b"b NOOP\r\n") == [
        OWN,
        "a OK ID completed.",
        "b OK NOOP completed.",
    ]


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
