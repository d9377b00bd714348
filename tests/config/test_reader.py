from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pytest

from twisted_mail.config import Config, ConfigError, ListenerConfig, load


@dataclass(frozen=True, slots=True)
class Inner:
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Settings:
    size: int = 10
    seconds: float = 1.5
    name: str = "x"
    folder: Path = Path("inner")
    words: tuple[str, ...] = ()
    mode: Literal["a", "b"] = "a"
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self) -> None:
        if self.size == 13:
            raise ValueError("size must not be 13")


PROTOCOLS: dict[str, Any] = {
    "smtp": SimpleNamespace(settings=Settings),
    "imap": SimpleNamespace(settings=Settings),
}
GOOD = 'hostname = "mail.example.org"\n'
LISTENER = '[[listener]]\nservice = "imap"\nendpoint = "tcp:143"\n'


def config(folder: Path, text: str) -> Config:
    (folder / "mail.toml").write_text(text)
    return load(folder / "mail.toml", PROTOCOLS)


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        config(folder, text)
    prefix = f"{folder}/mail.toml"
    return [str(mistake).removeprefix(prefix) for mistake in error.value.mistakes]


def test_the_least_configuration_has_defaults(tmp_path: Path) -> None:
    read = config(tmp_path, GOOD + LISTENER)
    assert read.path == tmp_path / "mail.toml"
    assert read.state == tmp_path / "state"
    assert read.tls.folder == read.state / "tls"
    assert read.listeners == (ListenerConfig("imap", "tcp:143"),)
    assert read.login.checkers == ("directory",)
    assert read.services["smtp"] == Settings(folder=tmp_path / "inner")
    assert read.accounts_file == tmp_path / "state" / "accounts.sqlite3"


def test_names_are_normal_and_paths_absolute(tmp_path: Path) -> None:
    text = (
        'hostname = "Mail.Example.ORG."\ndomains = ["BÜCHER.example."]\nstate = "/var/x"\n'
        + LISTENER
        + '[tls]\nfolder = "a/b"\n[imap]\nfolder = "c"\n'
    )
    read = config(tmp_path, text)
    assert (read.hostname, read.domains) == ("mail.example.org", ("xn--bcher-kva.example",))
    assert (read.state, read.tls.folder) == (Path("/var/x"), Path("/var/x/a/b"))
    assert read.services["imap"] == Settings(folder=tmp_path / "c")


def test_settings_of_services_are_read(tmp_path: Path) -> None:
    section = (
        '[imap]\nsize = 5\nseconds = 2\nwords = ["a", "b"]\nmode = "b"\n[imap.inner]\ndepth = 7\n'
    )
    imap = config(tmp_path, GOOD + LISTENER + section).services["imap"]
    assert imap == Settings(5, 2.0, "x", tmp_path / "inner", ("a", "b"), "b", Inner(7))


def test_all_mistakes_come_together_in_order(tmp_path: Path) -> None:
    text = (
        'hostname = "mail.example.org"\n'
        "domains = 3\n"
        "[[listener]]\n"
        'service = "imapp"\n'
        'endpoint = "tpc:143"\n'
        "[imap]\n"
        'size = "big"\n'
        "sise = 4\n"
        "[pasword]\n"
    )
    assert mistakes(tmp_path, text) == [
        ":2: domains: must be a list, not 3",
        ":4: listener[1].service: there is no service 'imapp'; did you mean 'imap'?",
        ":5: listener[1].endpoint: there is no endpoint type 'tpc'; did you mean 'tcp'?",
        ":7: imap.size: must be a whole number, not 'big'",
        ":8: imap.sise: there is no such option; did you mean 'size'?",
        ":9: pasword: there is no option or section of this name; did you mean 'passwords'?",
    ]


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("[imap]\nsize = true", "imap.size: must be a whole number, not true"),
        ("[imap]\nsize = 1.0", "imap.size: must be a whole number, not 1.0"),
        ("[imap]\nsize = -1", "must not be negative"),
        ("[imap]\nseconds = nan", "must not be negative or endless"),
        ("[imap]\nseconds = inf", "must not be negative or endless"),
        ("[imap]\nseconds = '1'", "imap.seconds: must be a number, not '1'"),
        ("[imap]\nname = 1979-05-27", "imap.name: must be a text in quotes, not date"),
        ("[imap]\nname = ['x']", "imap.name: must be a text in quotes, not a list"),
        ("[imap]\nwords = 'x'", "imap.words: must be a list, not 'x'"),
        ("[imap]\nwords = ['x', 3]", "imap.words[2]: must be a text in quotes, not 3"),
        ("[imap]\nmode = 'c'", "imap.mode: must be one of 'a', 'b', not 'c'"),
        ("[imap]\nfolder = 3", "imap.folder: must be a path in quotes, not 3"),
        ("[imap]\ninner = 3", "imap.inner: must be a table, not 3"),
        (
            "[imap.inner]\ndeep = 3",
            "imap.inner.deep: there is no such option; did you mean 'depth'?",
        ),
        ("[imap]\nsize = 13", "imap: size must not be 13"),
        ("[imap]\nMaxSize = 1", "imap.MaxSize: there is no such option"),
        ("[passwords]\nmemory-mib = 1", "did you mean 'memory_mib'?"),
        ("[passwords]\nmemory_mib = 0", "passwords: memory_mib must be from 1 to 4096"),
        ("[login]\ncheckers = []", "login.checkers: is empty"),
        ("[login]\ncheckers = ['direktory']", "did you mean 'directory'?"),
        ("[login]\ncheckers = ['directory:x']", "'directory' takes no argument"),
        ("[login]\ncheckers = ['anonymous']", "'anonymous' takes no passwords"),
        ("[tls]\nfolder = ''", "tls.folder: must be a path in quotes"),
        ("[[imap]]\nsize = 1", "imap: must be a table, not a list"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(tmp_path: Path, section: str, words: str) -> None:
    (mistake,) = mistakes(tmp_path, GOOD + LISTENER + section)
    assert words in mistake


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("hostname = 'mail example'", "hostname: 'mail example' is not a domain"),
        ("hostname = 3", "hostname: must be a text"),
        ("", "hostname: is missing"),
        ("hostname = 'a.example'\ndomains = ['x', '-']", "domains[2]: '-' is not a domain"),
        ("hostname = 'a.example'\nstate = 3", "state: must be a path"),
        ("hostname = 'a.example'\ntls = 3", "tls: must be a table"),
    ],
)
def test_a_wrong_name_is_named(tmp_path: Path, line: str, words: str) -> None:
    (mistake,) = mistakes(tmp_path, line + "\n" + LISTENER)
    assert words in mistake


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tls = 'startls'", "listener[2].tls: must be one of 'starttls', 'implicit', 'none'"),
        ("cleartext_passwords = true", "loopback interface only"),
        ("connections = 0", "must be 1 or more"),
        ("port = 3", "listener[2].port: there is no such option"),
    ],
)
def test_a_wrong_listener_is_named(tmp_path: Path, line: str, words: str) -> None:
    second = f'[[listener]]\nservice = "smtp"\nendpoint = "tcp:25"\n{line}\n'
    (mistake,) = mistakes(tmp_path, GOOD + LISTENER + second)
    assert words in mistake


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            GOOD + LISTENER.replace("endpoint", "endpont"),
            "listener[1].endpont: there is no such option; did you mean 'endpoint'?",
        ),
        (
            'hostnme = "a.example"\n' + LISTENER,
            "hostnme: there is no option or section of this name; did you mean 'hostname'?",
        ),
        (
            GOOD + LISTENER.replace("listener", "listner"),
            "listner: there is no option or section of this name; did you mean 'listener'?",
        ),
    ],
)
def test_a_misspelt_option_is_one_mistake_and_not_missing_too(
    tmp_path: Path, text: str, words: str
) -> None:
    (mistake,) = mistakes(tmp_path, text)
    assert mistake.endswith(words)


