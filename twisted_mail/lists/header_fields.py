"""The header of a message as a list sends it: what is added, and what is taken out.

The body and all fields that are usually signed stay as they are, so that DKIM signatures hold.
"""

import re
from email.header import Header
from urllib.parse import quote

from twisted_mail.lists.verp import VerpSigner
from twisted_mail.mail.address import Address
from twisted_mail.mail.mailing_list import (
    JoiningPolicy,
    ListRole,
    MailingList,
    Member,
    PostingPolicy,
    role_address,
)
from twisted_mail.mail.mime.header import fields

# A message has the fields of one list only (RFC 2369 §4): those of a list before ours go, and what
# might lead answers and receipts away from us.
_TAKEN_OUT = frozenset(
    f"list-{word}".encode()
    for word in ("archive", "help", "id", "owner", "post", "subscribe", "unsubscribe")
) | {b"list-unsubscribe-post", b"precedence", b"return-path", b"errors-to"}
_ODD = re.compile(r'["\\]')


def without_list_fields(header: bytes) -> bytes:
    """Return the header of a message, its empty line included, without what is taken out."""
    parts, at = [], 0
    for field in fields(header):
        if field.name.lower() in _TAKEN_OUT:
            parts.append(header[at : field.start])
            at = field.stop
    return b"".join(parts) + header[at:]


def common_fields(to: MailingList) -> bytes:
    """Return the fields that all members' copies share (RFC 2369, RFC 2919)."""
    request = role_address(to.address, ListRole.REQUEST)
    lines = [
        f"List-Id: {_title(to)}<{list_id(to)}>",
        f"List-Post: {'NO' if to.posting is PostingPolicy.OWNERS else f'<{mailto(to.address)}>'}",
        f"List-Help: <{mailto(request)}?subject=help>",
        f"List-Owner: <{mailto(role_address(to.address, ListRole.OWNER))}>",
        f"X-Loop: {to.name}",
        "Precedence: list",
    ]
    if to.joining is JoiningPolicy.CONFIRMED:
        joining = role_address(to.address, ListRole.SUBSCRIBE)
        lines.insert(3, f"List-Subscribe: <{mailto(joining)}>")
    return _lines(lines)


def member_fields(to: MailingList, member: Member, signer: VerpSigner, base_url: str) -> bytes:
    """Return the fields of one member's copy: how to unsubscribe, by one click where there is a page."""
    leaving = mailto(signer.member_address(to, member, ListRole.UNSUBSCRIBE))
    if not base_url:
        return _lines([f"List-Unsubscribe: <{leaving}>"])
    tag = signer.member_tag(to, member.number, ListRole.UNSUBSCRIBE)
    page = f"{base_url.rstrip('/')}/{quote(to.name, safe='@')}/{member.number}/{tag}"
    return _lines(
        [
            f"List-Unsubscribe: <{page}>,\r\n\t<{leaving}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ]
    )


def list_id(to: MailingList) -> str:
    """Return what identifies a list, whatever its title (RFC 2919 §3)."""
    return f"{to.address.local.lower()}.{to.address.domain}"


def mailto(address: Address) -> str:
    """Return the URI of an address (RFC 6068 §2)."""
    return f"mailto:{quote(address.local, safe='!$*+')}@{address.domain}"


def _title(to: MailingList) -> str:
    if not to.title:
        return ""
    if to.title.isascii():
        return '"{}"\r\n\t'.format(_ODD.sub(r"\\\g<0>", to.title))
    return (
        Header(to.title, "utf-8", maxlinelen=60, continuation_ws="\t").encode(linesep="\r\n")
        + "\r\n\t"
    )


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()
