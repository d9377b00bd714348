r"""Where things are on disk, and how names become paths that cannot leave their folder.

    ROOT/<domain>/<local part>/            one account
        index.sqlite3                      what can be made again from the rest
        search.sqlite3                     the same of texts, for SEARCH
        uidvalidity                        the last UIDVALIDITY given
        special-use                        special use of mailboxes, a line each
        maildrop.lock                      locked by the POP3 session that has the maildrop
        Maildir/                           INBOX: cur, new, tmp, and
            subscriptions                  as Dovecot writes it
            .Sent.2024/                    the mailbox Sent/2024: cur, new, tmp, maildirfolder

Mailbox names are those of Maildir++ as Dovecot writes them: modified UTF-7, ``.`` between levels, and
a backslash with two hexadecimal digits for letters that would mean something else (its ``listescape``).
Other backslashes are letters, as they are for a Dovecot without that plugin; one before what looks
escaped is written ``\\5c``. So every folder that Dovecot made is a mailbox.
"""

import hashlib
import os
import re
from functools import lru_cache

from twisted_mail.mail.mime.encoding import decode_mailbox_name, encode_mailbox_name
from twisted_mail.mail.outcome import Refused
from twisted_mail.store.format import mailbox_names

MAX_FILE_NAME = 255  # octets, on every file system that matters
_MAX_PART = 200  # of an account's folder; longer ones are hashed

INBOX = b""  # the folder of INBOX, within the maildir
SUBFOLDERS = (b"tmp", b"new", b"cur")

# ---------------------------------------------------------------- accounts

_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-+=.")
_ENCODED = re.compile(rb"%([0-9a-f]{2})")
_NO_DOMAIN = b"%"  # no encoded text is a bare percent sign
_EMPTY = b"%-"
_HASHED = b"%h-"


@lru_cache(maxsize=4096)  # of names: 8 microseconds at each delivery without it
def account_path(root: bytes, account: str) -> bytes:
    """Return the folder of an account. Different names never share one."""
    local, at, domain = account.rpartition("@")
    return os.path.join(
        root, _encode(domain) if at else _NO_DOMAIN, _encode(local if at else domain)
    )


def account_name(domain: bytes, local: bytes) -> str | None:
    """Return the account whose folder is ``domain/local``, or None where the name is hashed."""
    local_part = _decode(local)
    if local_part is None or domain == _NO_DOMAIN:
        return local_part
    domain_part = _decode(domain)
    return None if domain_part is None else f"{local_part}@{domain_part}"


def _encode(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    coded = b"".join(b"%c" % byte if byte in _PLAIN else b"%%%02x" % byte for byte in raw)
    if coded.startswith(b"."):
        coded = b"%2e" + coded[1:]
    if len(coded) > _MAX_PART:
        return _HASHED + hashlib.sha256(raw).hexdigest().encode()
    return coded or _EMPTY


def _decode(coded: bytes) -> str | None:
    if coded == _EMPTY:
        return ""
    raw = _ENCODED.sub(lambda match: bytes([int(match[1], 16)]), coded)
    text = raw.decode("utf-8", "replace")
    return text if _encode(text) == coded else None


# ---------------------------------------------------------------- mailboxes

# Of a letter that is escaped wherever it stands; at the beginning, ~ is.
_CODE = "2e|[01][0-9a-f]|7f"
_TO_ESCAPE = re.compile(rf"\A~|\A\\(?=(?:5c)*7e)|\\(?=(?:5c)*(?:{_CODE}))|[\x00-\x1f\x7f./]")
_ESCAPED = re.compile(rf"\A\\(7e)|\\({_CODE})|\A\\5c(?=(?:5c)*7e)|\\5c(?=(?:5c)*(?:{_CODE}))")


def folder_name(mailbox: str) -> bytes:
    """Return the name of a mailbox's folder within the maildir; empty for INBOX.

    Raises Refused with condition CANNOT for a name that cannot be written.
    """
    mailbox = mailbox_names.canonical(mailbox)
    if mailbox == mailbox_names.INBOX:
        return INBOX
    levels = mailbox.split("/")
    try:
        coded = b"".join(b"." + encode_mailbox_name(_escape(level)) for level in levels)
    except UnicodeError:
        raise Refused("The mailbox name is not Unicode.", "CANNOT") from None
    if not all(levels) or len(coded) > MAX_FILE_NAME:
        raise Refused("The mailbox name is empty or too long.", "CANNOT")
    return coded


@lru_cache(maxsize=16_384)  # a listing of 2,000 mailboxes takes 45 ms without it
def mailbox_name(folder: bytes) -> str | None:
    """Return the mailbox of a folder of the maildir, or None where it is none of ours."""
    if folder == INBOX:
        return mailbox_names.INBOX
    try:
        levels = folder[1:].split(b".")
        mailbox = "/".join(_unescape(decode_mailbox_name(level)) for level in levels)
        return mailbox if folder_name(mailbox) == folder else None
    except (ValueError, Refused):
        return None


def _escape(level: str) -> str:
    return _TO_ESCAPE.sub(lambda match: f"\\{ord(match[0]):02x}", level)


def _unescape(level: str) -> str:
    return _ESCAPED.sub(_letter, level)


def _letter(match: re.Match[str]) -> str:
    return chr(int(match[1] or match[2] or "5c", 16))
