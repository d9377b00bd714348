"""Random commands of one client, each with what its end must be."""

import asyncio
import random
import re

from bench.imap_stress.client import Client, Sent
from bench.imap_stress.grammar import sequence_set
from bench.imap_stress.samples import SAMPLES
from bench.imap_stress.searches import Criterion, Searches

BOX, OTHER_BOX = "stress", "stress-copy"
PIPELINED = 10  # commands under way at most
KEEPS_NUMBERS = frozenset({"FETCH", "STORE", "SEARCH"})
FLAGS = ("\\answered", "\\flagged", "\\seen", "\\draft", "$label1", "$label2", "$label3", "$label4")
FIELDS = ("From", "To", "Cc", "Subject", "References", "In-Reply-To", "Message-ID", "Delivered-To")
ITEMS = ("ENVELOPE", "INTERNALDATE", "BODY", "BODYSTRUCTURE", "RFC822.SIZE", "ENVELOPE")
PARTS = ("BODY.PEEK[HEADER]", "RFC822.HEADER", "BODY.PEEK[]", "BODY.PEEK[1]", "BODY.PEEK[TEXT]")
_APPENDED = re.compile(r"\[APPENDUID (\d+) (\d+)\]", re.IGNORECASE)


class Player:
    """Plays one client. ``own`` are flags that only it alters, if it is to keep to them.

    There are to be ``most`` messages in the mailbox; more are deleted by those who may.
    """

    def __init__(
        self,
        client: Client,
        chance: random.Random,
        own: tuple[str, ...] = (),
        *,
        most: int = 60,
        deletes: bool = True,
    ) -> None:
        self.client = client
        self._chance = chance
        self._own = own
        self._most = most
        self._weights = {
            self._fetch: 20,
            self._fetch_part: 12,
            self._store: 14,
            self._delete: 8 if deletes else 0,
            self._search: 10,
            self._append: 14,
            self._simple: 16,
            self._copy: 0 if own else 5,
        }

    def step(self) -> None:
        """Send one command, if one may be sent now."""
        pending = self.client.pending.values()
        if len(pending) < PIPELINED and all(one.name != "IDLE" for one in pending):
            self._chance.choices(list(self._weights), list(self._weights.values()))[0]()

    async def pause(self) -> None:
        """Give others the time, or wait for an answer."""
        await asyncio.sleep(self._chance.choice((0, 0.001, 0.005, 0.02)))
        if (oldest := self.client.oldest) is not None and self._chance.random() < 0.5:
            await asyncio.wait_for(asyncio.shield(oldest.done), 60)

    def _numbers(self, most: int) -> tuple[int, ...]:
        """Return some numbers, none where they could change before the command is read."""
        size = len(self.client.view.messages)
        if not size or any(one.name not in KEEPS_NUMBERS for one in self.client.pending.values()):
            return ()
        chosen = self._chance.randint(1, max(1, min(most, size)))
        return tuple(sorted(self._chance.sample(range(1, size + 1), chosen)))

    # ------------------------------------------------------------ reading

    def _fetch(self) -> None:
        if numbers := self._numbers(100):
            items = [self._item() for _ in range(self._chance.randint(1, 4))]
            names = " ".join(dict.fromkeys(["UID", "FLAGS", *items]))
            self.client.send("FETCH", f"FETCH {sequence_set([*numbers])} ({names})", numbers)

    def _item(self) -> str:
        if self._chance.random() < 0.15:
            fields = self._chance.sample(FIELDS, self._chance.randint(1, 4))
            return f"BODY.PEEK[HEADER.FIELDS ({' '.join(fields)})]"
        return self._chance.choice(ITEMS)

    def _fetch_part(self) -> None:
        if numbers := self._numbers(1):
            part = self._chance.choice(PARTS)
            self.client.send("FETCH", f"FETCH {numbers[0]} (UID {part})", numbers)

    def _search(self) -> None:
        client, view = self.client, self.client.view
        if not self._numbers(1) or any(one.name == "SEARCH" for one in client.pending.values()):
            return
        searches = Searches(self._chance, client.known, len(view.messages))
        criteria = [searches.criterion() for _ in range(self._chance.choice((1, 1, 2)))]
        view.found = None
        sent = client.send("SEARCH", "SEARCH " + " ".join(one.text for one in criteria))
        asked = list(view.messages)

        def check(status: str, rest: str) -> None:
            if status == "OK":
                self._check_found(sent.line, criteria, [one.uid for one in asked])

        sent.check = check

    def _check_found(self, line: str, criteria: list[Criterion], uids: list[int]) -> None:
        view, known = self.client.view, self.client.known
        if view.found is None:
            view.wrong(f"no answer to {line}")
            return
        for number, uid in enumerate(uids, 1):
            truths = [criterion.meets(number, uid) for criterion in criteria]
            if number in view.found and False in truths:
                view.wrong(f"{line}: found {number}, uid {uid} {known.ids.get(uid)}")
            elif number not in view.found and all(truths) and uid and uid not in known.removed:
                # It may be gone, and nobody has heard of that yet: the next checkpoint shows it.
                known.suspects.setdefault(uid, f"{line} does not find {number}, uid {uid}")

    # ------------------------------------------------------------ altering

    def _store(self) -> None:
        numbers = self._numbers(max(1, len(self.client.view.messages) // 5))
        if not numbers or (self._own and self._are_named(numbers)):
            return
        how = self._chance.choice("+-" if self._own else ("+", "-", ""))
        flags = self._own or FLAGS
        chosen = self._chance.sample(flags, self._chance.randint(1, min(4, len(flags))))
        self._send_store(numbers, how, chosen, ".SILENT" * (self._chance.random() < 0.3))

    def _are_named(self, numbers: tuple[int, ...]) -> bool:
        return any(self.client.view.messages[number - 1].references for number in numbers)

    def _send_store(
        self, numbers: tuple[int, ...], how: str, flags: list[str], silent: str = ""
    ) -> None:
        line = f"STORE {sequence_set([*numbers])} {how}FLAGS{silent} ({' '.join(flags)})"
        sent = self.client.send("STORE", line, numbers)
        sent.check = lambda status, rest: self._stored(sent, how, flags, silent, status)

    def _stored(self, sent: Sent, how: str, flags: list[str], silent: str, status: str) -> None:
        view = self.client.view
        for message in sent.messages:
            if silent:
                message.flags = None  # not known until they are fetched
            elif status == "OK" and message not in sent.fetched and message in view.messages:
                view.wrong(f"{sent.line} sent no flags of uid {message.uid}")
            is_sure = bool(self._own) and status == "OK" and not message.references
            for flag in set(flags) & set(self._own):
                message.owned[flag] = how == "+" if is_sure else None
                if (
                    is_sure
                    and message.flags is not None
                    and (flag in message.flags) != (how == "+")
                ):
                    view.wrong(f"{sent.line} did not take for uid {message.uid}")

    def _delete(self) -> None:
        size = len(self.client.view.messages)
        if numbers := self._numbers(size - self._most if size > self._most + 5 else 4):
            self._send_store(numbers, "+", ["\\deleted"])

    def _append(self) -> None:
        if len(self.client.view.messages) >= self._most:
            return
        sample = self._chance.choice(SAMPLES)
        flags = "" if self._own or self._chance.random() < 0.5 else " (\\Seen $label1)"
        sent = self.client.send(
            "APPEND", f"APPEND {BOX}{flags}{self._date()}", literal=sample.octets
        )

        def check(status: str, rest: str) -> None:
            if appended := _APPENDED.search(rest):
                self.client.known.learn_id(int(appended[2]), sample.id)

        sent.check = check

    def _date(self) -> str:
        day, hour, zone = (self._chance.randint(*one) for one in ((1, 28), (0, 23), (0, 9)))
        date = f' "{day:2d}-Nov-2023 {hour:02d}:00:00 +0{zone}00"'
        return date if self._chance.random() < 0.5 else ""

    def _copy(self) -> None:
        if numbers := self._numbers(1):
            last = min(len(self.client.view.messages), numbers[0] + self._chance.randint(0, 5))
            name = self._chance.choice(("COPY", "COPY", "COPY", "MOVE", "MOVE"))
            self.client.send(name, f"{name} {numbers[0]}:{last} {OTHER_BOX}")

    def _simple(self) -> None:
        lines = {
            "EXPUNGE": "EXPUNGE",
            "NOOP": "NOOP",
            "CHECK": "CHECK",
            "STATUS": f"STATUS {BOX} (MESSAGES UNSEEN RECENT)",
            "LIST": 'LIST "" *',
            "UID FETCH": "UID FETCH 1:* FLAGS",
            "IDLE": "IDLE",
        }
        [name] = self._chance.choices(list(lines), [6, 3, 2, 3, 2, 4, 2])
        self.client.send(name, lines[name])
