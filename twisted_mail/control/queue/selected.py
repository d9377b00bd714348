"""The recipients that filters select, as a command goes through them."""

from collections.abc import Iterator, Sequence

from twisted_mail.control.output import CommandError
from twisted_mail.control.queue.opened import OpenedQueue
from twisted_mail.control.queue.speaking import speak, speaker
from twisted_mail.interfaces import SelectedRecipient
from twisted_mail.mail.queued.selection import Selection
from twisted_mail.mail.queued.word import Act, Word
from twisted_mail.queue.words.filters import behind_site
from twisted_mail.queue.words.queries import last_place, selected_page

NEEDS_SERVER = (
    "what lies behind a site is known while the server runs, and it does not run: use --domain"
)


def selected(
    queue: OpenedQueue, selection: Selection | None, now: float
) -> Iterator[Sequence[SelectedRecipient]]:
    """Yield the recipients that filters select, in pages."""
    after: int | None = 0
    last = last_place(queue.connection)
    while selection is not None and after is not None:
        page = selected_page(queue.connection, selection, now, after, last)
        yield page.found
        after = page.after


def located(queue: OpenedQueue, selection: Selection) -> Selection | None:
    """Return a selection with destinations in the place of its site; None if nothing waits there.

    Raises CommandError where no server runs that knows.
    """
    if not selection.site:
        return selection
    answer = speak(queue, Word(Act.ASK, Selection(site=selection.site), by=speaker()))
    if "destinations" not in answer:
        raise CommandError(NEEDS_SERVER)
    return behind_site(selection, frozenset(answer["destinations"]))


def require_known(queue: OpenedQueue, selection: Selection) -> None:
    """Raise CommandError, which names them, if there are no messages of some of the ids.

    Also if a site is asked for and no server runs. Commands ask before they alter anything.
    """
    unknown = [one for one in selection.ids if not _is_known(queue, one)]
    if unknown:
        shown = ", ".join(unknown[:5]) + (" ..." if len(unknown) > 5 else "")
        raise CommandError(f"nothing in the queue is {shown}")
    if selection.site and not queue.is_served():
        raise CommandError(NEEDS_SERVER)


def _is_known(queue: OpenedQueue, id: str) -> bool:
    job, _, number = id.partition("/")
    query, values = "SELECT 1 FROM jobs AS j WHERE j.id = ?", [job]
    if number:
        query = (
            "SELECT 1 FROM jobs AS j JOIN recipients AS r ON r.job = j.row"
            " WHERE j.id = ? AND r.number = CAST(? AS INTEGER)"
        )
        values.append(number)
    return queue.connection.execute(query, values).fetchone() is not None
