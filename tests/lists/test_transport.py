import re
from email import message_from_bytes
from email.message import Message as EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.support import InlineBlocking, NoteJournal, StillClock, finish
from twisted_mail.assembly.delivery import DeliveryAssembly, DeliveryDependencies
from twisted_mail.delivery.route import LocalRouter
from twisted_mail.directory.editor import DirectoryEditor
from twisted_mail.directory.mailing_lists import SqliteMailingListStore
from twisted_mail.directory.passwords import PasswordSettings
from twisted_mail.directory.sqlite import SqliteDirectory
from twisted_mail.lists.settings import ListSettings
from twisted_mail.mail.address import NULL, parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.job import APPROVE
from twisted_mail.mail.mailing_list import JoiningPolicy, PostingPolicy
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.outcome import MailError, Refused, Unavailable
from twisted_mail.queue.folder import QueueFolder
from twisted_mail.queue.program import result_of_exit_code
from twisted_mail.store.disk.files import DiskFiles

CHEAP = PasswordSettings(memory_mib=1, passes=1, lanes=1)
ALICE, BOB, CAROL = "alice@example.org", "bob@example.org", "carol@example.org"
NEWS = "news@example.org"


class FakeStore:
    """Inboxes as lists of messages; may refuse."""

    def __init__(self) -> None:
        self.inboxes: dict[str, list[EmailMessage]] = {}
        self.trouble: dict[str, MailError] = {}

    async def deliver(self, names: Any, message: Message) -> Any:
        data = b"".join(message.pieces())
        message.blob.close()
        for name in names:
            if name not in self.trouble:
                self.inboxes.setdefault(name, []).append(message_from_bytes(data))
        return {name: self.trouble.get(name) for name in names}


class House:
    def __init__(self, folder: Path, **settings: Any) -> None:
        self.path = folder / "waiting"
        self.clock, self.journal, self.store = StillClock(), NoteJournal(), FakeStore()
        blocking = InlineBlocking()
        file = folder / "accounts"
        self.register = DirectoryEditor(file, CHEAP, ["example.org"], self.clock.now)
        directory = SqliteDirectory(file, blocking, blocking, CHEAP, ["example.org"])
        self.rolls = SqliteMailingListStore(file, blocking, ["example.org"], now=self.clock.now)
        self.office = DeliveryAssembly(
            DeliveryDependencies(
                "mail.example.org",
                LocalRouter(directory, "mail.example.org"),
                self.store,  # type: ignore[arg-type]
                self.rolls,
                self.journal,  # type: ignore[arg-type]
                self.clock,
                str(self.path),
                blocking,
                blocking,
                lambda *_: result_of_exit_code(0),
                list_settings=ListSettings(**settings),
            )
        )
        self.office.load()
        self.count = 0

    def furnish(self) -> "House":
        for name in (ALICE, BOB, CAROL):
            self.register.accounts.add(name, "secret")
        self.register.aliases.add("postmaster@example.org", [CAROL])
        self.register.lists.add(NEWS)
        self.register.lists.add_members(NEWS, [ALICE, BOB])
        self.register.lists.set_owners(NEWS, [CAROL])
        return self

    def send(
        self,
        recipient: str,
        sender: str = ALICE,
        header: str = "",
        body: str = "hello",
        **more: Any,
    ) -> None:
        self.count += 1
        lines = f"Received: from x\r\nSubject: test\r\n{header}\r\n{body}\r\n".encode()
        who = parse(sender) if sender else NULL
        envelope = Envelope(f"id{self.count}", who, (parse(recipient),), **more)
        finish(self.office.queue.accept(envelope, Message(MemoryBlob(lines))))
        self.work()

    def work(self) -> None:
        for _, work in self.office.periodic_work():
            finish(work())  # type: ignore[arg-type]

    def refusal(self, *args: Any, **more: Any) -> str:
        with pytest.raises(MailError) as caught:
            self.send(*args, **more)
        return f"{caught.value.outcome.code} {caught.value.outcome.enhanced}"

    def inbox(self, name: str) -> list[EmailMessage]:
        return self.store.inboxes.get(name, [])

    def subjects(self, name: str) -> list[str]:
        return [mail["Subject"] for mail in self.inbox(name)]

    @property
    def members(self) -> list[str]:
        return [row.address for row in self.register.lists.members(NEWS)]

    def bounces(self, name: str) -> str:
        """Return the envelope sender of the last copy in an inbox."""
        return str(self.inbox(name)[-1]["Return-Path"]).strip("<>")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path).furnish()


