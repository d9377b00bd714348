import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from twisted_mail.control import filter_kinds, main


@dataclass(frozen=True, slots=True)
class Inner:
    zone: str
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Settings:
    mode: Literal["a", "b"] = "a"
    file: Path = Path("x")
    lists: tuple[Inner, ...] = ()
    words: list[str] = field(default_factory=lambda: ["one"])


class Odd:
    help = "Does something odd."
    settings = Settings


@pytest.fixture
def run(capsys, monkeypatch):
    def run(*words):
        code = main.main(["filters", *words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_every_kind_is_listed_with_its_options(run):
    code, out, _ = run()
    assert code == 0
    for kind in ("greylist", "dns-list", "rates", "hello", "reverse-name", "sender-domain"):
        assert f"\n{kind}\n" in f"\n{out}"
    assert "    delay = 60\n" in out
    assert '        of = "address"  # or "hello", "sender", "reverse-name"\n' in out
    assert '        of = needed  # "connections", "messages", "recipients", "octets"\n' in out
    assert '    missing = "refuse"  # or "accept", "quarantine", "defer"\n' in out


def test_one_kind_can_be_asked_for(run):
    _, out, _ = run("greylist")
    assert out.startswith("greylist\n    Asks those who are not known yet")
    assert "rates" not in out


def test_a_kind_that_is_not_there_is_named(run):
    code, _, err = run("gryelist")
    assert code == 1
    assert "there is no kind of filter 'gryelist'; known: account-limits" in err


def test_a_program_gets_the_same_as_json(run, monkeypatch):
    monkeypatch.setattr(filter_kinds, "filters", lambda: {"odd": Odd})
    _, out, _ = run("--json")
    assert json.loads(out) == {
        "ok": True,
        "filters": [
            {
                "kind": "odd",
                "help": "Does something odd.",
                "options": [
                    {"name": "mode", "default": "a", "words": ["a", "b"]},
                    {"name": "file", "default": "x"},
                    {
                        "name": "lists",
                        "default": [],
                        "tables": [{"name": "zone"}, {"name": "weight", "default": 1}],
                    },
                    {"name": "words", "default": ["one"]},
                ],
            }
        ],
    }


def test_what_has_no_default_is_needed(run, monkeypatch):
    monkeypatch.setattr(filter_kinds, "filters", lambda: {"odd": Odd})
    assert "        zone = needed\n" in run()[1]
