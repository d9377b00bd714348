"""Configuration: one TOML file and a drop-in folder, read once into frozen dataclasses.

``load("mail.toml")`` reads the file, then ``mail.toml.d/*.toml`` in the order of their names: a later
file adds to and overrides an earlier one, and its ``[[listener]]`` tables come after those. Each protocol
owns a section of its name, and each kind of filter owns the further options of its ``[[filter]]`` tables.
All mistakes are reported together, each with its place.
"""

from twisted_mail.config.mistakes import ConfigError, ConfigMistake
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
from twisted_mail.config.reader import load

__all__ = [
    "ArrivalStepConfig",
    "Config",
    "ConfigError",
    "ConfigMistake",
    "DnsSettings",
    "FilterConfig",
    "ListenerConfig",
    "LogSettings",
    "LoginSettings",
    "ThreadSettings",
    "TlsSettings",
    "WorkerSettings",
    "load",
]
