"""``twisted-mail config``: print the explained configuration and the systemd units.

In a wheel the files are in the package; in a checkout they are those of ``etc/``.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from twisted_mail.control.output import CommandError, CommandResult

INSTALLED = Path(__file__).parents[1] / "etc"
CHECKOUT = Path(__file__).parents[2] / "etc"


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands of the family ``config``."""
    for name, action, about in (
        ("example", example, "print a configuration with every option explained"),
        ("minimal", minimal, "print the least that a server needs"),
        ("unit", unit, "print a systemd unit, and how to install it"),
        ("sockets", sockets, "print systemd units for the ports, and how to install them"),
    ):
        command(name, action, about).set_defaults(needs_config=False)


def example(options: argparse.Namespace) -> CommandResult:
    """Print ``mail.toml``: every option with its default, explained."""
    return _printed("mail.toml")


def minimal(options: argparse.Namespace) -> CommandResult:
    """Print ``minimal.toml``."""
    return _printed("minimal.toml")


def unit(options: argparse.Namespace) -> CommandResult:
    """Print ``twisted-mail.service``."""
    return _printed("twisted-mail.service")


def sockets(options: argparse.Namespace) -> CommandResult:
    """Print ``twisted-mail.sockets``."""
    return _printed("twisted-mail.sockets")


def _printed(name: str) -> CommandResult:
    text = read_example(name)
    return CommandResult({"name": name, "text": text}, text.splitlines())


def read_example(name: str) -> str:
    """Return one of the example files as text. Raises CommandError where none was installed."""
    for folder in (INSTALLED, CHECKOUT):
        path = folder / name
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise CommandError(f"{name} was not installed; it is in the folder etc/ of the source")
