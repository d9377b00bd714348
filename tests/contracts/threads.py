"""Which messages belong together (RFC 8474 §5.2)."""

from tests.contracts.ground import ALICE, Ground, draft
from twisted_mail.interfaces import Account, Mailbox, Store
from twisted_mail.mail.message import MemoryBlob, Message


def letter(name: str, *before: str, replying_to: str = "") -> bytes:
    """Return a message with this Message-ID, and references to others."""
    lines = [f"Message-ID: <{name}@example.org>"] if name else []
    if before:
        lines.append("References: " + "\r\n ".join(f"<{each}@example.org>" for each in before))
    if replying_to:
        lines.append(f"In-Reply-To: <{replying_to}@example.org>")
    return "\r\n".join([*lines, "Subject: Hello", "", "Hello.", ""]).encode()


class ThreadContract(Ground):
    """Threads that stay."""

    def come(self, account: Account, data: bytes, name: str = "INBOX") -> int:
        """Put a message into a mailbox; return its UID."""
        [uid] = self.put(account, name, draft(data))
        return uid

    def threads(self, account: Account, *uids: int, name: str = "INBOX") -> list[str]:
        mailbox = self.run(account.open(name))
        found = list(self.run(mailbox.threads(uids)))
        mailbox.close()
        assert None not in found
        return [each for each in found if each]

    def thread(self, account: Account, uid: int, name: str = "INBOX") -> str:
        [found] = self.threads(account, uid, name=name)
        assert found.isalnum()
        return found

    def test_messages_that_do_not_know_each_other_are_in_threads_of_their_own(
        self, account: Account
    ):
        uids = [self.come(account, data) for data in (letter("a"), letter("b"), b"", b"\r\n")]
        assert len(set(self.threads(account, *uids))) == 4

    def test_who_is_gone_is_in_no_thread(self, inbox: Mailbox, three: tuple[int, ...]):
        self.run(inbox.expunge(three[:1]))
        found = self.run(inbox.threads([three[2], three[0], 99]))
        assert found[0] is not None
        assert list(found[1:]) == [None, None]

    def test_a_reply_is_in_the_thread_of_what_it_answers(self, account: Account):
        uids = [
            self.come(account, data)
            for data in (
                letter("a"),
                letter("b", "a"),
                letter("c", "a", "b"),
                letter("d", replying_to="c"),
            )
        ]
        assert len(set(self.threads(account, *uids))) == 1

    def test_a_reply_that_comes_later_takes_the_thread_that_was_told(self, account: Account):
        first = self.thread(account, self.come(account, letter("a")))
        assert self.thread(account, self.come(account, letter("b", replying_to="a"))) == first
        assert self.thread(account, self.come(account, letter("c", replying_to="b"))) == first

    def test_replies_to_a_message_that_comes_last_are_its_thread(self, account: Account):
        reply = self.thread(account, self.come(account, letter("b", "a")))
        assert self.thread(account, self.come(account, letter("c", "a", "b"))) == reply
        assert self.thread(account, self.come(account, letter("a"))) == reply

    def test_a_thread_goes_through_all_mailboxes(self, account: Account):
        here = self.thread(account, self.come(account, letter("a")))
        there = self.come(account, letter("b", replying_to="a"), "Sent")
        assert self.thread(account, there, "Sent") == here

    def test_a_delivered_reply_is_in_the_thread(self, store: Store, account: Account):
        first = self.thread(account, self.come(account, letter("a")))
        self.run(store.deliver([ALICE], Message(MemoryBlob(letter("b", "a")), b"Received: x\r\n")))
        inbox = self.run(account.open("INBOX"))
        self.run(inbox.refresh())
        assert self.threads(account, *inbox.columns.uids) == [first, first]

    def test_who_joins_two_threads_takes_the_older_and_nobody_changes(self, account: Account):
        old, new = (self.come(account, letter(name)) for name in "ab")
        before = self.threads(account, old, new)
        joining = self.come(account, letter("c", "b", "a"))
        assert self.thread(account, joining) == before[0] != before[1]
        assert self.threads(account, old, new) == before
        assert self.thread(account, self.come(account, letter("d", replying_to="b"))) == before[0]

    def test_copies_and_moved_messages_stay_in_their_thread(self, account: Account, inbox: Mailbox):
        uids = [self.come(account, data) for data in (letter("a"), letter("b"), letter(""))]
        before = self.threads(account, *uids)
        copied = self.run(inbox.copy(uids, "Sent")).targets
        moved = self.run(inbox.move(uids, "Trash")).targets
        assert self.threads(account, *copied, name="Sent") == before
        assert self.threads(account, *moved, name="Trash") == before

    def test_a_copy_made_before_anyone_asked_is_in_the_thread_of_its_original(
        self, account: Account, inbox: Mailbox
    ):
        uids = [self.come(account, letter(""))]
        copied = self.run(inbox.copy(uids, "INBOX")).targets
        assert len(set(self.threads(account, *uids, *copied))) == 1

    def test_flags_and_expunges_leave_threads_alone(self, account: Account, inbox: Mailbox):
        uids = [self.come(account, data) for data in (letter("a"), letter("b", "a"))]
        before = self.thread(account, uids[1])
        self.run(inbox.mark(uids, "add", frozenset({"\\Seen"})))
        self.run(inbox.expunge(uids[:1]))
        assert self.thread(account, uids[1]) == before
        assert self.thread(account, self.come(account, letter("c", replying_to="a"))) == before

    def test_a_thread_is_never_called_like_a_message(self, account: Account, inbox: Mailbox):
        uid = self.come(account, letter(""))
        [found] = self.run(inbox.identities([uid]))
        assert found is not None
        assert self.thread(account, uid) != found.email

    def test_accounts_know_nothing_of_each_other(self, store: Store, account: Account):
        other = self.run(store.account("bob@example.org"))
        self.come(other, letter("b", "x"))
        self.come(account, letter("y", replying_to="b"))
        uid = self.come(account, letter("z", replying_to="x"))
        assert self.thread(account, uid) != self.thread(account, 1)

    def test_threads_survive_a_restart(self, store: Store, account: Account):
        uids = [self.come(account, letter(name)) for name in "ab"]
        before = self.threads(account, *uids)
        uids.append(self.come(account, letter("c", "b", "a")))
        before.append(self.thread(account, uids[2]))
        again = self.reopened(store)
        if again is not None:
            account = self.run(again.account(account.name))
            assert self.threads(account, *uids) == before
            assert self.thread(account, self.come(account, letter("d", "b"))) == before[0]
