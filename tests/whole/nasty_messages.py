"""Messages with header fields and parts as odd as senders make them, always the same ones.

Every oddity is one element of a tuple. Where we read it otherwise than Dovecot does, on purpose, it bears
the name of the row of docs/reading-mail.md that says why.
"""

import base64
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

CRLF = b"\r\n"
EXTENDED, REPEATED = "extended-parameters", "repeated-parameters"  # rows about Dovecot 2.4 alone


@dataclass(frozen=True, slots=True)
class Odd:
    """Octets with a ``%b`` where something else stands, and the row of the document about them."""

    text: bytes
    row: str = ""


@dataclass(slots=True)
class NastyMessage:
    """A message; which rows of the document its fields and its parts touch; what it is found by.

    ``rows`` are by the name of a field, and ``body`` for its parts. ``searches`` are names of fields,
    and keys of SEARCH that find the message by them.
    """

    octets: bytes = b""
    rows: dict[str, set[str]] = field(default_factory=dict)
    searches: list[tuple[str, bytes]] = field(default_factory=list)

    def touches(self, what: str, odd: Odd) -> bytes:
        """Note the row of an oddity, and return its octets."""
        if odd.row:
            self.rows.setdefault(what, set()).add(odd.row)
        if b"*=" in odd.text:
            self.rows.setdefault(what, set()).add(EXTENDED)
        return odd.text


# ---------------------------------------------------------------- fields of addresses

NAMES = (
    *(Odd(b"Ann Smith"), Odd(b"Ann Q. Smith"), Odd(b"J.D. Smith"), Odd(b'"Smith, Ann"')),
    *(Odd(b'"Ann \\"A\\" Smith"'), Odd(b'"back\\\\slash"'), Odd(b"=?utf-8?Q?J=C3=B6rg?=")),
    *(Odd(b"=?utf-8?Q?J=C3?= =?utf-8?Q?=B6rg?="), Odd(b'"=?utf-8?Q?J=C3=B6rg?="'), Odd(b"=?x?Q?a")),
    *(
        Odd(b"=?iso-8859-1?B?SvZyZw==?= Smith"),
        Odd(b"J\xc3\xb6rg"),
        Odd(b"J\xf6rg"),
        Odd(b'"J\xf6rg"'),
    ),
    *(Odd(b"Ann (the first) Smith"), Odd(b"Ann\r\n\tSmith"), Odd(b"Ann  \t Smith"), Odd(b'""')),
    *(Odd(b'"Ann"\r\n Smith'), Odd(b"'Ann'"), Odd(b"Ann & Bob"), Odd(b"Ann/Bob + 2"), Odd(b"")),
    Odd(b"ann@shop.example", "name-with-at"),
    Odd(b"Info @ Shop", "name-with-at"),
    Odd(b"[list] Ann", "brackets-in-name"),
    Odd(b'\\"Ann\\"', "backslash-in-name"),
    Odd(b'"Ann  Smith"'),
)
LOCALS = (
    *(
        Odd(b"u%d"),
        Odd(b"first.u%d"),
        Odd(b'"u%d"'),
        Odd(b'"a b.u%d"'),
        Odd(b"u%d(work)"),
        Odd(b"u%d "),
    ),
    *(Odd(b"u%d\r\n\t"), Odd(b"x+u%d"), Odd(b"u%d=x.example"), Odd(b".u%d"), Odd(b"a..u%d")),
    Odd(b"\xc3\xbcu%d"),
)
DOMAINS = (
    *(Odd(b"d.example"), Odd(b" d.example"), Odd(b"d . example"), Odd(b"(home) d.example")),
    *(Odd(b"[192.0.2.1]"), Odd(b"D.EXAMPLE"), Odd(b"localhost"), Odd(b"d\xc3\xb6.example")),
    Odd(b"d.example.", "dots-in-domain"),
    Odd(b"d..example", "dots-in-domain"),
)
ADDRESSES = (  # name, local part, domain
    *(Odd(b"%b <%b@%b>"), Odd(b"%b<%b@%b>"), Odd(b"%b <@r.example,@s.example:%b@%b>")),
    *(Odd(b"%b <%b@%b> (comment)"), Odd(b"%b\r\n <%b@%b>"), Odd(b"%b < %b@%b >")),
    Odd(b"%b <%b@%b", "missing-angle"),
    Odd(b"%b <%b@%b>>", "missing-angle"),
    Odd(b"%b <<%b@%b>>", "missing-angle"),
    Odd(b"(before) %b <%b@%b>"),
)
BARE = (
    *(Odd(b"%b@%b"), Odd(b"%b@%b (Ann Smith)"), Odd(b"%b@%b (Ann (A) Smith)"), Odd(b"<%b@%b>")),
    *(Odd(b"%b@%b (=?utf-8?Q?J=C3=B6rg?=)"), Odd(b"%b@%b\r\n\t(Ann)")),
    Odd(b"Ann %b@%b", "name-without-angle"),
)
LISTS = (  # of two addresses
    *(Odd(b"%b, %b"), Odd(b"%b,%b"), Odd(b"%b,\r\n\t%b"), Odd(b"%b , , %b"), Odd(b"%b, %b,")),
    *(
        Odd(b"group: %b, %b;"),
        Odd(b"group: %b;, %b"),
        Odd(b'"a group": %b, %b'),
        Odd(b"g: %b, %b ; "),
    ),
    *(Odd(b"undisclosed-recipients:;, %b, %b"), Odd(b"%b, a:;, b: ;, %b"), Odd(b"%b (x), %b")),
    Odd(b"%b; %b", "semicolons"),
    Odd(b"%b; %b;", "semicolons"),
    Odd(b"%b %b", "missing-comma"),
)
LONE = (
    *(Odd(b""), Odd(b" "), Odd(b"undisclosed-recipients:;"), Odd(b"Hidden recipients: (none) ;")),
    *(
        Odd(b"root"),
        Odd(b"<>"),
        Odd(b"Ann <>"),
        Odd(b",", "empty-elements"),
        Odd(b"(nobody)"),
        Odd(b"Ann <root>"),
    ),
    *(Odd(b"Ann Smith"), Odd(b"root (Root)"), Odd(b"group:;"), Odd(b"a:b@c.example")),
    Odd(b'"never closed <a@b.example>', "never-closed"),
    Odd(b"Ann (never closed <a@b.example>", "never-closed"),
)


