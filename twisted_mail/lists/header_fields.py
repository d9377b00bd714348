"""The header of a message as a list sends it: the fields that are added, and those removed.

The body and all fields that are usually signed stay as they are, so that DKIM signatures stay valid.
"""

import re
from email.header import Header
from urllib.parse import quote

from twisted_mail.lists.verp import VerpSigner
from twisted_mail.mail.address import Address
from twisted_mail.mail.mailing_list_definition import (
    JoiningPolicy,
    ListRole,
    MailingList,
    Member,
    PostingPolicy,
    role_address,
)
from twisted_mail.mail.mime.header import fields

# A message has the fields of one list only (RFC 2369 §4): those of earlier lists are removed, and
# those that lead answers and receipts elsewhere.
_REMOVED = frozenset(
    f"list-{word}".encode()
    for word in ("archive", "help", "id", "owner", "post", "subscribe", "unsubscribe")
) | {b"list-unsubscribe-post", b"precedence", b"return-path", b"errors-to"}
_ODD = re.compile(r'["\\]')


def without_list_fields(header: bytes) -> bytes:
    """Return the header of a message, its empty line included, without the fields to remove."""
    parts, at = [], 0
    for field in fields(header):
        if field.name.lower() in _REMOVED:
            parts.append(header[at : field.start])
            at = field.stop
    return b"".join(parts) + header[at:]


def common_fields(mailing_list: MailingList) -> bytes:
    """Return the fields that all members' copies share (RFC 2369, RFC 2919)."""
    request = role_address(mailing_list.address, ListRole.REQUEST)
    is_open = mailing_list.posting is not PostingPolicy.OWNERS
    lines = [
        f"List-Id: {_title(mailing_list)}<{list_id(mailing_list)}>",
        f"List-Post: {f'<{mailto(mailing_list.address)}>' if is_open else 'NO'}",
        f"List-Help: <{mailto(request)}?subject=help>",
        f"List-Owner: <{mailto(role_address(mailing_list.address, ListRole.OWNER))}>",
        f"X-Loop: {mailing_list.name}",
        "Precedence: list",
    ]
    if mailing_list.joining is JoiningPolicy.CONFIRMED:
        joining = role_address(mailing_list.address, ListRole.SUBSCRIBE)
        lines.insert(3, f"List-Subscribe: <{mailto(joining)}>")
    return _lines(lines)


def member_fields(
    mailing_list: MailingList, member: Member, signer: VerpSigner, base_url: str
) -> bytes:
    """Return the fields of one member's copy: how to unsubscribe, with one click if there is a page."""
    unsubscribing = mailto(signer.member_address(mailing_list, member, ListRole.UNSUBSCRIBE))
    if not base_url:
        return _lines([f"List-Unsubscribe: <{unsubscribing}>"])
    tag = signer.member_tag(mailing_list, member.number, ListRole.UNSUBSCRIBE)
    page = f"{base_url.rstrip('/')}/{quote(mailing_list.name, safe='@')}/{member.number}/{tag}"
    return _lines(
        [
            f"List-Unsubscribe: <{page}>,\r\n\t<{unsubscribing}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ]
    )


def list_id(mailing_list: MailingList) -> str:
    """Return the identifier of a list, which its title does not change (RFC 2919 §3)."""
    return f"{mailing_list.address.local.lower()}.{mailing_list.address.domain}"


def mailto(address: Address) -> str:
    """Return the URI of an address (RFC 6068 §2)."""
    return f"mailto:{quote(address.local, safe='!$*+')}@{address.domain}"


def _title(mailing_list: MailingList) -> str:
    if not mailing_list.title:
        return ""
    if mailing_list.title.isascii():
        return '"{}"\r\n\t'.format(_ODD.sub(r"\\\g<0>", mailing_list.title))
    return (
        Header(mailing_list.title, "utf-8", maxlinelen=60, continuation_ws="\t").encode(
            linesep="\r\n"
        )
        + "\r\n\t"
    )


def _lines(lines: list[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()
