"""The filters of our own house that ask other programs."""

from typing import TypeVar

from twisted_mail.plugin import RoomFilter
from twisted_mail.policy.clamav import ClamavFilter, ClamavSettings
from twisted_mail.policy.milter.filter import MilterFilter
from twisted_mail.policy.milter.settings import MilterSettings
from twisted_mail.policy.rspamd import RspamdFilter, RspamdSettings
from twisted_mail.policy.spamassassin import SpamassassinFilter, SpamassassinSettings

T = TypeVar("T")


def _needed(door: T | None) -> T:
    """Return a door that only a running server has."""
    if door is None:
        raise ValueError("this filter needs a running server")
    return door


milter_filter = RoomFilter(
    "milter",
    "Asks a mail filter of another program, such as OpenDKIM or Rspamd, by the milter protocol.",
    MilterSettings,
    lambda settings, doors: MilterFilter(
        settings, doors.hostname, _needed(doors.dialing), doors.blocking
    ),
)
rspamd_filter = RoomFilter(
    "rspamd",
    "Asks Rspamd, over HTTP, what it thinks of a message.",
    RspamdSettings,
    lambda settings, doors: RspamdFilter(
        settings, doors.hostname, _needed(doors.posting), doors.blocking
    ),
)
clamav_filter = RoomFilter(
    "clamav",
    "Asks ClamAV whether a message has a virus.",
    ClamavSettings,
    lambda settings, doors: ClamavFilter(settings, _needed(doors.dialing), doors.blocking),
)
spamassassin_filter = RoomFilter(
    "spamassassin",
    "Asks SpamAssassin for the score of a message.",
    SpamassassinSettings,
    lambda settings, doors: SpamassassinFilter(settings, _needed(doors.dialing), doors.blocking),
)