# ---------------------------------------------------------------- posts


def test_a_post_goes_to_every_member(house: House) -> None:
    house.send(NEWS, header="Precedence: bulk\r\nList-Help: <x>\r\nX-Own: 1\r\n")
    for name in (ALICE, BOB):
        (copy,) = house.inbox(name)
        assert copy.get_payload() == "hello\r\n"
        assert copy["List-Id"] == "<news.example.org>"
        assert copy.get_all("Precedence") == ["list"]
        assert copy.get_all("List-Help") == ["<mailto:news-request@example.org?subject=help>"]
        assert (copy["Subject"], copy["X-Own"]) == ("test", "1")
        assert copy.keys()[:2] == ["Return-Path", "Received"]
    assert not list(house.path.iterdir())


def test_each_copy_has_an_envelope_sender_of_its_own(house: House) -> None:
    house.send(NEWS)
    assert re.fullmatch(
        r"news-bounces\+alice=example\.org=[a-z2-7]{8}@example\.org", house.bounces(ALICE)
    )
    assert house.bounces(ALICE) != house.bounces(BOB)


def test_a_post_is_on_disk_when_it_is_taken(house: House) -> None:
    envelope = Envelope("id9", parse(ALICE), (parse(NEWS),))
    finish(house.office.queue.accept(envelope, Message(MemoryBlob(b"Subject: x\r\n\r\nb\r\n"))))
    assert not house.store.inboxes
    assert len(QueueFolder(str(house.path), DiskFiles()).load()) == 1


def test_strangers_loops_and_answers_are_refused(house: House) -> None:
    assert house.refusal(NEWS, "eve@b.example") == "550 5.7.2"
    assert house.refusal(NEWS, header="X-Loop: news@example.org\r\n") == "554 5.4.6"
    assert house.refusal(NEWS, "") == "550 5.7.1"
    assert not house.store.inboxes


def test_a_copy_that_comes_back_to_the_list_is_refused(house: House) -> None:
    house.send(NEWS)
    copy = house.inbox(ALICE)[0]
    fields = "".join(f"{name}: {value}\r\n" for name, value in copy.items())
    assert house.refusal(NEWS, header=fields) == "554 5.4.6"


def test_who_cannot_take_a_copy_now_gets_it_later_and_nobody_twice(house: House) -> None:
    house.store.trouble[BOB] = Unavailable("The disk is full")
    house.send(NEWS)
    assert (len(house.inbox(ALICE)), len(house.inbox(BOB))) == (1, 0)
    del house.store.trouble[BOB]
    house.clock.seconds += 60
    house.work()
    assert (len(house.inbox(ALICE)), len(house.inbox(BOB))) == (1, 1)
    assert not list(house.path.iterdir())


def test_after_a_stop_in_the_middle_the_rest_get_theirs(house: House, tmp_path: Path) -> None:
    house.office.lists.distribution.stop()
    house.send(NEWS)
    assert not house.store.inboxes
    again = House(tmp_path)
    again.clock.seconds += 60
    again.work()
    assert len(again.inbox(ALICE)) == len(again.inbox(BOB)) == 1


def test_a_list_with_many_members_reaches_all(house: House) -> None:
    for number in range(45):
        house.register.aliases.add(f"u{number}@example.org", [CAROL])
    members = [f"u{number}@example.org" for number in range(45)]
    house.register.lists.add_members(NEWS, members)
    house.send(NEWS)
    assert len(house.inbox(CAROL)) == 45


