import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest

from twisted_mail.config import (
    ArrivalStepConfig,
    Config,
    DnsSettings,
    FilterConfig,
    ListenerConfig,
    LoginSettings,
    LogSettings,
    ThreadSettings,
    TlsSettings,
    load,
)
from twisted_mail.delivery.onward.providers import Provider
from twisted_mail.delivery.onward.settings import SendingSettings
from twisted_mail.delivery.settings import AddressSettings
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.lists.settings import ListSettings
from twisted_mail.plugin import protocols
from twisted_mail.queue.program import Program
from twisted_mail.queue.reports.settings import ReportSettings
from twisted_mail.queue.settings import QueueSettings
from twisted_mail.smtp.dialogue.settings import DialogueTimes
from twisted_mail.store.settings import StoreSettings

ETC = Path(__file__).parents[2] / "etc"
PROTOCOLS: dict[str, Any] = protocols()


def written(section: str) -> dict[str, Any]:
    values = tomllib.loads((ETC / "mail.toml").read_text())[section]
    return values[0] if isinstance(values, list) else values


def names(kind: Any) -> set[str]:
    return {item.name for item in dataclasses.fields(kind)}


@pytest.mark.parametrize("file", ["mail.toml", "minimal.toml"])
def test_the_examples_have_no_mistakes(file: str) -> None:
    assert load(ETC / file).hostname == "mail.example.org"


@pytest.mark.parametrize(
    ("section", "kind"),
    [
        ("tls", TlsSettings),
        ("listener", ListenerConfig),
        ("log", LogSettings),
        ("threads", ThreadSettings),
        ("login", LoginSettings),
        ("addresses", AddressSettings),
        ("lists", ListSettings),
        ("queue", QueueSettings),
        ("sending", SendingSettings),
        ("sending_timeouts", DialogueTimes),
        ("reports", ReportSettings),
        ("passwords", PasswordSettings),
        ("store", StoreSettings),
        ("dns", DnsSettings),
        *(
            (name, plugin.settings)
            for name, plugin in PROTOCOLS.items()
            if name not in ("submission", "lmtp")
        ),
    ],
)
def test_every_option_is_explained(section: str, kind: Any) -> None:
    assert names(kind) - set(written(section)) == set(), f"add them to [{section}] of etc/mail.toml"


def test_the_first_listener_explains_every_option_of_listeners() -> None:
    text = (ETC / "mail.toml").read_text()
    assert all(f"# {name} " in text for name in names(ListenerConfig))


def test_the_file_explains_every_option_of_filters() -> None:
    text = (ETC / "mail.toml").read_text()
    assert all(f"# {name} " in text for name in names(FilterConfig) - {"settings"})


def test_the_file_explains_every_option_of_arrival_steps() -> None:
    text = (ETC / "mail.toml").read_text()
    section = text[: text.index("# [[arrival_step]]")].rpartition("\n\n")[2]
    assert all(f"# {name} " in section for name in names(ArrivalStepConfig) - {"settings"})


def test_the_file_explains_every_option_of_programs() -> None:
    text = (ETC / "mail.toml").read_text()
    assert all(f"# {name} " in text for name in names(Program))


def test_the_file_explains_every_option_of_providers() -> None:
    text = (ETC / "mail.toml").read_text()
    section = text[: text.index("# [[provider]]")].rpartition("\n\n")[2]
    assert all(f"# {name} " in section for name in names(Provider))


def test_options_of_submission_that_differ_are_explained() -> None:
    smtp, submission = (PROTOCOLS[name].settings() for name in ("smtp", "submission"))
    different = {
        name for name in names(submission) if getattr(smtp, name, None) != getattr(submission, name)
    }
    assert different <= set(written("submission"))


def test_every_option_has_its_default() -> None:
    config = load(ETC / "mail.toml")
    assert config.services == {name: plugin.settings() for name, plugin in PROTOCOLS.items()}
    assert config.passwords == PasswordSettings()
    assert config.store == StoreSettings()
    assert config.dns == DnsSettings()
    assert config.log == LogSettings()
    assert config.threads == ThreadSettings()
    assert config.login == LoginSettings()
    assert (config.addresses, config.lists) == (AddressSettings(), ListSettings())
    assert config.queue == QueueSettings()
    assert config.sending == SendingSettings()
    assert config.sending_timeouts == DialogueTimes()
    assert config.reports == ReportSettings()
    assert config.listeners[0] == ListenerConfig("smtp", "tcp:25")
    assert config.tls.folder == config.state / "tls"


def test_the_top_of_the_file_has_every_option() -> None:
    tables = {"listeners", "filters", "arrival_steps", "carriers", "programs", "providers"}
    own = names(Config) - {"path", "services"} - tables
    assert own <= set(tomllib.loads((ETC / "mail.toml").read_text()))


def test_the_unit_starts_the_server_the_documented_way() -> None:
    unit = (ETC / "twisted-mail.service").read_text()
    assert "twistd --nodaemon --pidfile= mailserver --config /etc/twisted-mail/mail.toml" in unit


def test_the_unit_lets_the_server_stay_on_one_processor() -> None:
    lines = (ETC / "twisted-mail.service").read_text().splitlines()
    refused = lines.index("SystemCallFilter=~@privileged @resources")
    assert "SystemCallFilter=sched_setaffinity" in lines[refused:]  # which is one of @resources


def test_the_unit_makes_the_folder_that_the_example_has_a_socket_in() -> None:
    assert '"unix:/run/twisted-mail/lmtp.sock' in (ETC / "mail.toml").read_text()
    lines = (ETC / "twisted-mail.service").read_text().splitlines()
    assert "RuntimeDirectory=twisted-mail" in lines
