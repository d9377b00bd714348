"""Whether a message may go to the members of a list: asked before anything is promised.

| the message | is |
| --- | --- |
| has been on this list already | refused: a loop |
| is a program's answer, a report, or from the null sender | refused (RFC 3834 §2) |
| comes from another list | held |
| was judged to be junk by a filter | held |
| is from an owner who is logged in | accepted |
| is from somebody who may not post | refused, or held if the list is moderated |
| is for a moderated list | held |
| anything else | accepted |

The envelope sender and the addresses in From are believed, as on all lists; only an owner's rights need
a login.
"""

from dataclasses import dataclass

from twisted_mail.interfaces import MailingListStore
from twisted_mail.lists.header_fields import list_id
from twisted_mail.mail import address_list
from twisted_mail.mail.address import Address, canonical_name, parse
from twisted_mail.mail.envelope import Envelope
from twisted_mail.mail.mailing_list_definition import MailingList, PostingPolicy
from twisted_mail.mail.mime.header import fields, unfolded
from twisted_mail.mail.outcome import Outcome, Refused

MAX_AUTHORS = 10  # of one message that are looked up among the members

_LOOPS = Outcome(554, "5.4.6", "The message has been on this list already")
_AUTOMATIC = Outcome(550, "5.7.1", "This list takes no automatic answers and reports")
# RFC 3463 §3.8: 5.7.2, mailing list expansion prohibited
_MEMBERS = Outcome(550, "5.7.2", "Only members may write to this list")
_OWNERS = Outcome(550, "5.7.2", "Only its owners may write to this list")


@dataclass(frozen=True, slots=True)
class PostHeader:
    """The parts of a message's header that matter to a list; all texts are in lower case."""

    list_ids: tuple[str, ...]
    loops: tuple[str, ...]
    auto_submitted: str
    precedence: str
    authors: tuple[Address, ...]

    @property
    def is_answer(self) -> bool:
        """Return whether a program has sent it as an answer (RFC 3834 §5)."""
        return self.auto_submitted.startswith("auto-replied") or self.precedence == "junk"

    @property
    def is_automatic(self) -> bool:
        """Return whether a program has written it, or sent it to many."""
        is_bulk = self.precedence in ("bulk", "junk", "list")
        return is_bulk or self.auto_submitted not in ("", "no")


def read_post_header(header: bytes) -> PostHeader:
    """Return the parts of a header that matter to a list."""
    found: dict[bytes, list[bytes]] = {}
    for field in fields(header):
        found.setdefault(field.name.lower(), []).append(unfolded(field.value))

    def texts(name: bytes) -> tuple[str, ...]:
        return tuple(
            value.decode("ascii", "replace").strip().lower() for value in found.get(name, ())
        )

    return PostHeader(
        texts(b"list-id"),
        texts(b"x-loop"),
        (texts(b"auto-submitted") or ("",))[0],
        (texts(b"precedence") or ("",))[0],
        _authors(found.get(b"from", [])),
    )


def _authors(values: list[bytes]) -> tuple[Address, ...]:
    """Return the addresses of the From fields (RFC 5322 §3.6.2)."""
    authors: dict[Address, None] = {}
    for value in values[:1]:
        for one in address_list.parse(value[:10_000])[:MAX_AUTHORS]:
            try:
                local, domain = (one.local or b"").decode(), (one.domain or b"").decode()
                authors[parse(f"{local}@{domain}")] = None
            except ValueError:
                continue
    return tuple(authors)


async def check_post(
    mailing_list: MailingList, envelope: Envelope, head: PostHeader, lists: MailingListStore
) -> str:
    """Return the empty text for an accepted post, or why it is held. Raises Refused."""
    if _was_sent_by(mailing_list, head):
        raise Refused(_LOOPS)
    if envelope.sender.is_null or head.is_answer:
        raise Refused(_AUTOMATIC)
    if _is_owner(mailing_list, envelope.submitter):
        return ""
    if head.list_ids:
        return "it comes from another list"
    if envelope.is_quarantined:
        return "a filter takes it for junk"
    may_write = await _may_write(mailing_list, envelope, head, lists)
    if mailing_list.is_moderated:
        return "the list is moderated" if may_write else "its author is no member"
    if not may_write:
        raise Refused(_MEMBERS if mailing_list.posting is PostingPolicy.MEMBERS else _OWNERS)
    return ""


def _was_sent_by(mailing_list: MailingList, head: PostHeader) -> bool:
    """Return whether a message has been on a list already."""
    own_id = f"<{list_id(mailing_list)}>"
    return mailing_list.name.lower() in head.loops or any(own_id in one for one in head.list_ids)


def _is_owner(mailing_list: MailingList, submitter: str) -> bool:
    return bool(submitter) and canonical_name(submitter) in _owners(mailing_list)


def _owners(mailing_list: MailingList) -> set[str]:
    return {owner.key for owner in mailing_list.owners}


async def _may_write(
    mailing_list: MailingList, envelope: Envelope, head: PostHeader, lists: MailingListStore
) -> bool:
    """Return whether an author may post. Owners who are logged in were looked at before."""
    if mailing_list.posting is not PostingPolicy.MEMBERS:
        return mailing_list.posting is PostingPolicy.ANYONE
    authors = dict.fromkeys((envelope.sender, *head.authors))
    if envelope.submitter:
        authors[parse(envelope.submitter)] = None
    owners = _owners(mailing_list)
    for author in authors:
        is_owner = author.key in owners
        if is_owner or await lists.member(mailing_list.name, author) is not None:
            return True
    return False