class Generator:
    """Makes messages, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.number = 0

    def pick(self, odds: Sequence[Odd]) -> Odd:
        """Choose an oddity, one that we read in our own way less often."""
        found = self.chance.choice(odds)
        return self.chance.choice(odds) if found.row else found

    def some(self, likelihood: float = 0.5) -> bool:
        return self.chance.random() < likelihood

    def message(self) -> NastyMessage:
        """Make one whole message."""
        self.number += 1
        made = NastyMessage()
        head = b"".join(self._fields(made))
        made.octets = head + self._part(made, depth=0)
        return made

    # ------------------------------------------------------------ fields

    def _fields(self, made: NastyMessage) -> list[bytes]:
        fields = [self._subject(made), b"Date: " + self.chance.choice(DATES) + CRLF]
        for name in ("From", "To", "Cc", "Bcc", "Sender", "Reply-To"):
            for _ in range(self.chance.choice((0, 1, 1, 1, 2))):
                fields.append(name.encode() + b": " + self._addresses(made, name.lower()) + CRLF)
        for name in (b"Message-ID", b"In-Reply-To"):
            if self.some():
                fields.append(
                    name
                    + b": "
                    + self.chance.choice(IDS).replace(b"%d", b"%d" % self.number)
                    + CRLF
                )
        self.chance.shuffle(fields)
        return fields

    def _subject(self, made: NastyMessage) -> bytes:
        subject, needle = self.chance.choice(SUBJECTS)
        if needle:
            made.searches.append(("subject", b'SUBJECT "%b"' % needle))
        return b"Subject: " + subject + CRLF

    def _addresses(self, made: NastyMessage, name: str) -> bytes:
        if self.some(0.2):
            return made.touches(name, self.pick(LONE))
        if self.some(0.4):
            return self._address(made, name)
        listed = made.touches(name, self.pick(LISTS))
        return listed % (self._address(made, name), self._address(made, name))

    def _address(self, made: NastyMessage, name: str) -> bytes:
        local = made.touches(name, self.pick(LOCALS)).replace(b"%d", b"%d" % self.number)
        domain = made.touches(name, self.pick(DOMAINS))
        if name in ("from", "to", "cc") and domain.strip() == b"d.example" and not local.isspace():
            key = b'%b "u%d"' % (name.upper().encode(), self.number)
            made.searches.append((name, key))
        if self.some(0.3):
            return made.touches(name, self.pick(BARE)) % (local, domain)
        shown = made.touches(name, self.pick(NAMES))
        return made.touches(name, self.pick(ADDRESSES)) % (shown, local, domain)

    # ------------------------------------------------------------ parts

    def _part(self, made: NastyMessage, depth: int) -> bytes:
        kind = self.chance.choice("mmr" if depth == 0 else "lllllmr") if depth < 3 else "l"
        if kind == "m":
            return self._multipart(made, depth)
        if kind == "r":
            return self._message(made, depth)
        return self._leaf(made)

    def _multipart(self, made: NastyMessage, depth: int) -> bytes:
        written, boundary = self.chance.choice(BOUNDARIES)
        boundary += b"%d-%d" % (self.number, self.chance.randrange(1000))
        written = written.replace(b"%b", boundary)
        subtype = self.chance.choice((b"mixed", b"Alternative", b"digest", b"related", b"x-odd"))
        kind = made.touches("body", self.pick(TYPES)) % (b"multipart", subtype)
        octets = b"Content-Type: " + kind + written + CRLF + self._described(made) + CRLF
        octets += self.chance.choice((b"", b"preamble\r\n", b"--no boundary\r\n"))
        for _ in range(self.chance.choice((0, 1, 1, 2, 3))):
            octets += b"--" + boundary + self.chance.choice((b"", b"", b"  ")) + CRLF
            octets += self._part(made, depth + 1) + CRLF
        end = self.chance.choice(ENDS)
        octets += end
        if depth and end == b"--%b--":
            made.touches("body", Odd(b"", "line-end-of-delimiter"))
        return octets.replace(b"--%b--", b"--" + boundary + b"--")

    def _message(self, made: NastyMessage, depth: int) -> bytes:
        octets = b"Content-Type: message/rfc822" + CRLF
        octets += self.chance.choice((b"", b"", b"Content-Transfer-Encoding: 8bit\r\n"))
        inner = b"Subject: inner\r\n" + b"To: " + self._addresses(made, "body") + CRLF
        return octets + CRLF + inner + self._part(made, depth + 1)

    def _leaf(self, made: NastyMessage) -> bytes:
        octets = b""
        if self.some(0.9):
            major, minor = self.chance.choice(MEDIA)
            kind = made.touches("body", self.pick(TYPES)) % (major, minor)
            kind += self._parameters(made)
            octets += b"Content-Type: " + kind + CRLF
            octets += self._described(made)
        elif self.some(0.3):
            octets += made.touches(
                "body", Odd(b"Content-ID: <a@x.example>\r\n", "fields-without-type")
            )
        text, encoding = self._text()
        if encoding:
            if b"Content-Type" not in octets:
                made.touches("body", Odd(b"", "fields-without-type"))
            octets += b"Content-Transfer-Encoding: " + encoding + CRLF
        elif octets and self.some(0.3):
            octets += made.touches("body", self.pick(ENCODINGS)) + CRLF
        return octets + CRLF + text

    def _parameters(self, made: NastyMessage) -> bytes:
        octets = b""
        for name in self.chance.choice(((), (b"name",), (b"name",), (b"name", b"other"))):
            octets += made.touches("body", self.pick(PARAMETERS)).replace(b"name", name)
        if b"name*" in octets and b"other*" in octets:
            made.touches("body", Odd(b"", "several-extended"))
        names = re.findall(rb"([A-Za-z]+)[0-9*]* ?=", octets.lower())
        if len(set(names)) < len(names):
            made.touches("body", Odd(b"", REPEATED))
        return octets

    def _text(self) -> tuple[bytes, bytes]:
        text = b"text %d\r\nof two lines" % self.number
        if self.some(0.2):
            return base64.encodebytes(text).replace(b"\n", CRLF), self.chance.choice(BASE64)
        return self.chance.choice((text, text + CRLF, b"", CRLF, b"caf\xe9\r\n")), b""

    def _described(self, made: NastyMessage) -> bytes:
        chosen = [
            odd for odd in DESCRIPTIONS if self.some(0.08) and (not odd.row or self.some(0.3))
        ]
        seen: set[bytes] = set()
        octets = b""
        for odd in chosen:
            name = odd.text.partition(b":")[0]
            if name not in seen:
                octets += made.touches("body", odd) + CRLF
                seen.add(name)
        return octets


# ---------------------------------------------------------------- other fields

DATES = (
    *(
        b"Mon, 1 Jan 2024 10:00:00 +0100",
        b"1 Jan 24 10:00 GMT",
        b"Mon, 1 Jan 2024 10:00:00 +0100 (CET)",
    ),
    *(b"Mon,  1 Jan\r\n 2024 10:00:00 +0100", b"yesterday", b"", b"2024-01-01T10:00:00Z"),
    *(
        b"Mon, 1 Jan 2024 10:00:00",
        b"Mon, 99 Jan 2024 10:00:00 +0100",
        b"Mon, 1 Jan 2024 10:00 EST",
    ),
)
IDS = (
    b"<%d@x.example>",
    b"<a@x.example> <%d@x.example>",
    b"<a@x.example>\r\n <%d@x.example>",
    b"%d",
    b"",
)
SUBJECTS = (  # and words by which it is found
    (b"plain words", b"plain words"),
    (b"folded\r\n words", b"folded words"),
    (b"folded\r\n\twith a tab", b"folded with a tab"),
    (b"folded\r\n   with blanks", b"folded with blanks"),
    (b"\r\n at once", b"at once"),
    (b"=?utf-8?Q?two?= =?utf-8?Q?_words?=", b"two words"),
    (b"=?utf-8?Q?two?=\r\n =?us-ascii?Q?_words?=", b"two words"),
    (b"=?utf-8?B?dHdv?= words", b"two words"),
    (b"=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=", b"caf"),
    (b"=?utf-8?Q?open", b"open"),
    (b"=?iso-8859-1?Q?caf=E9_noir?= again", b"again"),
    (b"caf\xc3\xa9 raw", b"raw"),
    (b"caf\xe9 raw", b"raw"),
    (b'with "quotes" and \\ (comment)', b"(comment)"),
    (b"", b""),
    (b" blank before and after ", b"before and after"),
)

# ---------------------------------------------------------------- parts

BOUNDARIES = (  # the parameter, and how the boundary begins
    (b"; boundary=%b", b"cut"),
    (b'; boundary="%b"', b"=_a b?"),
    (b';\r\n\tboundary="%b"', b"'()+_,-./:=?"),
    (b'; charset=utf-8; Boundary="%b"; type=x', b"----=_Part_"),
    (b'; boundary="%b"', b"x" * 60),
    (b"; (made) boundary (by) = (hand) %b", b"cut"),
)
ENDS = (b"--%b--", b"--%b--\r\n", b"--%b--\r\nepilogue\r\n", b"")
MEDIA = (
    *((b"text", b"plain"), (b"TEXT", b"HTML"), (b"text", b"x-odd"), (b"application", b"pdf")),
    *(
        (b"image", b"PNG"),
        (b"message", b"delivery-status"),
        (b"x-a", b"b.c+d"),
        (b"message", b"global"),
    ),
)
TYPES = (
    *(Odd(b"%b/%b"), Odd(b"%b / %b"), Odd(b"(a) %b/(b)%b"), Odd(b"%b/%b (c)"), Odd(b"\r\n %b/%b")),
)
PARAMETERS = (
    *(
        Odd(b"; charset=utf-8"),
        Odd(b'; charset="ISO-8859-1"'),
        Odd(b"; CHARSET=x"),
        Odd(b"; name=a.txt"),
    ),
    *(Odd(b'; name="a b; c=d"'), Odd(b'; name="a \\"b\\" c"'), Odd(b"; name = x"), Odd(b";name=x")),
    *(
        Odd(b'; name="=?utf-8?Q?x?="'),
        Odd(b';\r\n\tname="a\r\n b"'),
        Odd(b"; name*=utf-8''%C3%BCx"),
    ),
    *(
        Odd(b"; name*0=a; name*1=b"),
        Odd(b"; name*1=b; name*0=a"),
        Odd(b"; name*0*=utf-8''%C3; name*1*=%BC"),
    ),
    *(
        Odd(b"; name*0*=utf-8''%C3%BC; name*1=b"),
        Odd(b"; name=x; name*=utf-8''y"),
        Odd(b"; a=x; a=y"),
    ),
    *(Odd(b"; name=x; name*0=y; name*1=z"), Odd(b'; name="J\xf6rg"'), Odd(b"; name=J\xc3\xb6rg")),
    *(
        Odd(b"; format=flowed; delsp=yes"),
        Odd(b"; name=a(b)"),
        Odd(b"; name=(a)b"),
        Odd(b"; (a) name=x"),
    ),
    *(Odd(b"; a=b'c"), Odd(b"; name="), Odd(b'; name=""')),
    Odd(b"; name=a b.txt", "blanks-in-value"),
    Odd(b"; name=C:\\a.txt", "specials-in-value"),
    Odd(b"; name=a(b).txt", "specials-in-value"),
    Odd(b"; name=a; ; size=3", "empty-parameter"),
    Odd(b" name=x", "missing-semicolon"),
    Odd(b"; name*0=a; name*2=c", "pieces-that-do-not-fit"),
    Odd(b"; name*=a; name*=c", "pieces-that-do-not-fit"),
    Odd(b"; name*0*=utf-8''a; name*1=\"b c\"", "escapes-of-pieces"),
)
BASE64 = (b"base64", b"BASE64", b"base64 (text)", b"(see below) base64", b"\r\n base64")
ENCODINGS = (
    *(Odd(b"Content-Transfer-Encoding: 8bit"), Odd(b"Content-Transfer-Encoding: x-odd")),
    *(Odd(b"Content-Transfer-Encoding: Quoted-Printable"), Odd(b"Content-Transfer-Encoding:")),
    Odd(b"Content-Transfer-Encoding: 7bit;", "encoding-with-more"),
    Odd(b'Content-Transfer-Encoding: "8bit"', "encoding-with-more"),
)
DESCRIPTIONS = (
    *(Odd(b"Content-ID: <a@x.example>"), Odd(b"Content-ID: a"), Odd(b"Content-ID: (c) <a b>")),
    *(
        Odd(b"Content-Description: a  b"),
        Odd(b"Content-Description: =?utf-8?Q?x?="),
        Odd(b"Content-ID: "),
    ),
    *(Odd(b"Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ=="), Odd(b"Content-Language: en")),
    *(
        Odd(b"Content-Language: en, de-AT"),
        Odd(b"Content-Language: en (x), de"),
        Odd(b"Content-Language:"),
    ),
    *(
        Odd(b"Content-Location: http://x.example/a"),
        Odd(b"Content-Location: http://x.example/\r\n a"),
    ),
    *(Odd(b"Content-Disposition: attachment"), Odd(b"Content-Disposition: INLINE; filename=a.txt")),
    *(Odd(b'Content-Disposition: attachment; filename="a b"; size=3'),),
    Odd(b"Content-Disposition: attachment;\r\n filename=\"x\";\r\n filename*=utf-8''%C3%9C"),
    Odd(b"Content-Disposition: (c) attachment (d); filename=(e) x"),
    Odd(b"Content-Disposition: attachment; filename*0*=utf-8''%C3; filename*1*=%9C.pdf"),
    Odd(b"Content-Disposition: filename=x", "disposition-without-kind"),
    Odd(b"Content-Disposition: ; filename=x", "disposition-without-kind"),
    Odd(b"Content-Disposition:", "disposition-without-kind"),
    Odd(b"Content-Language: en de", "languages"),
    Odd(b"Content-Language: , en", "languages"),
)
