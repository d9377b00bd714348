"""Names of charsets, and the codecs of Python that read them.

Known are the labels of the WHATWG's Encoding Standard, the names that IANA registers for what Python can
read, and names that senders made up. Only letters and digits count, in any case, as Unicode's UTS #22
§1.4 compares names: ``ISO_8859-1``, ``iso8859-1`` and ``ISO88591`` are one.
"""

from encodings import aliases
from functools import lru_cache

MAX_NAME = 80  # characters of a name that are looked at

# Codecs that are no charsets of mail: slow beyond linear, or escapes of a programming language.
_NOT_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"}
_NOT_CHARSETS |= {"mbcs", "oem", "rot_13", "base64_codec", "bz2_codec", "hex_codec"}
_NOT_CHARSETS |= {"quopri_codec", "uu_codec", "zlib_codec"}

# What senders mean: the larger set that contains the named one.
_MEANT = {
    "ascii": "utf_8",
    "latin_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "tis_620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "iso2022_jp": "iso2022_jp_ext",
}

# Codecs that Python has no other names for.
_WITHOUT_ALIASES = """
cp1006 cp720 cp737 cp856 cp874 cp875 koi8_t koi8_u mac_arabic mac_croatian mac_farsi mac_romanian
utf_8_sig
"""

# Names that Python does not know, as letters and digits; an x or cs before them may be there.
_MORE_NAMES = {
    "utf_8": "unicode11utf8 unicode20utf8 utf8mb4 isoutf8 iso10646utf8",
    "utf_7": "unicode11utf7",
    "utf_16": "ucs2 unicode unicodefeff iso10646ucs2",
    "utf_16_be": "unicodefffe ucs2be unicodebig",
    "utf_16_le": "ucs2le unicodelittle",
    "utf_32": "ucs4 iso10646ucs4",
    "iso8859_6": "iso88596e iso88596i",
    "iso8859_7": "suneugreek iso885972003",
    "iso8859_8": "iso88598e iso88598i visual logical",
    "iso8859_15": "isolatin9 iso8859151998",
    "iso8859_16": "iso8859162001",
    "koi8_r": "koi koi8",
    "koi8_u": "koi8ru",
    "cp1250": "msee iso88592windowslatin2",
    "cp1251": "mscyrl",
    "cp1252": "msansi iso88591windows30latin1 iso88591windows31latin1",
    "cp1253": "msgreek",
    "cp1254": "msturk iso88599windowslatin5",
    "cp1255": "mshebr",
    "cp1256": "msarab",
    "cp1257": "winbaltrim",
    "cp858": "ibm00858 ccsid00858 cp00858 pcmultilingual850euro",
    "cp1140": "ibm01140 ccsid01140 cp01140 ebcdicus37euro",
    "cp874": "dos874 ms874",
    "mac_roman": "mac",
    "mac_cyrillic": "macukrainian macuk msmaccyrillic",
    "mac_latin2": "macce",
    "gb18030": "cngb gb231280 windows936 windows54936 cp54936",
    "big5hkscs": "cnbig5 bigfive big5eten xbig5",
    "cp932": "sjiswin sjisopen windows31j",
    "euc_jp": "eucpkdfmtjapanese eucjpms eucjpwin eucjpopen",
    "cp949": "isoir149 mscp949 ksc5601 ksc56011987 ksc56011989",
}

_PUNCTUATION = {code: None for code in range(128) if not chr(code).isalnum()}


def _plain(name: str) -> str:
    """Return the letters and digits of a name, in lower case."""
    return name[:MAX_NAME].lower().translate(_PUNCTUATION)


def _known_charsets() -> dict[str, str]:
    """Return the codec of each charset name; nothing else is ever looked up.

    A name from a message must not reach ``codecs.lookup``, which imports by name and keeps every miss.
    """
    codecs = [*aliases.aliases.values(), *_WITHOUT_ALIASES.split()]
    known = {codec: codec for codec in codecs} | aliases.aliases
    known |= {f"iso8859_{n}": f"iso8859_{n}" for n in (*range(2, 12), 13, 14, 15, 16)}
    known |= {f"8859_{n}": f"iso8859_{n}" for n in (*range(2, 10), 15)} | {"8859_1": "latin_1"}
    for kind in ("windows", "ibm", "ms", "cp"):
        known |= {kind + codec[2:]: codec for codec in codecs if codec[:2] == "cp"}
    for codec, names in _MORE_NAMES.items():
        known |= dict.fromkeys(names.split(), codec)
    known = {_plain(name): codec for name, codec in known.items() if codec not in _NOT_CHARSETS}
    return {name: _MEANT.get(codec, codec) for name, codec in known.items()}


_CHARSETS = _known_charsets()


def codec_of(charset: str) -> str | None:
    """Return the Python codec for text labelled ``charset``, or None if none is known."""
    return _codec_of(charset[:MAX_NAME])


@lru_cache(256)
def _codec_of(charset: str) -> str | None:
    name = _plain(charset)
    while name not in _CHARSETS:
        shorter = name.removeprefix("x")
        if shorter == name:
            return _CHARSETS.get(name.removeprefix("cs"))
        name = shorter
    return _CHARSETS[name]
