"""Mistakes in the tables of the filters that come with the server."""

import pytest

from tests.config.test_reader import GOOD, LISTENER, PROTOCOLS
from twisted_mail.config import ConfigError, load


@pytest.mark.parametrize(
    ("table", "place", "text"),
    [
        (
            'kind = "dns-list"\nlists = [{ zone = "bl.example", replies = ["10.0.0.1"] }]',
            "filter[1].lists[1]",
            "'10.0.0.1' is not an answer of a list",
        ),
        ('kind = "dns-list"\nlists = [{ weight = 2 }]', "filter[1].lists[1].zone", "is missing"),
        (
            'kind = "rates"\nrates = [{ of = "mesages", each = "address", number = 1 }]',
            "filter[1].rates[1].of",
            "did you mean 'messages'?",
        ),
        ('kind = "greylist"\ntrusted = ["192.0.2.1/24"]', "filter[1]", "is not a network"),
        ('kind = "greylist"\ndelay = "60"', "filter[1].delay", "must be a number"),
        ('kind = "hello"\nstage = "connect"', "filter[1]", "stage must be 'hello' or later"),
        ('kind = "concurrency"\naddress = -1', "filter[1].address", "must not be negative"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path, table, place, text):
    path = tmp_path / "mail.toml"
    path.write_text(f"{GOOD}{LISTENER}\n[[filter]]\n{table}\n")
    with pytest.raises(ConfigError) as caught:
        load(path, PROTOCOLS | {"smtp": PROTOCOLS["imap"]})
    (mistake,) = caught.value.mistakes
    assert mistake.place == place
    assert text in mistake.text
