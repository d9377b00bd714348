"""Mail in twelve languages, drawn by chance: as servers get it, in many charsets and spellings.

Words are few, so that needles are found often; what is drawn depends on the seed alone.
"""

import base64
import quopri
import random
import unicodedata
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Language:
    """The charset of old mail in a language, what stands between words, and words."""

    charset: str
    gap: str
    words: tuple[str, ...]


def _language(charset: str, words: str, gap: str = " ") -> Language:
    return Language(charset, gap, tuple(words.split()))


LANGUAGES = (
    _language(
        "us-ascii", "the report is ready for its review: see re-port 2nd e-mail a.b@example.org I"
    ),
    _language("iso-8859-1", "Straße Größe süß STRASSE weiß übermäßig Maß und/oder „Fuß“ Ärger"),
    _language("iso-8859-15", "l’œuvre cœur élève ÉLÈVE à déjà-vu naïve façon aujourd'hui où"),
    _language("iso-8859-9", "İstanbul ıssız IŞIK ışık şişe DİYARBAKIR iyi ğ çalışma"),
    _language("iso-8859-7", "Σίσυφος ΟΔΟΣ οδός λόγος ΛΌΓΟΣ τέλος και ώρα ς"),
    _language("koi8-r", "привет ПРИВЕТ отчёт ёлка ещё готов к/с в Москве №5"),
    _language("windows-1256", "السلام عليكم تقرير جاهز، مراجعة إلى مُحَمَّد لا الله"),
    _language("utf-8", "नमस्ते रिपोर्ट तैयार है। समीक्षा कि क्षेत्र हिन्दी"),
    _language("gb18030", "会议 报告 准备好了。 请 审阅 北京 日本 𠀀字 《书》", ""),
    _language("iso-2022-jp", "会議 レポート は 準備 できました。 カタカナ ｶﾞｷﾞ 日本語 東京", ""),
    _language("euc-kr", "안녕하세요 보고서 준비 완료 회의 한국어 서울 가 각"),
    _language("tis-620", "สวัสดี รายงาน พร้อม แล้ว ประชุม กรุงเทพ ไทย", ""),
)


class Post:
    """Draws messages and needles."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def message(self) -> bytes:
        """Return a message; a sixth are HTML, and a third are in two languages."""
        chance = self._chance
        language = chance.choice(LANGUAGES)
        body = self._text(language, 40)
        charset = language.charset
        if chance.random() < 0.3:
            body += "\n" + self._text(chance.choice(LANGUAGES), 10)
            charset = "utf-8"
        kind = "plain"
        if chance.random() < 0.16:
            kind, body = "html", f"<p>{body}<b>b</b>old</p>"
        subject, name = self._text(language, 4), self._text(language, 1)
        head = (
            f"From: {_word(name, language.charset)} <u{chance.randrange(50)}@example.org>\n"
            f"Subject: {_word(subject, language.charset)}\nX-Tag: {chance.randrange(9)}-{kind}\n"
        )
        return head.encode() + self._body(kind, charset, body)

    def _body(self, kind: str, charset: str, text: str) -> bytes:
        encoding = self._chance.choice(["8bit", "base64", "quoted-printable"])
        raw = text.encode(charset, "replace")
        if encoding == "base64":
            raw = base64.encodebytes(raw)
        elif encoding == "quoted-printable":
            raw = quopri.encodestring(raw)
        fields = (
            f"Content-Type: text/{kind}; charset={charset}\nContent-Transfer-Encoding: {encoding}\n"
        )
        return fields.encode() + b"\n" + raw + b"\n"

    def _text(self, language: Language, most: int) -> str:
        """Return words, some spelled otherwise, with signs and line ends between some."""
        found = []
        for _ in range(self._chance.randint(1, most)):
            word = self._chance.choice(language.words)
            found.append(self._spelled(word))
            found.append(self._chance.choice([language.gap] * 8 + ["\n", ", ", "-", " 😀"]))
        return "".join(found).strip()

    def _spelled(self, text: str) -> str:
        draw = self._chance.random()
        if draw < 0.1:
            return text.upper()
        if draw < 0.2:
            return unicodedata.normalize("NFD", text)
        return text + str(self._chance.randrange(100)) if draw < 0.25 else text

    def needle(self, text: str) -> str:
        """Return something to look for: mostly a piece of a text, perhaps spelled otherwise."""
        chance = self._chance
        if not text or chance.random() < 0.05:
            text = self._text(chance.choice(LANGUAGES), 2)
        at = chance.randrange(len(text))
        piece = text[at : at + chance.choice([1, 2, 2, 3, 4, 5, 6, 8, 12, 20])]
        return self._spelled(piece)


def _word(text: str, charset: str) -> str:
    """Return an encoded word (RFC 2047 §2)."""
    coded = base64.b64encode(text.replace("\n", " ").encode(charset, "replace"))
    return f"=?{charset}?b?{coded.decode()}?="
