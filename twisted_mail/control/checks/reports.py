"""The texts of reports, as ``twisted-mail check`` sees them."""

from collections.abc import Iterator

from twisted_mail.config import Config
from twisted_mail.control.checks.note import Note
from twisted_mail.queue.reports.templates import load_templates


def report_notes(config: Config) -> Iterator[Note]:
    """Check the operator's own texts: with a mistake in them the server does not start."""
    folder = config.report_templates
    if not folder:
        return
    try:
        load_templates(folder)
    except ValueError as error:
        for line in str(error).splitlines():
            yield Note("fault", "reports", line)
    else:
        yield Note("fine", "reports", f"the texts in {folder} have no mistakes")
