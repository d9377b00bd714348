"""Tests of twisted_mail.control.examples."""

import json
from pathlib import Path

import pytest

from twisted_mail.control import examples
from twisted_mail.control.main import main

ETC = Path(__file__).parents[2] / "etc"


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("example", "mail.toml"),
        ("minimal", "minimal.toml"),
        ("unit", "twisted-mail.service"),
        ("sockets", "twisted-mail.sockets"),
    ],
)
def test_an_example_is_printed_as_it_stands(
    word: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", word]) == 0
    assert capsys.readouterr().out == (ETC / name).read_text()


def test_programs_get_the_text_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--json", "config", "minimal"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["text"] == (ETC / "minimal.toml").read_text()


def test_what_was_not_installed_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(examples, "INSTALLED", tmp_path)
    monkeypatch.setattr(examples, "CHECKOUT", tmp_path)
    assert main(["config", "example"]) == 1
    assert "mail.toml was not installed" in capsys.readouterr().err
