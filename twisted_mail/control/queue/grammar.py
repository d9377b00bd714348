"""The commands of the family ``queue``."""

import argparse
from collections.abc import Callable

from twisted_mail.control.journey import replaying, site, watching
from twisted_mail.control.queue import (
    altering,
    explaining,
    listing,
    repairing,
    showing,
    suspending,
)


def add(command: Callable[..., argparse.ArgumentParser]) -> None:
    """Add all commands."""
    listing.add(command)
    showing.add(command)
    altering.add(command)
    suspending.add(command)
    explaining.add(command)
    repairing.add(command)
    watching.add(command)
    site.add(command)
    replaying.add(command)
