"""What all clients together know of the mailbox, and what they have found wrong."""

from collections import Counter
from dataclasses import dataclass, field

from bench.imap_stress.grammar import Value, text
from bench.imap_stress.samples import BY_ID, Sample

UNKEPT = ("UID", "FLAGS", "INTERNALDATE")


@dataclass
class Knowledge:
    """``ids`` are the Message-IDs by UID; ``items`` what FETCH gave for each of them.

    ``suspects`` should have been found by a SEARCH, unless they prove to be gone.
    """

    ids: dict[int, str] = field(default_factory=dict)
    dates: dict[int, str] = field(default_factory=dict)
    items: dict[tuple[str, str], str] = field(default_factory=dict)
    recent: dict[int, int] = field(default_factory=dict)
    removed: set[int] = field(default_factory=set)
    suspects: dict[int, str] = field(default_factory=dict)
    uid_validity: str = ""
    commands: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)

    def wrong(self, what: str) -> None:
        """Note and print an error."""
        self.errors.append(what)
        print("ERROR", what, flush=True)

    def sample(self, uid: int) -> Sample | None:
        """Return what the message is, if that is known yet."""
        return BY_ID.get(self.ids.get(uid, ""))

    def learn_id(self, uid: int, id: str) -> None:
        """Note whose UID it is, which must never change."""
        if self.ids.setdefault(uid, id) != id:
            self.wrong(f"uid {uid} was {self.ids[uid]} and is {id}")

    def learn_date(self, uid: int, date: str) -> None:
        """Note the internal date, which must never change."""
        if self.dates.setdefault(uid, date.strip()) != date.strip():
            self.wrong(f"INTERNALDATE of uid {uid} was {self.dates[uid]} and is {date}")

    def learn_items(self, uid: int, items: dict[str, Value]) -> None:
        """Compare what FETCH gave with the sample, and with what others got of the same sample."""
        sample = self.sample(uid)
        if sample is None:
            return
        for name, value in items.items():
            if name in UNKEPT or value is None:
                continue
            name = "BODY[HEADER]" if name == "RFC822.HEADER" else name
            if name in (wanted := _known(sample)) and value != wanted[name]:
                self.wrong(f"uid {uid} {sample.id}: other {name}: {text(value)[:200]}")
            kept = self.items.setdefault((sample.id, name), text(value))
            if kept != text(value):
                self.wrong(
                    f"uid {uid} {sample.id}: {name} was {kept[:200]}, is {text(value)[:200]}"
                )


def _known(sample: Sample) -> dict[str, str]:
    return {
        "BODY[]": sample.octets.decode(),
        "BODY[HEADER]": sample.header,
        "BODY[TEXT]": sample.text,
        "RFC822.SIZE": str(len(sample.octets)),
    }
