"""Configuration: one TOML file and a drop-in folder, read once into frozen dataclasses.

``load("mail.toml")`` reads the file, then ``mail.toml.d/*.toml`` in the order of their names: a later
file adds to and overrides an earlier one, and its ``[[listener]]`` tables come behind. Each protocol
owns a section of its name, and each kind of filter the other options of its ``[[filter]]`` tables.
All mistakes are reported together, each with its place.
"""

from twisted_mail.config.mistakes import ConfigError, Mistake
from twisted_mail.config.model import (
    Config,
    Dns,
    Filter,
    Listener,
    Log,
    Login,
    Threads,
    Tls,
    Workers,
)
from twisted_mail.config.reader import load

__all__ = [
    "Config",
    "ConfigError",
    "Dns",
    "Filter",
    "Listener",
    "Log",
    "Login",
    "Mistake",
    "Threads",
    "Tls",
    "Workers",
    "load",
]
