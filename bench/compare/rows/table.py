"""The groups of rows, by the names that ``--only`` takes."""

from dataclasses import dataclass

from bench.compare.rows import (
    append,
    bulk,
    idle,
    indexing,
    memory,
    pop3,
    selecting,
    sessions,
    small,
    smtp,
)
from bench.compare.rows.setting import Rows


@dataclass(frozen=True)
class Group:
    """Rows that are measured one after another; ``service`` is what a server must offer for them."""

    rows: Rows
    service: str


GROUPS = {
    "S1": Group(smtp.one_each, "smtp"),
    "S2": Group(smtp.pipelined, "smtp"),
    "S2b": Group(smtp.one_connection, "smtp"),
    "S3": Group(smtp.large, "smtp"),
    "S4": Group(smtp.ten_recipients, "smtp"),
    "S5": Group(smtp.submission, "submissions"),
    "S6": Group(smtp.relayed, "relay"),
    "S6c": Group(smtp.relayed_in_clear, "relay"),
    "I1": Group(sessions.imap, "imap"),
    "I2": Group(bulk.bulk, "imap"),
    "I4a": Group(append.append, "imap"),
    "I5": Group(idle.idle, "imap"),
    "I6": Group(selecting.hundred_thousand, "imap"),
    "I7": Group(small.plain, "imap"),
    "I7t": Group(small.secure, "imaps"),
    "I8": Group(selecting.again, "imap"),
    "I9": Group(small.store, "imap"),
    "P1": Group(pop3.fetch_all, "pop3"),
    "P2": Group(sessions.pop3, "pop3"),
    "T1": Group(sessions.handshakes, "imaps"),
    "X1": Group(indexing.indexing, "imap"),
    "M1": Group(memory.idle, "imap"),
    "M2": Group(memory.large_mailbox, "imap"),
}
