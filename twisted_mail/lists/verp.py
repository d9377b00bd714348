"""Variable envelope return paths (VERP): addresses that name a member, and cannot be forged.

Each copy of a list's message has an envelope sender of its own, so that a bounce names the member,
whatever it contains: ``news-bounces+alice=example.net=TAG@example.org``. The tag is made with the list's
secret: without it, anybody could get a member suspended by a few invented bounces. Where the local part
would be longer than RFC 5321 §4.5.3.1.1 allows, the member's number replaces the address:
``news-bounces+=42=TAG``.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from twisted_mail.mail.address import PORTABLE_LOCAL, Address, parse
from twisted_mail.mail.mailing_list_definition import ListRole, MailingList, Member, role_address

_LENGTH = 8  # characters of base 32: one guess in 2**40 is right


@dataclass(frozen=True, slots=True)
class VerpSigner:
    """Makes tags, and verifies them."""

    secret: bytes

    def tag(self, purpose: str, *about: str) -> str:
        """Return the tag for a purpose and what it is about."""
        text = "\0".join((purpose, *about)).lower().encode()
        digest = hmac.digest(self.secret, text, hashlib.sha256)
        return base64.b32encode(digest)[:_LENGTH].decode().lower()

    def is_valid(self, tag: str, purpose: str, *about: str) -> bool:
        """Return whether a tag is valid for a purpose, in any letter case."""
        expected = self.tag(purpose, *about).encode()
        return hmac.compare_digest(tag.lower().encode(), expected)

    def member_address(self, mailing_list: MailingList, member: Member, role: ListRole) -> Address:
        """Return a list's address for one member: for bounces, or to unsubscribe at once."""
        tag = self.member_tag(mailing_list, member.number, role)
        named = Address(f"{member.address.local}={member.address.domain}={tag}", "")
        address = role_address(mailing_list.address, role, named.local)
        if len(address.local.encode()) <= PORTABLE_LOCAL and _is_plain(address):
            return address
        return role_address(mailing_list.address, role, f"={member.number}={tag}")

    def member_tag(self, mailing_list: MailingList, number: int, role: ListRole) -> str:
        """Return the tag of a member for one role."""
        return self.tag(role.value, mailing_list.name, str(number))


def _is_plain(address: Address) -> bool:
    return not str(address).startswith('"') and address.local.isascii()


def parse_member_detail(detail: str) -> tuple[Address | int, str] | None:
    """Return the member that a detail names, by address or number, and its tag; None if it names none."""
    named, equals, tag = detail.rpartition("=")
    if not equals:
        return None
    local, equals, domain = named.rpartition("=")
    if not equals:
        return None
    if not local:
        return (int(domain), tag) if domain.isdecimal() and len(domain) < 16 else None
    try:
        return parse(f"{local}@{domain}"), tag
    except ValueError:
        return None
