from twisted_mail.delivery.quarantine import quarantine
from twisted_mail.imap.fetch.render import ItemRenderer
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.memory.account import MemoryStore
from twisted_mail.testing.doubles import StillClock, finish

ALICE = "alice@example.org"
MAIL = Message(MemoryBlob(b"Subject: x\r\n\r\n"))


def store_where_appending(error):
    store = MemoryStore(StillClock(), ItemRenderer())
    account = finish(store.account(ALICE))

    async def append(name, drafts):
        raise error

    account.append = append
    return store, account


def test_a_mailbox_that_has_just_gone_is_no_reason_to_lose_mail():
    store, account = store_where_appending(Refused("gone", "TRYCREATE"))
    assert finish(quarantine(store, [ALICE], MAIL)) == {ALICE: None}
    assert finish(account.status("INBOX")).messages == 1


def test_other_reasons_are_told():
    error = Refused("full", "OVERQUOTA")
    store, account = store_where_appending(error)
    assert finish(quarantine(store, [ALICE], MAIL)) == {ALICE: error}
    assert finish(account.status("INBOX")).messages == 0
