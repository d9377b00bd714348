"""Header fields and parts as odd as senders make them, all of which we read as Dovecot does.

Where a ``%b`` stands something else is put, and for ``%d`` a number that no other message has.
"""

# ---------------------------------------------------------------- fields of addresses

NAMES = (
    *(b"Ann Smith", b"Ann Q. Smith", b"J.D. Smith", b'"Smith, Ann"', b'"Ann \\"A\\" Smith"'),
    *(b'"back\\\\slash"', b"=?utf-8?Q?J=C3=B6rg?=", b"=?utf-8?Q?J=C3?= =?utf-8?Q?=B6rg?="),
    *(b'"=?utf-8?Q?J=C3=B6rg?="', b"=?x?Q?a", b"=?iso-8859-1?B?SvZyZw==?= Smith", b"J\xc3\xb6rg"),
    *(b"J\xf6rg", b'"J\xf6rg"', b"Ann (the first) Smith", b"Ann\r\n\tSmith", b"Ann  \t Smith"),
    *(b'""', b'"Ann"\r\n Smith', b"'Ann'", b"Ann & Bob", b"Ann/Bob + 2", b"", b'Ann "B" Smith'),
    *(b"=?utf-8?B?SsO2cmc=?=\r\n =?utf-8?Q?_Smith?=", b"=?windows-1251?Q?=C0=ED=ED=E0?="),
    *(b"(c (in c)) Ann (d)", b"Ann.", b"A. B.\r\n C.", b'"Ann\r\n Smith"', b"=?=?=", b"=??Q?a?="),
    *(b"Ann! #$%&'*+-/=?^_`{|}~", b"1234", b'"<ann@x.example>"', b'"a;b:c"'),
)
LOCALS = (
    *(b"u%d", b"first.u%d", b'"u%d"', b'"a b.u%d"', b"u%d(work)", b"u%d ", b"u%d\r\n\t", b"x+u%d"),
    *(
        b"u%d=x.example",
        b".u%d",
        b"a..u%d",
        b"\xc3\xbcu%d",
        b"u%d.",
        b"(c)u%d",
        b"'u%d'",
        b"u%d(a(b))",
    ),
    *(b"u%d\xe9", b'"u%d@x"', b'"\\"u%d"', b"u%d/a=b!c"),
)
DOMAINS = (
    *(
        b"d.example",
        b" d.example",
        b"d . example",
        b"(home) d.example",
        b"[192.0.2.1]",
        b"D.EXAMPLE",
    ),
    *(b"localhost", b"d\xc3\xb6.example", b"\r\n d.example", b"d.(c)example", b"d_e.example"),
    *(
        b"[IPv6:2001:db8::1]",
        b"[ 192.0.2.1 ]",
        b"-d.example",
        b"xn--d-0ga.example",
        b"d\xe9.example",
    ),
)
ADDRESSES = (  # of name, local part, domain
    *(b"%b <%b@%b>", b"%b<%b@%b>", b"%b <@r.example,@s.example:%b@%b>", b"%b <%b@%b> (comment)"),
    *(b"%b\r\n <%b@%b>", b"%b < %b@%b >", b"(before) %b <%b@%b>", b"%b (c) <%b@%b>"),
    *(b"%b <(c)%b@%b(d)>", b"%b\r\n\t<\r\n %b@%b>\r\n ", b"%b <@r.example:%b@%b>"),
)
BARE = (
    *(b"%b@%b", b"%b@%b (Ann Smith)", b"%b@%b (Ann (A) Smith)", b"<%b@%b>", b"%b@%b\r\n\t(Ann)"),
    *(b"%b@%b (=?utf-8?Q?J=C3=B6rg?=)", b"(c) %b@%b", b"%b@%b ()", b"%b@%b (a)\r\n (b)"),
)
LISTS = (  # of two addresses
    *(b"%b, %b", b"%b,%b", b"%b,\r\n\t%b", b"%b ,\r\n %b", b"%b (x), %b", b"(x) %b,(y)%b"),
    *(
        b"group: %b, %b;",
        b"group: %b;, %b",
        b'"a group": %b, %b',
        b"g: %b, %b ; ",
        b"g:%b,(c)%b;(d)",
    ),
    *(b"undisclosed-recipients:;, %b, %b", b"%b, a:;, b: ;, %b", b"%b, g: (c) ;, %b"),
    *(
        b'a b (c) "d": %b, %b;',
        b"g\r\n :\r\n %b,\r\n %b\r\n ;",
        b"g:%b;,h:%b;",
        b"=?utf-8?Q?g?=: %b, %b;",
    ),
)
LONE = (
    *(
        b"",
        b" ",
        b"undisclosed-recipients:;",
        b"Hidden recipients: (none) ;",
        b"root",
        b"<>",
        b"Ann <>",
    ),
    *(
        b"(nobody)",
        b"Ann <root>",
        b"Ann Smith",
        b"root (Root)",
        b"group:;",
        b"a:b@c.example",
        b'"x y"',
    ),
    *(b"g:", b"g:;;", b"(c)\r\n (d)", b"\r\n ", b"Ann <> (c)", b"<(c)>", b"\xe9"),
)

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
    *(b"(c) Mon, (d) 2 Feb (e) 2024 23:30:00 -0800", b"Sun, 31 Dec 2023 23:59:60 +0000"),
    *(
        b"29 Feb 2024 00:00:00 +0000",
        b"Mon, 1 Jan 2024\r\n\t10:00:00 +0100",
        b"mon, 1 jan 2024 1:2:3 gmt",
    ),
)
IDS = (
    *(
        b"<%d@x.example>",
        b"<a@x.example> <%d@x.example>",
        b"<a@x.example>\r\n <%d@x.example>",
        b"%d",
        b"",
    ),
    *(b"(c) <%d@x.example>", b'<"%d"@x.example>', b"<%d@[192.0.2.1]>", b"<%d\xe9@x.example>"),
    *(
        b'Your mail of "Mon" <%d@x.example>',
        b"=?utf-8?Q?=3C%d=3E?=",
        b"<%d@x.example",
        b"\r\n <%d@x.example>",
    ),
)
SUBJECTS = (  # and words by which it is found
    (b"plain words", b"plain words"),
    (b"folded\r\n words", b"folded words"),
    (b"folded\r\n\twith a tab", b"folded with a tab"),
    (b"folded\r\n   with blanks", b"folded with blanks"),
    (b"folded\r\n \r\n twice", b"folded twice"),
    (b"\r\n at once", b"at once"),
    (b"=?utf-8?Q?two?= =?utf-8?Q?_words?=", b"two words"),
    (b"=?utf-8?Q?two?=\r\n =?us-ascii?Q?_words?=", b"two words"),
    (b"=?utf-8?Q?two?=\r\n\t=?utf-8?B?IHdvcmRz?=\r\n =?utf-8?Q?_more?=", b"two words more"),
    (b"=?utf-8?B?dHdv?= words", b"two words"),
    (b"=?utf-8?Q?two?=\r\n words", b"two words"),
    (b"=?utf-8?Q?caf=C3?= =?utf-8?Q?=A9?=", b"caf"),
    (b"=?utf-8?Q?open", b"open"),
    (b"=?utf-8*en?Q?with_a_language?=", b"with a language"),
    (b"=?iso-8859-1?Q?caf=E9_noir?= again", b"again"),
    (b"=?ISO-8859-15?q?=A4_euro?=", b" euro"),
    (b"caf\xc3\xa9 raw", b"raw"),
    (b"caf\xe9 raw", b"raw"),
    (b'with "quotes" and \\ (comment)', b"(comment)"),
    (b"", b""),
    (b" blank before and after ", b"before and after"),
    (b"colon: and <angle@x.example>", b"colon: and"),
    (b"x" * 2000 + b" end", b"x end"),
    (b"\r\n ".join([b"many folds"] * 100), b"folds many"),
    (b"a\tb  c", b"a"),
    (b"a\rb", b""),
)

