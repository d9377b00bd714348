"""The maker interfaces, and how plugins are found.

A plugin is an object in a module of ``twisted_mail.plugins`` that provides one of these interfaces;
``twisted.plugin.getPlugins`` finds it there. Our own protocols come in by the same way. Login methods
are ``twisted.cred.strcred`` checkers and need nothing of ours.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twisted.plugin import getPlugins
from zope.interface import Attribute, Interface

from twisted_mail import plugins
from twisted_mail.interfaces import (
    BlobWriter,
    Blocking,
    Clock,
    Directory,
    Journal,
    Login,
    Mailboxes,
    Maildrop,
    Mechanism,
    Queue,
    Router,
    Store,
    Submitter,
)


@dataclass(frozen=True, slots=True)
class Doors:
    """Every door of the house, for makers to pick from.

    ``login_*`` are the portal seen for one face each; ``blob_writer`` makes a new writer for the bytes
    of one message.
    """

    hostname: str
    clock: Clock
    blocking: Blocking
    journal: Journal
    directory: Directory
    router: Router
    queue: Queue
    store: Store
    mechanisms: Sequence[Mechanism]
    login_mailboxes: Login[Mailboxes]
    login_maildrop: Login[Maildrop]
    login_submitter: Login[Submitter]
    blob_writer: Callable[[], BlobWriter]


class IProtocol(Interface):
    """A protocol that a ``[[listener]]`` may name as its ``service``."""

    name = Attribute("The word in the configuration, and the section with the settings: 'imap'.")
    help = Attribute("One line for people.")
    busy = Attribute("The octets that tell a connection beyond the limit that we are busy.")
    settings = Attribute("A frozen dataclass with a default for each field: the section's options.")

    def make(settings: object, doors: Doors) -> object:  # noqa: N805
        """Return a ``Callable[[Wire], Session]``: one conversation for each connection."""


def protocols() -> dict[str, object]:
    """Return the installed protocols by name. Raises ValueError when two have one name."""
    found: dict[str, object] = {}
    for plugin in getPlugins(IProtocol, plugins):
        if plugin.name in found:
            raise ValueError(f"two plugins are called {plugin.name!r}")
        found[plugin.name] = plugin
    return found
