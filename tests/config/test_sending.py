"""The section [sending] and the tables [[provider]]."""

from pathlib import Path

import pytest

from twisted_mail.config import Config, ConfigError, load
from twisted_mail.delivery.onward.providers import Provider
from twisted_mail.delivery.onward.settings import SendingSettings
from twisted_mail.smtp.dialogue.settings import DialogueTimes

BASE = (
    'hostname = "mail.example.org"\n'
    '[[listener]]\nservice = "smtp"\nendpoint = "tcp:25"\ntls = "none"\n'
)
PROVIDER = '[[provider]]\nname = "big"\nsuffixes = ["big.example"]\n'


def read(folder: Path, text: str) -> Config:
    (folder / "mail.toml").write_text(BASE + text)
    return load(folder / "mail.toml")


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    config = read(tmp_path, "")
    assert (config.sending, config.providers) == (SendingSettings(), ())


def test_they_are_read(tmp_path: Path) -> None:
    config = read(tmp_path, f'[sending]\nfamilies = "ipv4"\nidle = 3\n{PROVIDER}messages = 9\n')
    assert config.sending == SendingSettings(families="ipv4", idle=3.0)
    assert config.providers == (Provider("big", ("big.example",), messages=9),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PROVIDER + PROVIDER, "another provider is called 'big'"),
        (PROVIDER.replace("big.example", ".big.example"), "domain"),
        ('[provider]\nname = "x"\n', "begin each with [[provider]]"),
        ('[sending]\nrelay = "relay.example"\n', "not of the form"),
        ('[sending]\nfamilies = "ipv5"\n', "families"),
    ],
)
def test_mistakes_are_reported(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(tmp_path, text)
    (one,) = error.value.mistakes
    assert said in str(one)


def test_the_times_that_other_hosts_have(tmp_path: Path) -> None:
    config = read(tmp_path, "[sending_timeouts]\nend = 60\nslowest = 100\n")
    assert config.sending_timeouts == DialogueTimes(end=60.0, slowest=100)
    assert read(tmp_path, "").sending_timeouts == DialogueTimes()
    with pytest.raises(ConfigError, match="data, end must be more than 0"):
        read(tmp_path, "[sending_timeouts]\nend = 0\ndata = 0\n")