def test_a_list_that_is_removed_meanwhile_tells_the_sender(house: House) -> None:
    envelope = Envelope("id9", parse(ALICE), (parse(NEWS),))
    finish(house.office.queue.accept(envelope, Message(MemoryBlob(b"Subject: x\r\n\r\nb\r\n"))))
    house.register.lists.remove(NEWS)
    house.work()
    (report,) = house.inbox(ALICE)
    assert report.get_content_type() == "multipart/report"
    text, status, returned = report.get_payload()  # type: ignore[misc]
    assert "the mailing list is no more" in text.get_payload()  # type: ignore[union-attr]
    assert status.get_payload()[1]["Status"] == "5.1.1"  # type: ignore[union-attr, index, call-overload]
    assert returned.get_payload()[0]["Subject"] == "x"  # type: ignore[union-attr, index, call-overload]


def test_where_the_sender_is_elsewhere_the_postmaster_gets_the_report(house: House) -> None:
    house.register.lists.alter(NEWS, posting=PostingPolicy.ANYONE)
    envelope = Envelope("id9", parse("s@b.example"), (parse(NEWS),))
    finish(house.office.queue.accept(envelope, Message(MemoryBlob(b"Subject: x\r\n\r\nb\r\n"))))
    house.register.lists.remove(NEWS)
    house.work()
    assert house.subjects(CAROL) == ["Your mail was not delivered"]


# ---------------------------------------------------------------- moderation


def test_a_post_to_a_moderated_list_waits_for_a_word(house: House) -> None:
    house.register.lists.alter(NEWS, is_moderated=True)
    house.send(NEWS)
    assert not house.inbox(ALICE)
    (letter,) = house.inbox(CAROL)
    assert letter["Subject"] == "A message for news@example.org waits for a word"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert "twisted-mail list approve id1-1" in str(letter.get_payload(decode=True))
    QueueFolder(str(house.path), DiskFiles()).decide("id1-1", APPROVE)
    house.work()
    house.work()
    assert len(house.inbox(ALICE)) == len(house.inbox(BOB)) == 1


@pytest.mark.parametrize(("word", "copies"), [("approve", 1), ("reject", 0)])
def test_an_owner_says_a_word_by_mail(house: House, word: str, copies: int) -> None:
    house.register.lists.alter(NEWS, is_moderated=True)
    house.send(NEWS)
    text = house.inbox(CAROL)[0].get_payload(decode=True).decode()  # type: ignore[union-attr]
    (address,) = re.findall(rf"{word} +(news-confirm\S+)", text)
    forged = address.replace(address.partition("@")[0][-8:], "aaaaaaaa")
    house.send(forged, CAROL)
    house.work()
    assert [path.suffix for path in house.path.iterdir()].count(".json") == 1
    house.send(address, CAROL, "Auto-Submitted: auto-replied\r\n")  # no vacation says a word
    house.work()
    assert [path.suffix for path in house.path.iterdir()].count(".json") == 1
    house.send(address, CAROL)
    house.work()
    house.work()
    assert len(house.inbox(ALICE)) == copies
    assert not list(house.path.iterdir())


def test_an_owner_who_has_no_room_keeps_no_other_from_being_told(house: House) -> None:
    house.register.lists.alter(NEWS, is_moderated=True)
    house.register.lists.set_owners(NEWS, [BOB, CAROL])
    house.store.trouble[BOB] = Unavailable("full")
    house.send(NEWS)
    for _ in range(10):
        house.work()
    assert len(house.inbox(CAROL)) == 1
    house.register.lists.set_owners(NEWS, [CAROL, BOB])
    house.send(NEWS)
    for _ in range(10):
        house.work()
    assert len(house.inbox(CAROL)) == 2


