"""Tests of twisted_mail.mail.mime.charsets."""

import pytest

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
