"""For each row of docs/reading-mail.md in which we differ from Dovecot, a message in which we do."""

from tests.whole.nasty_messages import EXTENDED, REPEATED


def _field(field: bytes) -> bytes:
    return field + b"\r\n\r\nx\r\n"


def _type(rest: bytes) -> bytes:
    return _field(b"Content-Type: text/plain; charset=utf-8" + rest)


def _parts(inner: bytes) -> bytes:
    """Return a message in a multipart, which has itself a multipart that ends with these octets."""
    head = b"Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n"
    head += b"Content-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\nx"
    return head + inner + b"\r\n--o--\r\n"


MESSAGES = {
    "name-with-at": _field(b"To: ann@b.example <ann@b.example>"),
    "brackets-in-name": _field(b"To: [list] Ann <ann@b.example>"),
    "backslash-in-name": _field(b'To: \\"Ann\\" <ann@b.example>'),
    "dots-in-domain": _field(b"To: ann@b..example"),
    "missing-angle": _field(b"To: Ann <ann@b.example"),
    "name-without-angle": _field(b"To: Ann ann@b.example"),
    "semicolons": _field(b"To: ann@b.example; bob@b.example"),
    "missing-comma": _field(b"To: ann@b.example bob@b.example"),
    "never-closed": _field(b'To: "Ann <ann@b.example>'),
    "empty-elements": _field(b"From: ann@b.example\r\nReply-To: ,"),
    "subject-repeated": _field(b"Subject: one\r\nSubject: two"),
    "disposition-repeated": _type(
        b"\r\nContent-Disposition: inline\r\nContent-Disposition: attachment"
    ),
    "type-malformed": _field(b"Content-Type: image"),
    "no-boundary": _field(b"Content-Type: multipart/mixed"),
    "fields-without-type": b"Content-Type: message/rfc822\r\n\r\nContent-ID: <a>\r\n\r\nx\r\n",
    "line-end-of-delimiter": _parts(b"\r\n--i--"),
    "blanks-in-value": _type(b"; name=a b.txt"),
    "specials-in-value": _type(b"; name=a(b).txt"),
    "empty-parameter": _type(b"; name=a; ; size=3"),
    "missing-semicolon": _type(b" name=a"),
    "pieces-that-do-not-fit": _type(b"; name*0=a; name*2=b"),
    "several-extended": _type(b"; name*0=a; name*1=b; other*=utf-8''y"),
    "escapes-of-pieces": _type(b"; name*0*=utf-8''a; name*1=\"b c\""),
    EXTENDED: _type(b"; name=x; name*=utf-8''y"),
    REPEATED: _type(b"; name=x; name=y"),
    "encoding-with-more": _type(b"\r\nContent-Transfer-Encoding: 8bit;"),
    "disposition-without-kind": _type(b"\r\nContent-Disposition: filename=x"),
    "languages": _type(b"\r\nContent-Language: en de"),
}
