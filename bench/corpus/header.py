"""The header of one message of the corpus: trace fields, names, subjects, threads."""

import base64
import time
from dataclasses import dataclass, field
from email.header import Header
from random import Random

from bench.corpus.words import FIRST_NAMES, FOREIGN, LAST_NAMES, MAILERS, SUBJECTS, WORDS, ZONES

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SUBJECT_WORD, FROM_WORD = "Zephyrquux", "Brontolith"  # planted, for searches


@dataclass
class Headers:
    """Writes one header after another, each some minutes after the last.

    Draws come in a fixed order from ``chance``, which the bodies share: another order is another corpus.
    """

    chance: Random
    now: int = 1_700_000_000
    ids: list[str] = field(default_factory=list)

    def write(self, number: int) -> tuple[str, bool, bool]:
        """Return a header up to ``X-Mailer``, and whether the subject and the sender were planted."""
        self.now += self.chance.randrange(30, 2500)
        date = self._date()
        name, is_from_planted = self._name()
        address = f"user{self.chance.randrange(400)}@example{self.chance.randrange(40)}.test"
        subject, is_reply, is_subject_planted = self._subject()
        id = f"<{self.chance.getrandbits(64):016x}.{number}@mail{self.chance.randrange(40)}.example.test>"
        references = self._references() if is_reply and self.ids else ""
        self.ids.append(id)
        shown = Header(subject, "utf-8", header_name="Subject").encode()
        text = self._trace(address, date) + self._signature()
        text += f"Date: {date}\nFrom: {name} <{address}>\n" + self._recipients()
        text += f"Subject: {subject if subject.isascii() else shown}\nMessage-ID: {id}\n"
        text += f"{references}MIME-Version: 1.0\n" + self._list()
        text += f"X-Mailer: {self.chance.choice(MAILERS)}\n"
        return text, is_subject_planted, is_from_planted

    def _date(self) -> str:
        then = time.gmtime(self.now)
        zone = self.chance.choice(ZONES)
        day = f"{DAYS[then.tm_wday]}, {then.tm_mday} {MONTHS[then.tm_mon - 1]} {then.tm_year}"
        return f"{day} {then.tm_hour:02}:{then.tm_min:02}:{then.tm_sec:02} {zone}"

    def _name(self) -> tuple[str, bool]:
        name = f"{self.chance.choice(FIRST_NAMES)} {self.chance.choice(LAST_NAMES)}"
        is_planted = self.chance.random() < 0.004
        if is_planted:
            name += f" {FROM_WORD}"
        return f'"{name}"' if name.isascii() else Header(name, "utf-8").encode(), is_planted

    def _subject(self) -> tuple[str, bool, bool]:
        subject = self.chance.choice(SUBJECTS)
        kind = self.chance.random()
        if kind < 0.12:
            subject = f"{self.chance.choice(FOREIGN)} {subject}"
        if kind > 0.6:
            subject = f"Re: {subject}"
        is_planted = self.chance.random() < 0.003
        if is_planted:
            subject += f" {SUBJECT_WORD}"
        if self.chance.random() < 0.5:
            subject += f" #{self.chance.randrange(100_000)}"
        return subject, kind > 0.6, is_planted

    def _references(self) -> str:
        number = self.chance.choice([1, 1, 2, 3, 5])
        near = min(len(self.ids), 300)
        chain = [self.ids[-1 - self.chance.randrange(near)] for _ in range(number)]
        return "References: " + "\n ".join(chain) + f"\nIn-Reply-To: {chain[-1]}\n"

    def _trace(self, address: str, date: str) -> str:
        draw = self.chance
        return (
            f"Return-Path: <{address}>\nDelivered-To: me@bench.test\n"
            f"Received: from mx{draw.randrange(9)}.example.test"
            f" (mx.example.test [192.0.2.{draw.randrange(250)}])\n"
            f"\tby mail.bench.test (Postfix) with ESMTPS id {draw.getrandbits(40):010X}\n"
            f"\tfor <me@bench.test>; {date}\n"
            f"Received: from [198.51.100.{draw.randrange(250)}] (unknown)\n"
            f"\tby mx.example.test with ESMTPSA id {draw.getrandbits(40):010X};\n\t{date}\n"
        )

    def _signature(self) -> str:
        if self.chance.random() >= 0.7:
            return ""
        text = base64.b64encode(self.chance.randbytes(256)).decode()
        digest = base64.b64encode(self.chance.randbytes(32)).decode()
        lines = "\n\t ".join(text[at : at + 66] for at in range(0, len(text), 66))
        fields = "h=from:to:subject:date:message-id"
        start = "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.test; s=s1;"
        return f"{start}\n\t{fields}; bh={digest};\n\tb={lines}\n"

    def _recipients(self) -> str:
        others = [self._other() for _ in range(self.chance.choice([0, 0, 0, 1, 2, 8]))]
        text = "To: " + ",\n\t".join(["me@bench.test", *others]) + "\n"
        if self.chance.random() < 0.2:
            text += f"Cc: list-{self.chance.randrange(20)}@lists.example.test\n"
        return text

    def _other(self) -> str:
        draw = self.chance
        name = f"{draw.choice(WORDS)} {draw.choice(WORDS)}"
        return f"{name} <person{draw.randrange(900)}@example{draw.randrange(40)}.test>"

    def _list(self) -> str:
        if self.chance.random() >= 0.3:
            return ""
        name = f"list-{self.chance.randrange(20)}.lists.example.test"
        link = f"https://lists.example.test/{self.chance.getrandbits(48):012x}"
        return f"List-Id: <{name}>\nList-Unsubscribe: <{link}>\nPrecedence: list\n"
