"""Whether all can be imported that a server imports only when it is first asked for."""

from collections.abc import Iterator
from importlib import import_module

from twisted_mail.assembly.on_demand import MODULES
from twisted_mail.config import Config
from twisted_mail.control.checks.note import Note


def installation_notes(config: Config) -> Iterator[Note]:
    """Import each of these modules; one that fails is named, with the reason."""
    for name in MODULES:
        try:
            import_module(name)
        except Exception as error:  # a module of another project may raise anything
            yield Note("fault", name, f"cannot be imported: {error}")
