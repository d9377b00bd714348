from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.directory.editing.account_import import read_accounts


def texts(line: str) -> list[str]:
    return [mistake.text for mistake in read_accounts([line])[1]]


def test_comments_and_empty_lines_are_passed_over() -> None:
    assert read_accounts(["# a@b.example:{PLAIN}x", "", "   ", "\t"]) == ([], [])


def test_fields_of_passwd_files_are_passed_over() -> None:
    entries, mistakes = read_accounts(
        ["a@b.example:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=:1000:1000::/home/a"]
    )
    assert not mistakes
    assert entries[0].hash == "{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M="


def test_a_quoted_name_may_have_a_colon() -> None:
    entries, _ = read_accounts(['"a:b"@c.example:{PLAIN}x'])
    assert entries[0].address.local == "a:b"


def test_mistakes_name_their_lines() -> None:
    entries, mistakes = read_accounts(
        ["a@b.example:{PLAIN}x", "#", "A@B.example:{PLAIN}y", "nothing"]
    )
    assert [entry.line for entry in entries] == [1]
    assert [mistake.line for mistake in mistakes] == [3, 4]
    assert "line 1" in mistakes[0].text


def test_a_plain_password_with_a_colon_is_refused_rather_than_cut() -> None:
    assert "colon" in texts("a@b.example:{PLAIN}x:y")[0]


def test_mistakes_never_show_the_hash() -> None:
    assert "hunter2" not in texts("a@b.example:{SHA}hunter2!")[0]
    assert "hunter2" not in texts("a@b.example:hunter2")[0]


def test_a_very_long_line_is_a_mistake() -> None:
    assert texts("a@b.example:{PLAIN}" + "x" * 100_000) == ["the line is too long"]


@given(st.lists(st.text(max_size=60)))
def test_any_text_is_read(lines: list[str]) -> None:
    entries, mistakes = read_accounts(lines)
    assert len(entries) + len(mistakes) <= len(lines)
