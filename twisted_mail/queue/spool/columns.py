"""Jobs and recipients as rows of the queue's database: the columns, which are made of the blobs."""

from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, RecipientState
from twisted_mail.queue.spool.rows import write_recipient
from twisted_mail.queue.spool.schema import RowState

RecipientRow = tuple[int, int, str, int, float, str, str, int, int, str, bytes]


def job_row(
    row: int, job: QueuedJob, is_kept: bool, highest: int, envelope: bytes
) -> tuple[object, ...]:
    """Return the columns of a job."""
    return (
        row,
        job.id,
        is_kept,
        highest,
        job.kind.value,
        job.arrived,
        job.sender.key,
        job.submitter,
        job.mail_parameters.priority,
        job.size,
        envelope,
    )


def recipient_row(row: int, id: str, recipient: OwedRecipient, added: int = 0) -> RecipientRow:
    """Return the columns of a recipient of the job in ``row``; ``added`` is added to its state."""
    is_held = recipient.state is RecipientState.HELD
    last, original = recipient.last, recipient.original
    return (
        row,
        recipient.number,
        str(recipient.destination),
        added + (RowState.HELD if is_held else RowState.WAITING),
        recipient.due,
        recipient.address.key,
        "" if original is None else original.key,
        recipient.tries,
        recipient.notices,
        "" if last is None else last.reply_class.value,
        write_recipient(id, recipient),
    )