def test_what_no_misspelt_option_stands_for_is_missing(tmp_path: Path) -> None:
    first, second = mistakes(tmp_path, GOOD + '[[listener]]\nendpont = "tcp:143"\n')
    assert "service: is missing" in first
    assert "did you mean 'endpoint'?" in second


def test_a_listener_needs_service_and_endpoint(tmp_path: Path) -> None:
    assert mistakes(tmp_path, GOOD + "[[listener]]\n") == [
        ":2: listener[1].service: is missing",
        ":2: listener[1].endpoint: is missing",
    ]


@pytest.mark.parametrize("text", ["", "listener = []\n", "listener = 3\n", "[listener]\nx = 1\n"])
def test_there_is_a_listener(tmp_path: Path, text: str) -> None:
    (mistake,) = mistakes(tmp_path, GOOD + text)
    assert "listener: there is none" in mistake


def test_an_endpoint_is_had_once(tmp_path: Path) -> None:
    (mistake,) = mistakes(
        tmp_path, GOOD + LISTENER + LISTENER.replace('"tcp:143"', '"tcp:port=143"')
    )
    assert mistake == ":7: listener[2].endpoint: listener[1] has this endpoint already"


def test_ports_of_other_interfaces_and_free_choice_may_repeat(tmp_path: Path) -> None:
    endpoints = ["tcp:0", "tcp:0", "tcp:1:interface=127.0.0.1", "tcp:1:interface=127.0.0.2"]
    text = "".join(LISTENER.replace("tcp:143", endpoint) for endpoint in endpoints)
    assert len(config(tmp_path, GOOD + text).listeners) == 4


@pytest.mark.parametrize(
    "endpoint", ["tcp:1:interface=127.0.0.1", "tcp:1:interface=\\\\:\\\\:1", "unix:/tmp/x"]
)
def test_passwords_in_clear_are_for_this_machine(tmp_path: Path, endpoint: str) -> None:
    text = LISTENER.replace("tcp:143", endpoint) + "cleartext_passwords = true\n"
    assert config(tmp_path, GOOD + text).listeners[0].cleartext_passwords


def test_mistakes_in_drop_ins_name_the_drop_in(tmp_path: Path) -> None:
    (tmp_path / "mail.toml.d").mkdir()
    (tmp_path / "mail.toml.d" / "x.toml").write_text("\n[imap]\nsize = 'x'\n")
    (mistake,) = mistakes(tmp_path, GOOD + LISTENER)
    assert mistake.startswith(".d/x.toml:3: imap.size:")


def test_plugins_are_asked_when_no_protocols_are_given(tmp_path: Path) -> None:
    (tmp_path / "mail.toml").write_text(GOOD + LISTENER)
    assert {"smtp", "submission", "imap", "pop3"} <= set(load(tmp_path / "mail.toml").services)


def test_settings_that_raise_anything_are_one_mistake(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class BrokenSettings:
        x: int = 0

        def __post_init__(self) -> None:
            raise RuntimeError("no good")

    (tmp_path / "mail.toml").write_text(GOOD + LISTENER)
    odd = PROTOCOLS | {"odd": SimpleNamespace(settings=BrokenSettings)}
    with pytest.raises(ConfigError, match="odd: no good"):
        load(tmp_path / "mail.toml", odd)
