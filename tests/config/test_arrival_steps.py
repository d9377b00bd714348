from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.config.test_reader import GOOD, LISTENER
from twisted_mail import plugin
from twisted_mail.config import ArrivalStepConfig, ConfigError, load
from twisted_mail.plugin import BuiltinArrivalStep


@dataclass(frozen=True, slots=True)
class Settings:
    key: str = "default"


def make(settings: Any, backend: Any) -> Any:
    return None


KINDS = {
    "sign": BuiltinArrivalStep("sign", "Signs.", Settings, make, before="accept"),
    "hide": BuiltinArrivalStep("hide", "Hides.", Settings, make, after="bcc"),
    "late": BuiltinArrivalStep("late", "Comes late.", Settings, make, after="answer"),
}


@pytest.fixture(autouse=True)
def kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "arrival_steps", lambda: KINDS)


def loaded(folder: Path, text: str) -> Sequence[ArrivalStepConfig]:
    path = folder / "mail.toml"
    path.write_text(GOOD + LISTENER + text)
    return load(path).arrival_steps


def test_steps_come_in_the_order_of_the_tables(tmp_path: Path) -> None:
    text = """
[[arrival_step]]
kind = "sign"
services = ["submission", "smtp"]
key = "k1"

[[arrival_step]]
kind = "hide"
services = ["submission"]
"""
    assert loaded(tmp_path, text) == (
        ArrivalStepConfig("sign", ("submission", "smtp"), Settings("k1")),
        ArrivalStepConfig("hide", ("submission",), Settings()),
    )


def test_without_tables_there_are_none(tmp_path: Path) -> None:
    assert loaded(tmp_path, "") == ()


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ('kind = "sing"', "there is no kind of step 'sing'; did you mean 'sign'?"),
        ('kind = "sign"\nkay = "x"', "there is no such option; did you mean 'key'?"),
        (
            'kind = "sign"\nservices = ["imap"]',
            "there is no service 'imap' that takes mail in",
        ),
        ('kind = "hide"', "'hide' cannot stand after 'bcc': the steps are fault spool"),
        ('kind = "late"', "'late' cannot stand after 'answer'"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, mistake: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, f"\n[[arrival_step]]\n{text}\n")
    (found,) = caught.value.mistakes
    assert found.place.startswith("arrival_step[1]")
    assert mistake in found.text
