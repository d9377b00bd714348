"""The filters that come with the server and ask other programs."""

from typing import TypeVar

from twisted_mail.plugin import BuiltinFilter
from twisted_mail.policy.milter.filter import MilterFilter
from twisted_mail.policy.milter.settings import MilterSettings
from twisted_mail.policy.scanners.clamav import ClamavFilter, ClamavSettings
from twisted_mail.policy.scanners.rspamd import RspamdFilter, RspamdSettings
from twisted_mail.policy.scanners.spamassassin import SpamassassinFilter, SpamassassinSettings

T = TypeVar("T")


def _needed(door: T | None) -> T:
    """Return a door that only a running server has."""
    if door is None:
        raise ValueError("this filter needs a running server")
    return door


milter_filter = BuiltinFilter(
    "milter",
    "Asks a mail filter of another program, such as OpenDKIM or Rspamd, by the milter protocol.",
    MilterSettings,
    lambda settings, backend: MilterFilter(
        settings, backend.hostname, _needed(backend.connector), backend.blocking
    ),
)
rspamd_filter = BuiltinFilter(
    "rspamd",
    "Asks Rspamd, over HTTP, what it thinks of a message.",
    RspamdSettings,
    lambda settings, backend: RspamdFilter(
        settings, backend.hostname, _needed(backend.http_client), backend.blocking
    ),
)
clamav_filter = BuiltinFilter(
    "clamav",
    "Asks ClamAV whether a message has a virus.",
    ClamavSettings,
    lambda settings, backend: ClamavFilter(settings, _needed(backend.connector), backend.blocking),
)
spamassassin_filter = BuiltinFilter(
    "spamassassin",
    "Asks SpamAssassin for the score of a message.",
    SpamassassinSettings,
    lambda settings, backend: SpamassassinFilter(
        settings, _needed(backend.connector), backend.blocking
    ),
)
