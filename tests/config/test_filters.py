from dataclasses import dataclass

import pytest

from tests.config.test_reader import GOOD, LISTENER, PROTOCOLS
from twisted_mail.config import ConfigError, load


@dataclass(frozen=True, slots=True)
class Settings:
    minutes: int = 5


class Plugin:
    settings = Settings


def loaded(tmp_path, text):
    path = tmp_path / "mail.toml"
    path.write_text(GOOD + LISTENER + text)
    return load(path, PROTOCOLS, lambda: {"greylist": Plugin, "milter": Plugin}).filters


def mistakes(tmp_path, text):
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    return [f"{one.place}: {one.text}" for one in caught.value.mistakes]


def test_filters_are_asked_in_the_order_of_the_tables(tmp_path):
    first, second = loaded(
        tmp_path,
        """
[[filter]]
kind = "milter"
name = "opendkim"
services = ["smtp", "imap"]
seconds = 30
when_failed = "defer"

[[filter]]
kind = "greylist"
minutes = 10
""",
    )
    assert (first.name, first.services, first.seconds) == ("opendkim", ("smtp", "imap"), 30)
    assert (first.when_failed, first.settings) == ("defer", Settings())
    assert (second.name, second.services, second.settings) == ("greylist", ("smtp",), Settings(10))


def test_without_tables_there_are_none(tmp_path):
    assert loaded(tmp_path, "") == ()


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ('kind = "greylst"', "there is no kind of filter 'greylst'; did you mean 'greylist'?"),
        ('kind = "greylist"\nminuts = 3', "there is no such option; did you mean 'minutes'?"),
        (
            'kind = "greylist"\nservices = ["smpt"]',
            "there is no service 'smpt'; did you mean 'smtp'?",
        ),
        ("minutes = 3", "is missing"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path, text, mistake):
    (found,) = mistakes(tmp_path, f"\n[[filter]]\n{text}\n")
    assert found.startswith("filter[1]")
    assert mistake in found


def test_two_filters_need_two_names(tmp_path):
    table = '\n[[filter]]\nkind = "milter"\n'
    (found,) = mistakes(tmp_path, table * 2)
    assert found == "filter[2]: another filter is called 'milter'; give it a name"
