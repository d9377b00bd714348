r"""Delivery of what is quarantined: into the mailbox with the special use ``\Junk`` (RFC 6154 §2).

Such mail is rare, so each account gets a copy of its own as clients append it, within its quota.
"""

from collections.abc import Mapping, Sequence

from twisted_mail.interfaces import Store
from twisted_mail.mail.mailbox.entry import NewMessage
from twisted_mail.mail.message import BorrowedBlob, Message
from twisted_mail.mail.outcome import MailError

JUNK = "\\Junk"
_MISSING = ("TRYCREATE", "NONEXISTENT")  # conditions of a mailbox that was there a moment ago


async def quarantine(
    store: Store, names: Sequence[str], message: Message
) -> Mapping[str, MailError | None]:
    """Put a message into the junk mailbox of several accounts, as ``Store.deliver`` does into inboxes.

    An account without such a mailbox gets it into its inbox. The message's blob is lent.
    """
    borrowed = Message(BorrowedBlob(message.blob), message.prefix)
    answers: dict[str, MailError | None] = {}
    for name in dict.fromkeys(names):
        try:
            answers[name] = await _put_into_junk(store, name, borrowed)
        except MailError as error:
            answers[name] = error
    return answers


async def _put_into_junk(store: Store, name: str, message: Message) -> MailError | None:
    account = await store.account(name)
    for mailbox in await account.mailboxes():
        if mailbox.use == JUNK and mailbox.is_selectable:
            try:
                await account.append(mailbox.name, [NewMessage(message)])
            except MailError as error:
                if not is_missing_mailbox(error):
                    raise
            else:
                return None
    return (await store.deliver([name], message))[name]


def is_missing_mailbox(error: MailError | None) -> bool:
    """Return whether a message was not put into a mailbox because that is not there any more."""
    return error is not None and error.condition in _MISSING