# ---------------------------------------------------------------- parts

BOUNDARIES = (  # the parameter, and how the boundary begins
    (b"; boundary=%b", b"cut"),
    (b'; boundary="%b"', b"=_a b?"),
    (b';\r\n\tboundary="%b"', b"'()+_,-./:=?"),
    (b'; charset=utf-8; Boundary="%b"; type=x', b"----=_Part_"),
    (b'; boundary="%b"', b"x" * 60),
    (b"; (made) boundary (by) = (hand) %b", b"cut"),
    (b'; boundary="%b"', b"--"),
    (b"; boundary='%b'", b""),
    (b';boundary="%b";x=y;', b"first"),
)
ENDS = (
    b"--%b--",
    b"--%b--\r\n",
    b"--%b--\r\nepilogue\r\n",
    b"",
    b"--%b-- \t\r\n",
    b"--%b--\r\n--%b\r\n\r\nafter",
)
PREAMBLES = (b"", b"", b"preamble\r\n", b"--no boundary\r\n", b"\r\n", b"--\r\n")
SUBTYPES = (b"mixed", b"Alternative", b"digest", b"related", b"x-odd", b"signed")
MEDIA = (
    *((b"text", b"plain"), (b"TEXT", b"HTML"), (b"text", b"x-odd"), (b"application", b"pdf")),
    *(
        (b"image", b"PNG"),
        (b"message", b"delivery-status"),
        (b"x-a", b"b.c+d"),
        (b"message", b"global"),
    ),
    *(
        (b"message", b"partial"),
        (b"message", b"external-body"),
        (b"a!b", b"c#d"),
        (b"text", b"rfc822-headers"),
    ),
)
TYPES = (b"%b/%b", b"%b / %b", b"(a) %b/(b)%b", b"%b/%b (c)", b"\r\n %b/%b", b"%b(/)/\r\n %b")
PARAMETERS = (
    *(
        b"; charset=utf-8",
        b'; charset="ISO-8859-1"',
        b"; CHARSET=x",
        b"; name=a.txt",
        b'; name="a b; c=d"',
    ),
    *(
        b'; name="a \\"b\\" c"',
        b"; name = x",
        b";name=x",
        b'; name="=?utf-8?Q?x?="',
        b';\r\n\tname="a\r\n b"',
    ),
    *(b"; name*0=a; name*1=b", b"; name*1=b; name*0=a", b"; name*0=a;\r\n name*1=b;\r\n name*2=c"),
    *(b'; name="J\xf6rg"', b"; name=J\xc3\xb6rg", b"; format=flowed; delsp=yes", b"; name=(a)b"),
    *(b"; (a) name=x", b"; a=b'c", b"; name=", b'; name=""', b"; name (a) = (b) x (c)"),
    *(b"; name=''x", b"; name=a%20b", b'; name="(a) b"', b'; name="a\\\\b"'),
    *(b"; name=\r\n x", b"; name*x=y", b"; na*me=y", b"; x-name=!#$%&'+-^_`.{}|~"),
)
ENCODINGS = (
    *(b"8bit", b"x-odd", b"Quoted-Printable", b"", b"(c) 7BIT (d)", b"\r\n binary", b"8bit (c)"),
)
BASE64 = (b"base64", b"BASE64", b"base64 (text)", b"(see below) base64", b"\r\n base64")
DESCRIPTIONS = (  # what follows "Content-"
    *(
        b"ID: <a@x.example>",
        b"ID: a",
        b"ID: (c) <a b>",
        b"ID: ",
        b"Description: a  b",
        b"Description:",
    ),
    *(
        b"Description: =?utf-8?Q?x?=",
        b"Description: \xe9",
        b"Description: a\r\n\tb",
        b"MD5: Q2hlY2sgSW50ZWdy==",
    ),
    *(
        b"Language: en",
        b"Language: en, de-AT",
        b"Language: en (x), de",
        b"Language:",
        b"Language: EN,\r\n de",
    ),
    *(b"Location: http://x.example/a", b"Location: http://x.example/\r\n a", b"Location: (c) a b"),
    *(
        b"Disposition: attachment",
        b"Disposition: INLINE; filename=a.txt",
        b"Disposition: x-odd; FileName=a",
    ),
    *(
        b'Disposition: attachment; filename="a b"; size=3',
        b"Disposition: (c) attachment (d); filename=(e) x",
    ),
    *(
        b'Disposition: attachment; filename="=?utf-8?Q?x?="',
        b"Disposition: attachment; filename*0=a; filename*1=b",
    ),
    *(b"Disposition: attachment;", b"Disposition: inline;\r\n\tfilename=\xc3\xa9"),
)
HEADERS = (  # that stand in no field
    *(
        b"no field at all\r\n",
        b"X-Empty:\r\n",
        b"X-Long: " + b"y" * 3000 + b"\r\n",
        b"Sub ject: no\r\n",
    ),
    *(
        b": no name\r\n",
        b"X-Blank : x\r\n",
        b"X-Fold: a\r\n\tb\r\n   c\r\n",
        b"X-Eight: \xe9\xc3\xa9\r\n",
    ),
    *(b"X-CR: a\rb\r\n", b"x-lower: X-UPPER\r\n", b"X-Colon:a:b:c\r\n", b"Content-Type-X: a/b\r\n"),
)
TEXTS = (
    b"",
    b"\r\n",
    b"x",
    b"\r\n\r\nx\r\n\r\n",
    b"caf\xe9\r\n",
    b"a\rb\r\n",
    b"-- \r\nx\r\n",
    b"--\r\n",
    b"y" * 5000,
    b"<style>p {}</style><p>bo<b>ld</b> l&auml;mp</p>\r\n",
)
