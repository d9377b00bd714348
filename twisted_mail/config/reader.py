"""Reading a configuration: every section on its own, so that one mistake hides no other."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from twisted.cred.strcred import findCheckerFactories

from twisted_mail import plugin
from twisted_mail.auth.checkers import checker_mistake
from twisted_mail.config import documents, endpoints, filters
from twisted_mail.config.arrival_steps import ArrivalStepReader
from twisted_mail.config.carriers import CarrierReader
from twisted_mail.config.mistakes import ConfigError, ConfigMistake, KeyPath, closest, suggestion
from twisted_mail.config.model import (
    ArrivalStepConfig,
    Config,
    DnsSettings,
    FilterConfig,
    ListenerConfig,
    LoginSettings,
    LogSettings,
    ThreadSettings,
    TlsSettings,
    WorkerSettings,
)
from twisted_mail.config.values import Structurer
from twisted_mail.delivery.onward.providers import Provider
from twisted_mail.delivery.onward.settings import SendingSettings
from twisted_mail.delivery.settings import AddressSettings
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.journey.settings import JourneySettings
from twisted_mail.lists.settings import ListSettings
from twisted_mail.mail.address import parse_domain
from twisted_mail.queue.program import Program
from twisted_mail.queue.reports.settings import ReportSettings
from twisted_mail.queue.settings import QueueSettings
from twisted_mail.smtp.dialogue.settings import DialogueTimes
from twisted_mail.store.settings import StoreSettings
from twisted_mail.trust.settings import OutgoingTlsSettings

T = TypeVar("T")


class NamedTable(Protocol):
    """What a table becomes that has a name."""

    @property
    def name(self) -> str:
        """Return the name."""


NamedT = TypeVar("NamedT", bound=NamedTable)


# Sections that are read as they are, each into its dataclass; their names are fields of Config.
PLAIN_SECTIONS: Mapping[str, type] = {
    "passwords": PasswordSettings,
    "store": StoreSettings,
    "dns": DnsSettings,
    "log": LogSettings,
    "threads": ThreadSettings,
    "workers": WorkerSettings,
    "addresses": AddressSettings,
    "lists": ListSettings,
    "queue": QueueSettings,
    "sending": SendingSettings,
    "sending_timeouts": DialogueTimes,
    "outgoing_tls": OutgoingTlsSettings,
    "reports": ReportSettings,
    "journey": JourneySettings,
}
# Sections of earlier versions, and what to say of them.
RENAMED_SECTIONS = {
    "waiting": "this section is [queue] now, with other options: retries (a list of seconds), days,"
    ' dead_days, max_messages; see "twisted-mail config example"'
}
_READ_APART = (
    "hostname",
    "state",
    "domains",
    "tls",
    "listener",
    "login",
    "filter",
    "arrival_step",
    "carrier",
    "program",
    "provider",
)
OWN_SECTIONS = (*_READ_APART, *PLAIN_SECTIONS)


def load(
    path: Path, protocols: Mapping[str, Any] | None = None, kinds: filters.Kinds = plugin.filters
) -> Config:
    """Read a configuration file and its drop-in folder.

    ``protocols`` are the plugins by name, the installed ones if not given; so are ``kinds`` of filters.
    Raises ConfigError.
    """
    path = path.absolute()
    document, mistakes = documents.read(path)
    if mistakes:
        # What is missing from a broken file would look like more mistakes.
        raise ConfigError(mistakes)
    reader = _ConfigReader(document, plugin.protocols() if protocols is None else protocols, kinds)
    config = reader.config()
    if reader.mistakes or config is None:
        raise ConfigError(sorted(reader.mistakes, key=lambda one: (str(one.file), one.line)))
    return config


class _ConfigReader:
    """Reads one document, and collects its mistakes."""

    def __init__(
        self, document: documents.Document, protocols: Mapping[str, Any], kinds: filters.Kinds
    ) -> None:
        self.mistakes: list[ConfigMistake] = []
        self._misspelt: set[str] = set()  # names that are there with a mistake in them
        self._document = document
        self._values = document.values
        self._protocols = protocols
        self._kinds = kinds
        self._structure = Structurer(document.path.parent)

    def config(self) -> Config | None:
        """Return the configuration; None only if there are mistakes."""
        self._check_names()
        state = self._take("state", Path, "state")
        values: dict[str, Any] = {
            "path": self._document.path,
            "hostname": self._hostname(),
            "state": state,
            "domains": self._domains(),
            "tls": self._take("tls", TlsSettings, {}, Structurer(state) if state else None),
            "listeners": self._listeners(),
            "login": self._login(),
            "services": {name: self._settings(name) for name in self._protocols},
            "filters": self._filters(),
            "programs": self._named_tables("program", Program),
            "providers": self._named_tables("provider", Provider),
        }
        for name, kind in PLAIN_SECTIONS.items():
            values[name] = self._take(name, kind, {})
        reader = CarrierReader(self._structure, plugin.carriers, self._complain)
        values["carriers"] = reader.read(self._values.get("carrier"))
        values["arrival_steps"] = self._arrival_steps(values["services"])
        return None if self.mistakes else Config(**values)

    def _complain(self, place: KeyPath, text: str) -> None:
        self.mistakes.append(self._document.mistake(place, text))

    def _take(
        self, name: str, kind: type[T], default: object, structure: Structurer | None = None
    ) -> T | None:
        structure = structure or self._structure
        return structure(self._values.get(name, default), kind, (name,), self._complain)

    def _check_names(self) -> None:
        known = (*OWN_SECTIONS, *self._protocols)
        for name in self._values:
            if name in RENAMED_SECTIONS:
                self._complain((name,), RENAMED_SECTIONS[name])
            elif name not in known:
                hint = suggestion(name, known)
                self._complain((name,), f"there is no option or section of this name{hint}")
                self._misspelt.add(closest(name, known))

    def _is_missing(self, name: str, text: str) -> None:
        """Complain that a name is missing, unless it is there misspelt, which is a mistake already."""
        if name in self._values or name not in self._misspelt:
            self._complain((name,), text)

    # ------------------------------------------------------------ names

    def _hostname(self) -> str:
        if "hostname" not in self._values:
            self._is_missing("hostname", 'is missing; say hostname = "mail.example.org"')
            return ""
        text = self._take("hostname", str, "")
        return "" if text is None else self._domain(("hostname",), text)

    def _domains(self) -> tuple[str, ...]:
        texts = self._take("domains", tuple[str, ...], []) or ()
        return tuple(self._domain(("domains", at), text) for at, text in enumerate(texts))

    def _domain(self, place: KeyPath, text: str) -> str:
        try:
            return parse_domain(text.removesuffix("."))
        except ValueError as error:
            self._complain(place, f"{text!r} is not a domain: {error}")
            return ""

    # ------------------------------------------------------------ listeners

    def _listeners(self) -> tuple[ListenerConfig, ...]:
        tables = self._values.get("listener", [])
        if not isinstance(tables, list) or not tables:
            self._is_missing("listener", "there is none; begin each with [[listener]]")
            return ()
        listeners = []
        taken: dict[object, int] = {}
        for at, table in enumerate(tables):
            listener = self._structure(table, ListenerConfig, ("listener", at), self._complain)
            if listener is not None:
                self._check_listener(at, listener, taken)
                listeners.append(listener)
        return tuple(listeners)

    def _check_listener(self, at: int, listener: ListenerConfig, taken: dict[object, int]) -> None:
        if listener.service not in self._protocols:
            hint = suggestion(listener.service, self._protocols)
            text = f"there is no service {listener.service!r}{hint}"
            self._complain(("listener", at, "service"), text)
        place: KeyPath = ("listener", at, "endpoint")
        try:
            endpoint = endpoints.parse(listener.endpoint)
        except ValueError as error:
            self._complain(place, str(error))
            return
        if listener.service == "lmtp" and endpoint.port == 25:
            self._complain(place, "LMTP is not spoken on port 25 (RFC 2033 §5); use another")
        identity = endpoint.identity
        if identity is not None and taken.setdefault(identity, at) != at:
            self._complain(place, f"listener[{taken[identity] + 1}] has this endpoint already")
        if listener.cleartext_passwords and not endpoint.is_local:
            self._complain(
                ("listener", at, "cleartext_passwords"),
                "passwords may go without TLS on the loopback interface only, as in"
                " endpoint = 'tcp:143:interface=127.0.0.1'",
            )

    # ------------------------------------------------------------ filters, steps, programs and providers

    def _filters(self) -> tuple[FilterConfig, ...]:
        tables = self._values.get("filter")
        return filters.filters(
            tables, self._structure, self._kinds, self._protocols, self._complain
        )

    def _arrival_steps(self, services: Mapping[str, Any]) -> tuple[ArrivalStepConfig, ...]:
        reader = ArrivalStepReader(
            self._structure, plugin.arrival_steps, self._protocols, services, self._complain
        )
        return reader.read(self._values.get("arrival_step"))

    def _named_tables(self, section: str, kind: type[NamedT]) -> tuple[NamedT, ...]:
        """Return the values of the tables of a section, each with a name of its own."""
        tables = self._values.get(section, [])
        if not isinstance(tables, list):
            self._complain((section,), f"must be tables; begin each with [[{section}]]")
            return ()
        made = [
            self._structure(table, kind, (section, at), self._complain)
            for at, table in enumerate(tables)
        ]
        taken: set[str] = set()
        for at, one in enumerate(made):
            if one is not None and one.name in taken:
                self._complain((section, at), f"another {section} is called {one.name!r}")
            taken.add("" if one is None else one.name)
        return tuple(one for one in made if one is not None)

    # ------------------------------------------------------------ login and services

    def _login(self) -> LoginSettings | None:
        login = self._take("login", LoginSettings, {})
        if login is None:
            return None
        if not login.checkers:
            self._complain(("login", "checkers"), "is empty: nobody could log in")
        for at, text in enumerate(login.checkers):
            name = text.partition(":")[0]
            if name != "directory" and name not in (known := _checkers()):
                hint = suggestion(name, known)
                self._complain(("login", "checkers", at), f"there is no checker {name!r}{hint}")
            elif text != "directory" and (mistake := checker_mistake(text)):
                self._complain(("login", "checkers", at), f"{text!r}: {mistake}")
        return login

    def _settings(self, name: str) -> object:
        return self._take(name, self._protocols[name].settings, {})


def _checkers() -> set[str]:
    """Return the names of all checkers. Asked only where needed: it imports much of Twisted."""
    factories = findCheckerFactories()  # type: ignore[no-untyped-call]
    return {"directory", *(factory.authType for factory in factories)}