def test_a_word_for_another_list_is_none(house: House) -> None:
    house.register.lists.alter(NEWS, is_moderated=True)
    house.register.lists.add("x@example.org")
    house.send(NEWS)
    text = house.inbox(CAROL)[0].get_payload(decode=True).decode()  # type: ignore[union-attr]
    (address,) = re.findall(r"approve +(news-confirm\S+)", text)
    house.send(address.replace("news-", "x-"), CAROL)
    house.work()
    assert not house.inbox(ALICE)


def test_where_the_address_would_be_too_long_owners_ask_the_administrator(house: House) -> None:
    name = "a" * 35 + "@example.org"
    house.register.lists.add(name)
    house.register.lists.set_owners(name, [CAROL])
    house.register.lists.alter(name, is_moderated=True)
    house.count = 10**14  # so that the id has as many signs as one from outside
    house.send(name)
    text = house.inbox(CAROL)[0].get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert "twisted-mail list approve id1" in text
    assert "-confirm+" not in text


def test_only_so_many_posts_are_held(tmp_path: Path) -> None:
    house = House(tmp_path, max_held=1).furnish()
    house.register.lists.alter(NEWS, is_moderated=True)
    house.send(NEWS)
    assert house.refusal(NEWS) == "452 4.3.1"


# ---------------------------------------------------------------- joining and leaving


def test_joining_is_confirmed_by_an_answer(house: House) -> None:
    house.send("news-subscribe@example.org", CAROL)
    (question,) = house.inbox(CAROL)
    assert question["Subject"] == "Confirm that you want to be on news@example.org"
    assert CAROL not in house.members
    house.send(question["From"].strip("<>"), CAROL)
    assert CAROL in house.members
    assert house.subjects(CAROL)[-1] == "You are on news@example.org"
    house.send(question["From"].strip("<>"), CAROL)  # once more: nothing happens
    assert len(house.inbox(CAROL)) == 2


def test_leaving_is_confirmed_too(house: House) -> None:
    house.send("news-request@example.org", BOB, "Subject: x\r\n")
    assert house.subjects(BOB) == ["How to use news@example.org"]
    house.send("news-unsubscribe@example.org", BOB)
    house.send(house.inbox(BOB)[-1]["From"].strip("<>"), BOB)
    assert house.members == [ALICE]


def test_the_address_in_list_unsubscribe_needs_no_question(house: House) -> None:
    house.send(NEWS)
    uri = house.inbox(BOB)[0]["List-Unsubscribe"]
    address = uri.removeprefix("<mailto:").removesuffix(">").replace("%3D", "=")
    house.send(address, "somebody@b.example")
    assert house.members == [ALICE]
    assert house.subjects(BOB)[-1] == "You have left news@example.org"


def test_one_click_takes_a_member_off_the_list(tmp_path: Path) -> None:
    house = House(tmp_path, base_url="https://example.org/lists").furnish()
    house.send(NEWS)
    page = house.inbox(BOB)[0]["List-Unsubscribe"].partition(">")[0]
    name, number, tag = page.split("/")[-3:]
    assert not finish(house.office.lists.unsubscribe(name, int(number), "aaaaaaaa"))
    assert not finish(house.office.lists.unsubscribe(name, 999, tag))
    assert finish(house.office.lists.unsubscribe(name, int(number), tag))
    assert house.members == [ALICE]


def test_a_command_may_stand_in_the_subject(house: House) -> None:
    header = "X: y\r\n"
    house.count += 1
    blob = MemoryBlob(f"Subject: Re: Unsubscribe me\r\n{header}\r\n".encode())
    envelope = Envelope("id0", parse(BOB), (parse("news-request@example.org"),))
    finish(house.office.queue.accept(envelope, Message(blob)))
    house.work()
    assert house.subjects(BOB) == ["Confirm that you want to leave news@example.org"]


