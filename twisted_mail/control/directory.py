"""The directory, opened for the commands that edit it."""

from collections.abc import Iterator
from contextlib import contextmanager

from twisted_mail.config import Config
from twisted_mail.control.output import CommandError
from twisted_mail.directory.editing.editor import DirectoryEditor


@contextmanager
def opened(config: Config) -> Iterator[DirectoryEditor]:
    """Open the directory that a configuration names. Raises CommandError."""
    if not config.state.is_dir():
        raise CommandError(
            f"the state folder {config.state} is missing: twisted-mail init makes it, or mkdir -m 700"
        )
    with DirectoryEditor(
        config.accounts_file,
        config.passwords,
        config.domains,
        separators=config.addresses.separators,
        postmasters=config.postmasters,
    ) as register:
        yield register
