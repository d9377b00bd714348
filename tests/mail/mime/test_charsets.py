"""Tests of twisted_mail.mail.mime.charsets."""

import pytest

from tests.mail.mime.charset_labels import LABELS
from twisted_mail.mail.mime import charsets
from twisted_mail.mail.mime.charsets import codec_of


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("utf-8", "utf_8"),
        ("UTF8", "utf_8"),
        ('"utf-8"', "utf_8"),
        ("us-ascii", "utf_8"),
        ("ISO-8859-1", "cp1252"),
        ("iso_8859-15", "iso8859_15"),
        ("windows-1251", "cp1251"),
        ("KOI8-U", "koi8_u"),
        ("gb2312", "gb18030"),
        ("ks_c_5601-1987", "cp949"),
        ("Shift_JIS", "cp932"),
        ("iso-8859-8-i", "iso8859_8"),
        ("ISO_8859-1:1987", "cp1252"),
        ("csISOLatin1", "cp1252"),
        ("csGB2312", "gb18030"),
        ("GB_2312-80", "gb18030"),
        ("Latin-9", "iso8859_15"),
        ("x-cp1251", "cp1251"),
        ("cp-1251", "cp1251"),
        ("IBM874", "cp874"),
        ("x-x-big5", "big5hkscs"),
        ("ISO-8859-6-E", "iso8859_6"),
        ("8859_1", "cp1252"),
        ("8859_5", "iso8859_5"),
        ("8859_15", "iso8859_15"),
        ("ISO8859-16", "iso8859_16"),
        ("windows1256", "cp1256"),
        ("ibm-855", "cp855"),
        ("ms-1253", "cp1253"),
        ("csKOI8R", "koi8_r"),
        ("KOI8-T", "koi8_t"),
        ("csUTF8", "utf_8"),
        ("csPC850Multilingual", "cp850"),
        ("unknown-8bit", None),
        ("x", None),
        ("cs", None),
        ("", None),
        ("zip", None),
        ("rot13", None),
        ("base64", None),
        ("idna", None),
        ("unicode_escape", None),
        ("os.path", None),
        ("x" * 10_000, None),
    ],
)
def test_only_charsets_of_mail_have_a_codec(charset: str, codec: str | None) -> None:
    assert codec_of(charset) == codec


# The codecs for the encodings that are called otherwise in Python, or that are read as a larger set.
_CODECS = {
    "ibm866": "cp866",
    "iso-8859-8-i": "iso8859_8",
    "macintosh": "mac_roman",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "iso-2022-jp": "iso2022_jp_ext",
    "shift_jis": "cp932",
    "euc-kr": "cp949",
    "x-mac-cyrillic": "mac_cyrillic",
    "utf-16be": "utf_16_be",
    "utf-16le": "utf_16_le",
}


@pytest.mark.parametrize("encoding", sorted(set(LABELS) - {"replacement", "x-user-defined"}))
def test_every_label_of_the_web_is_known(encoding: str) -> None:
    codec = encoding.replace("windows-", "cp").replace("iso-", "iso").replace("-", "_")
    found = {label: codec_of(label) for label in LABELS[encoding].split()}
    wanted = {_CODECS.get(encoding, codec)}
    if encoding == "windows-1252":
        wanted.add("utf_8")  # for the names of ASCII: what is not ASCII is UTF-8 today
    if encoding == "utf-16le":
        wanted.add("utf_16")  # a byte order mark counts where the name says nothing of the order
    assert set(found.values()) == wanted, found


def test_what_no_codec_reads_is_unknown() -> None:
    assert codec_of("iso-2022-cn") is codec_of("x-user-defined") is None


@pytest.mark.parametrize("codec", sorted(set(charsets._CHARSETS.values())))
def test_every_codec_is_there_and_reads_octets(codec: str) -> None:
    assert isinstance(b"a b c d ".decode(codec, "replace"), str)


# Names that senders use and Python does not know; each stands for the octets of one codec.
FURTHER_NAMES = """
utf_8: unicode-1-1-utf-8 unicode-2-0-utf-8 utf8mb4 iso-utf-8 iso-10646-utf-8
utf_7: unicode-1-1-utf-7
utf_16: ucs-2 unicode unicodefeff iso-10646-ucs-2
utf_16_be: unicodefffe ucs-2be unicodebig
utf_16_le: ucs-2le unicodelittle
utf_32: ucs-4 iso-10646-ucs-4
iso8859_6: iso-8859-6-e iso-8859-6-i
iso8859_7: sun_eu_greek iso-8859-7:2003
iso8859_8: iso-8859-8-e iso-8859-8-i visual logical
iso8859_15: iso_latin-9 iso-8859-15:1998
iso8859_16: iso-8859-16:2001
koi8_r: koi koi8
koi8_u: koi8-ru
cp1250: ms-ee iso-8859-2-windows-latin-2
cp1251: ms-cyrl
cp1252: ms-ansi iso-8859-1-windows-3.0-latin-1 iso-8859-1-windows-3.1-latin-1
cp1253: ms-greek
cp1254: ms-turk iso-8859-9-windows-latin-5
cp1255: ms-hebr
cp1256: ms-arab
cp858: ibm00858 ccsid00858 cp00858 pc-multilingual-850+euro
cp1140: ibm01140 ccsid01140 cp01140 ebcdic-us-37+euro
cp874: dos-874 ms-874
mac_cyrillic: macukrainian mac_uk ms-mac-cyrillic
gb18030: cn-gb gb2312-80 windows-936 windows-54936 cp54936
big5hkscs: cn-big5 big-five big5-eten x-x-big5
cp932: sjis-win sjis-open windows-31j
cp949: iso-ir-149 ms-cp949 ksc5601 ksc5601-1987 ksc5601-1989
cp1257: win-balt-rim
mac_roman: mac
mac_latin2: mac-ce
euc_jp: eucpkdfmtjapanese euc-jp-ms euc-jp-win euc-jp-open
"""


@pytest.mark.parametrize("line", FURTHER_NAMES.strip().splitlines())
def test_names_that_senders_use_have_a_codec(line: str) -> None:
    codec, _, names = line.partition(": ")
    assert [codec_of(name) for name in names.split()] == [codec] * len(names.split())


@pytest.mark.parametrize(
    "codec",
    [
        *("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"),
        *("rot_13", "base64_codec", "bz2_codec", "hex_codec", "quopri_codec", "uu_codec"),
        "zlib_codec",
    ],
)
def test_what_is_no_charset_has_no_codec(codec: str) -> None:
    assert codec_of(codec) is None


@pytest.mark.parametrize(
    ("charset", "meant"),
    [
        *(("ascii", "utf_8"), ("latin-1", "cp1252"), ("iso-8859-9", "cp1254")),
        *(
            ("iso-8859-11", "cp874"),
            ("tis-620", "cp874"),
            ("gb2312", "gb18030"),
            ("gbk", "gb18030"),
        ),
        *(("big5", "big5hkscs"), ("shift_jis", "cp932"), ("euc-kr", "cp949")),
        ("iso-2022-jp", "iso2022_jp_ext"),
    ],
)
def test_the_larger_charset_is_meant(charset: str, meant: str) -> None:
    assert codec_of(charset) == meant
