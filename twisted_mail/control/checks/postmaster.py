"""Where mail for the postmaster goes, which everybody must be able to reach (RFC 5321 §4.5.1)."""

from collections.abc import Iterator, Sequence

from twisted_mail.config import Config
from twisted_mail.control.addresses import explained
from twisted_mail.control.checks.note import Note
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.directory_entry import POSTMASTER
from twisted_mail.mail.outcome import MailError
from twisted_mail.mail.route import LocalRoute, NoRoute

SUBJECT = "postmaster"
CURE = "name an address of yours in mail.toml: [addresses] postmaster = ..."


def postmaster_notes(config: Config, domains: Sequence[str]) -> Iterator[Note]:
    """Check that mail for the postmaster of each domain, and of none, comes to somebody here."""
    setting = config.addresses.postmaster
    places = {domain: _place(Address(POSTMASTER, domain), config) for domain in ("", *domains)}
    lost = [f"<{Address(POSTMASTER, domain)}>" for domain, place in places.items() if not place]
    if lost and domains:
        text = f"nobody gets the mail for {_some(lost)}, and RFC 5321 §4.5.1 asks for it; {CURE}"
        yield Note("warning", SUBJECT, text)
    for place in dict.fromkeys(filter(None, places.values())):
        names = [domain or "no domain" for domain, found in places.items() if found == place]
        yield Note("fine", SUBJECT, f"its mail goes to {place} (of {_some(names)})")
    if setting and not _place(parse(setting), config):
        text = f"mail for {setting}, which mail.toml names, would come to nobody here"
        yield Note("warning", SUBJECT, text)
    told = config.reports.postmaster
    if told and isinstance(explained(parse(told), config)[0], NoRoute):
        text = f"reports for {told}, which [reports] postmaster names, would be refused here"
        yield Note("warning", SUBJECT, text)


def _place(address: Address, config: Config) -> str:
    """Return where mail for an address goes, in words; nothing if it would be refused."""
    try:
        route, _ = explained(address, config)
    except MailError:
        return ""
    if not isinstance(route, LocalRoute):
        return ""
    programs = [f"the program {one.program}" for one in route.programs]
    lists = [f"the list {one.list}" for one in route.lists]
    return ", ".join((*route.accounts, *programs, *lists))


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