def test_nobody_is_told_the_same_many_times(house: House) -> None:
    for _ in range(3):
        house.send("news-request@example.org", BOB)
        house.send("news-unsubscribe@example.org", CAROL)
    assert len(house.inbox(BOB)) == len(house.inbox(CAROL)) == 1
    house.clock.seconds += 3601
    house.send("news-request@example.org", BOB)
    assert len(house.inbox(BOB)) == 2


def test_a_closed_list_is_joined_by_the_administrator_alone(house: House) -> None:
    house.register.lists.alter(NEWS, joining=JoiningPolicy.CLOSED)
    house.send("news-subscribe@example.org", CAROL)
    assert house.subjects(CAROL) == ["news@example.org is closed"]


def test_who_is_no_member_is_told_so(house: House) -> None:
    house.send("news-unsubscribe@example.org", CAROL)
    assert house.subjects(CAROL) == ["This cannot be done on news@example.org"]


@pytest.mark.parametrize("role", ["subscribe", "unsubscribe", "request", "confirm+x"])
@pytest.mark.parametrize(
    ("sender", "header"),
    [("", ""), (CAROL, "Auto-Submitted: auto-replied\r\n"), (CAROL, "Precedence: bulk\r\n")],
)
def test_programs_get_no_answers(house: House, role: str, sender: str, header: str) -> None:
    house.send(f"news-{role}@example.org", sender, header)
    assert not house.store.inboxes
    assert not list(house.path.iterdir())


def test_strangers_elsewhere_are_not_written_to_yet(house: House) -> None:
    house.send("news-subscribe@example.org", "eve@b.example")
    assert not house.store.inboxes
    assert not list(house.path.iterdir())


# ---------------------------------------------------------------- bounces


def bounce(house: House, body: str = "", header: str = "") -> None:
    house.send(house.bounces(BOB), "", header, body)
    house.clock.seconds += 86400


DSN = 'Content-Type: multipart/report; report-type=delivery-status; boundary="x"\r\n'


def test_bounces_suspend_a_member_and_the_owners_are_told(tmp_path: Path) -> None:
    house = House(tmp_path, max_bounces=3).furnish()
    house.send(NEWS)
    for _ in range(3):
        assert house.register.lists.all()[0].suspended == 0
        bounce(house, "--x\r\n\r\nAction: failed\r\n", DSN)
    assert house.register.lists.all()[0].suspended == 1
    assert house.subjects(CAROL) == ["bob@example.org gets no more mail of news@example.org"]
    house.send(NEWS)
    assert (len(house.inbox(ALICE)), len(house.inbox(BOB))) == (2, 1)
    house.register.lists.resume(NEWS, BOB)
    house.send(NEWS)
    assert len(house.inbox(BOB)) == 2


@pytest.mark.parametrize(
    ("header", "body"),
    [
        (DSN, "--x\r\n\r\nAction: delayed\r\n"),
        ("Auto-Submitted: auto-replied (vacation)\r\n", "I am away"),
    ],
)
def test_delays_and_vacations_are_no_bounces(house: House, header: str, body: str) -> None:
    house.send(NEWS)
    bounce(house, body, header)
    assert [row.bounces for row in house.register.lists.members(NEWS)] == [0, 0]


def test_a_bounce_of_any_form_counts(house: House) -> None:
    house.send(NEWS)
    bounce(house, "Hi. This is the qmail-send program.")
    assert [row.bounces for row in house.register.lists.members(NEWS)] == [0, 1]


def test_invented_bounces_are_refused(house: House) -> None:
    for detail in ("+bob=example.org=aaaaaaaa", "+=2=aaaaaaaa", "", "+x"):
        assert house.refusal(f"news-bounces{detail}@example.org", "") == "550 5.1.1"


def test_a_copy_that_is_refused_at_once_is_a_bounce(house: House) -> None:
    house.store.trouble[BOB] = Refused("The mailbox is full")
    house.send(NEWS)
    assert [row.bounces for row in house.register.lists.members(NEWS)] == [0, 1]
    assert not list(house.path.iterdir())
