import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.config.documents import lines_of, read

TEXT = '''\
hostname = "x"  # 1
text = """
hostname = "inside a text"
[not.a.header]
"""
[imap]
errors = 3

[[listener]]
service = "smtp"
[[listener]] # second
  "service" = "imap"
  [listener.more]
  deep.er = 1
[a . b]
c=1
'''


def test_lines_of_headers_and_keys_are_found() -> None:
    tomllib.loads(TEXT)
    lines = lines_of(TEXT)
    assert lines["hostname",] == 1
    assert lines["imap",] == 6
    assert lines["imap", "errors"] == 7
    assert lines["listener", 0] == 9
    assert lines["listener", 0, "service"] == 10
    assert lines["listener", 1] == 11
    assert lines["listener", 1, "service"] == 12
    assert lines["listener", 1, "more"] == 13
    assert lines["listener", 1, "more", "deep", "er"] == 14
    assert lines["a", "b", "c"] == 16


@given(st.text(alphabet="[]=.\"'#a1 \n", max_size=200))
def test_any_text_is_read(text: str) -> None:
    assert all(1 <= line <= len(text.splitlines()) for line in lines_of(text).values())


def test_hostile_lines_take_no_time() -> None:
    hostile = "[" * 100_000 + "\n" + "a." * 100_000 + "\n" + " " * 100_000 + "x\n" + '"' * 100_002
    lines = lines_of(hostile + "\n[a]\nb = 1\n")
    assert (lines["a",], lines["a", "b"]) == (5, 6)


def test_later_files_add_and_override(tmp_path: Path) -> None:
    folder = tmp_path / "mail.toml.d"
    folder.mkdir()
    (tmp_path / "mail.toml").write_text("a = 1\n[s]\nb = 2\nc = [1]\n[[listener]]\nd = 1\n")
    (folder / "20.toml").write_text("[[listener]]\nd = 3\n[s]\nc = [2]\n")
    (folder / "10.toml").write_text("a = 2\n[[listener]]\nd = 2\n")
    (folder / "not.txt").write_text("nonsense")
    document, mistakes = read(tmp_path / "mail.toml")
    assert not mistakes
    assert document.values == {
        "a": 2,
        "s": {"b": 2, "c": [2]},
        "listener": [{"d": 1}, {"d": 2}, {"d": 3}],
    }
    assert document.lines["a",] == (folder / "10.toml", 1)
    assert document.lines["s", "b"] == (tmp_path / "mail.toml", 3)
    assert document.lines["listener", 2, "d"] == (folder / "20.toml", 2)


@pytest.mark.parametrize("value", ["1" * 5000, "[" * 5000 + "]" * 5000, "{a=" * 5000])
def test_values_that_python_cannot_read_are_mistakes(tmp_path: Path, value: str) -> None:
    (tmp_path / "mail.toml").write_text(f"a = {value}\n")
    _, [mistake] = read(tmp_path / "mail.toml")
    assert "too deep" in mistake.text


def test_files_that_are_no_toml_are_named_with_the_line(tmp_path: Path) -> None:
    (tmp_path / "mail.toml.d").mkdir()
    (tmp_path / "mail.toml").write_text("a = 1\nb = \n")
    (tmp_path / "mail.toml.d" / "x.toml").write_bytes(b"a = '\xff'")
    _, mistakes = read(tmp_path / "mail.toml")
    assert [(mistake.file.name, mistake.line) for mistake in mistakes] == [
        ("mail.toml", 2),
        ("x.toml", 0),
    ]


def test_a_missing_file_is_a_mistake(tmp_path: Path) -> None:
    _, mistakes = read(tmp_path / "none.toml")
    assert "No such file" in str(mistakes[0])


def mistake_of(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mail.toml"
    path.write_text(text)
    _, (mistake,) = read(path)
    return str(mistake).removeprefix(str(path))


@pytest.mark.parametrize(
    ("line", "key", "example"),
    [
        ("tls = implicit", "tls", 'tls = "implicit"'),
        ("  tls=implicit # TLS at once", "tls", 'tls = "implicit"'),
        ("endpoint = tcp:143", "endpoint", 'endpoint = "tcp:143"'),
        ("state = /var/lib/mail", "state", 'state = "/var/lib/mail"'),
        ("log.file = trueish", "log.file", 'log.file = "trueish"'),
        ("on = True", "on", 'on = "True"'),
    ],
)
def test_a_text_without_quotes_is_named_with_its_key(
    tmp_path: Path, line: str, key: str, example: str
) -> None:
    assert mistake_of(tmp_path, f"a = 1\n{line}\nb = 2\n") == (
        f":2: {key}: a text needs quotes, as in {example} (true, false and numbers need none)"
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("words = [a, b]", ":2: words: Invalid value"),
        ("size = 10MB", ":2: size: Expected newline or end of document after a statement"),
        ("a = true", ":2: a: Cannot overwrite a value"),
        ("size = ", ":2: size: Invalid value"),
        ("[table", ":2: Expected ']' at the end of a table declaration"),
        ("x = a'b", ":2: x: Invalid value"),
        (f"x = {'a' * 100}", ":2: x: Invalid value"),
        ("x = \x1b[2J", ":2: x: Invalid value"),
        ("nonsense", ":2: Expected '=' after a key in a key/value pair"),
    ],
)
def test_other_mistakes_of_toml_have_its_words(tmp_path: Path, line: str, words: str) -> None:
    assert mistake_of(tmp_path, f"a = 1\n{line}\nb = 2\n") == words


def test_a_file_that_ends_too_early_is_named(tmp_path: Path) -> None:
    assert mistake_of(tmp_path, "a =") == ": Invalid value (at end of document)"


@given(st.text(alphabet="[]=.\"'#a1 \n\r\x0b\x85", max_size=60))
def test_any_text_that_is_no_toml_is_one_mistake(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_bytes(text.encode())
    _, mistakes = read(path)
    assert len(mistakes) <= 1


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "mail.toml"
    path.write_bytes(b"\xef\xbb\xbfhostname = 'mail.example.org'\r\nstate = 'x'\r\n")
    document, mistakes = read(path)
    assert (document.values, mistakes) == ({"hostname": "mail.example.org", "state": "x"}, [])
    assert document.lines[("hostname",)] == (path, 1)
