"""RFC 3501 as values like those of the extensions, and the capabilities of what is built into it."""

from twisted_mail.imap.capabilities import (
    Capability,
    CapabilityContext,
    always,
    before_login,
)
from twisted_mail.imap.commands import (
    always as always_allowed,
)
from twisted_mail.imap.commands import (
    append,
    copy,
    expunge,
    fetch,
    listing,
    login,
    mailboxes,
    search,
    selection,
    store,
)
from twisted_mail.imap.extensions.extension import Extension
from twisted_mail.imap.fetch.items import FETCH_ITEMS
from twisted_mail.imap.mailboxes.responses import SELECT_RESPONSES
from twisted_mail.imap.mailboxes.return_options import RETURN_OPTIONS
from twisted_mail.imap.mailboxes.status_items import STATUS_ITEMS
from twisted_mail.imap.search.keys import SEARCH_KEYS
from twisted_mail.interfaces import usable_mechanisms


def _may_start_tls(context: CapabilityContext) -> bool:
    return before_login(context) and context.may_start_tls


def _refuses_passwords(context: CapabilityContext) -> bool:
    return before_login(context) and not context.takes_passwords


def _mechanisms(context: CapabilityContext) -> list[str]:
    return [each.name for each in usable_mechanisms(context.mechanisms, context.takes_passwords)]


BASE = Extension(
    "IMAP4rev1",
    capabilities=(
        Capability("IMAP4rev1", always),
        Capability("LITERAL+", always),  # RFC 7888, in framing
        Capability("SASL-IR", always),  # RFC 4959, in AUTHENTICATE
        Capability("STARTTLS", _may_start_tls),
        Capability("LOGINDISABLED", _refuses_passwords),
        Capability("AUTH", before_login, _mechanisms),
        Capability("CHILDREN"),  # RFC 3348, in LIST, as are the next three
        Capability("LIST-EXTENDED"),  # RFC 5258
        Capability("SPECIAL-USE"),  # RFC 6154
        Capability("CREATE-SPECIAL-USE"),  # in CREATE
        Capability("UIDPLUS"),  # RFC 4315, in APPEND, COPY and EXPUNGE
    ),
    commands=(
        *always_allowed.COMMANDS,
        *login.COMMANDS,
        *mailboxes.COMMANDS,
        *listing.COMMANDS,
        *selection.COMMANDS,
        *append.COMMANDS,
        *fetch.COMMANDS,
        *store.COMMANDS,
        *search.COMMANDS,
        *copy.COMMANDS,
        *expunge.COMMANDS,
    ),
    fetch_items=FETCH_ITEMS,
    search_keys=SEARCH_KEYS,
    status_items=STATUS_ITEMS,
    select_responses=SELECT_RESPONSES,
    return_options=RETURN_OPTIONS,
)
