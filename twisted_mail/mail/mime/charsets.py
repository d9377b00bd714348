"""Names of charsets, and the codecs of Python that read them."""

from encodings import aliases

# Codecs that are no charsets of mail: slow beyond linear, or escapes of a programming language.
_NOT_CHARSETS = {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"}
_NOT_CHARSETS |= {"mbcs", "oem", "rot_13", "base64_codec", "bz2_codec", "hex_codec"}
_NOT_CHARSETS |= {"quopri_codec", "uu_codec", "zlib_codec"}

# What senders mean: the larger set that contains the named one, or a name Python does not have.
_MEANT = {
    "ascii": "utf_8",
    "latin_1": "cp1252",
    "iso8859_9": "cp1254",
    "iso8859_11": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
_MORE_ALIASES = {
    "iso8859_8_i": "iso8859_8",
    "iso8859_8_e": "iso8859_8",
    "iso8859_6_i": "iso8859_6",
    "ks_c_5601": "cp949",
    "x_gbk": "gb18030",
    "x_sjis": "cp932",
    "x_euc_jp": "euc_jp",
    "x_big5": "big5",
    "koi8_u": "koi8_u",
    "koi8_ru": "koi8_u",
    "utf_8_sig": "utf_8_sig",
    "windows_31j": "cp932",
    "cswindows31j": "cp932",
    "windows_874": "cp874",
    "windows_949": "cp949",
    "x_mac_cyrillic": "mac_cyrillic",
    "x_mac_roman": "mac_roman",
    "unicode_1_1_utf_7": "utf_7",
}


def _known_charsets() -> dict[str, str]:
    """Return the codec of each charset name; nothing else is ever looked up.

    A name from a message must not reach ``codecs.lookup``, which imports by name and keeps every miss.
    """
    known = {codec: codec for codec in aliases.aliases.values()}
    known |= aliases.aliases
    known |= {alias.replace("iso_8859", "iso8859"): codec for alias, codec in known.items()}
    known |= {f"iso8859_{n}": f"iso8859_{n}" for n in (*range(2, 12), 13, 14, 15, 16)}
    known |= {f"windows_{n}": f"cp{n}" for n in range(1250, 1259)}
    known |= _MORE_ALIASES
    known = {name: codec for name, codec in known.items() if codec not in _NOT_CHARSETS}
    return {name: _MEANT.get(codec, codec) for name, codec in known.items()}


_CHARSETS = _known_charsets()
_SEPARATORS = str.maketrans("- .:", "____")


def codec_of(charset: str) -> str | None:
    """Return the Python codec for text labelled ``charset``, or None if none is known."""
    name = charset[:80].strip().strip("\"'").lower().translate(_SEPARATORS)
    name = name.replace("iso_8859", "iso8859")
    return _CHARSETS.get(name)
