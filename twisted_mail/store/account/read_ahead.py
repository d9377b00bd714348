"""Which messages are learnt together with those that a session asks for.

Who asks for one message soon asks for those around it, and who reads many goes on with the next ones.
Asking the index for their items and names costs little more, and then they are in memory.
"""

from collections.abc import Container, Sequence

from twisted_mail.mail.mailbox.entry_columns import EntryColumns

# Messages in a block. Of more than these asked for together, nothing is kept.
BLOCK = 200
FEW = 8  # messages; after more of them, the next ones are wanted as well
MANY_NAMES = 1000  # of the messages that follow, where they are not known yet
FEW_NAMES = 100  # where they are: these are read from the disk next


def block_of(columns: EntryColumns, uid: int) -> Sequence[int]:
    """Return the UIDs around one, with itself; none if it is gone.

    Blocks do not overlap, so that a mailbox that is read in any order is soon known as a whole.
    """
    row = columns.row(uid)
    if row is None:
        return ()
    start = row - row % BLOCK
    return columns.uids[start : start + BLOCK].tolist()


def following(columns: EntryColumns, uids: Sequence[int], known: Container[int]) -> Sequence[int]:
    """Return the UIDs after the last of ``uids``; none after a few, which are all that is wanted.

    They are many if the next one is not among the ``known`` ones.
    """
    if len(uids) < FEW:
        return ()
    start = columns.rows_between(uids[-1], uids[-1]).stop
    is_known = start < len(columns) and columns.uids[start] in known
    return columns.uids[start : start + (FEW_NAMES if is_known else MANY_NAMES)].tolist()
