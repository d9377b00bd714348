"""Commands that alter mailboxes from outside: CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE."""

from twisted_mail.imap.command_definition import Command
from twisted_mail.imap.grammar import Reader
from twisted_mail.imap.mailboxes.responses import CreateCode
from twisted_mail.imap.session import ImapSession
from twisted_mail.imap.state import AFTER_LOGIN
from twisted_mail.interfaces import Account
from twisted_mail.mail.outcome import ProtocolError, Refused, Unavailable


async def _create(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Make a mailbox."""
    reader.space()
    name = reader.mailbox()
    use = _read_use(reader)
    reader.end()
    account = await session.account()
    await account.create(name, use)
    code = session.tables.create_code
    return ("" if code is None else await _shown(code, account, name)) + "CREATE completed."


async def _shown(code: CreateCode, account: Account, name: str) -> str:
    """Return the code of a new mailbox, and a space."""
    try:
        status = await account.status(name.removesuffix("/"), has_size=False)
    except (Refused, Unavailable):  # removed already, or it cannot be seen just now: it was made
        return ""
    return f"[{code.name} {code.value(status)}] "


def _read_use(reader: Reader) -> str:
    r"""Read ``(USE (\Sent))`` if it follows (RFC 6154 §3). A mailbox here has one use at most."""
    if not reader.accept(b" "):
        return ""
    reader.take(b"(")
    if reader.word().upper() != "USE":
        raise ProtocolError("Unknown parameter")
    reader.space()
    reader.take(b"(")
    uses: list[str] = []
    while not reader.accept(b")"):
        if uses:
            reader.space()
        reader.take(b"\\")
        uses.append("\\" + reader.atom())
    reader.take(b")")
    if len(uses) > 1:
        raise Refused("A mailbox has one special use at most", "USEATTR")
    return uses[0] if uses else ""


async def _delete(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    """Delete a mailbox; a client that deletes the one it has selected is left with none."""
    name = _only_name(reader)
    await (await session.account()).delete(name)
    if session.selected is not None and session.selected.view.is_removed:
        session.deselect()
    return "DELETE completed."


async def _rename(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    reader.space()
    name = reader.mailbox()
    new_name = _only_name(reader)
    await (await session.account()).rename(name, new_name)
    return "RENAME completed."


async def _subscribe(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    name = _only_name(reader)
    await (await session.account()).subscribe(name, is_subscribed=True)
    return "SUBSCRIBE completed."


async def _unsubscribe(session: ImapSession, reader: Reader, is_uid: bool) -> str:
    name = _only_name(reader)
    await (await session.account()).subscribe(name, is_subscribed=False)
    return "UNSUBSCRIBE completed."


def _only_name(reader: Reader) -> str:
    reader.space()
    name = reader.mailbox()
    reader.end()
    return name


COMMANDS = (
    Command("CREATE", AFTER_LOGIN, _create),
    Command("DELETE", AFTER_LOGIN, _delete),
    Command("RENAME", AFTER_LOGIN, _rename),
    Command("SUBSCRIBE", AFTER_LOGIN, _subscribe),
    Command("UNSUBSCRIBE", AFTER_LOGIN, _unsubscribe),
)
