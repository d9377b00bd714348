"""The bodies of the corpus: plain text in each encoding, alternatives, attachments."""

import base64
import quopri
from random import Random

from bench.corpus.words import WORDS

BODY_WORD = "Mirkwoodian"  # planted, for searches
PREAMBLE = "This is a multi-part message in MIME format.\n"
QUOTED = "Content-Transfer-Encoding: quoted-printable\n\n"
BASE64 = "Content-Transfer-Encoding: base64\n\n"


class Bodies:
    """Writes bodies with draws from the ``chance`` that the headers use, too."""

    def __init__(self, chance: Random) -> None:
        self.chance = chance
        self._text = self._lines()
        self._attachment = base64.encodebytes(chance.randbytes(600_000)).decode().split("\n")

    def _lines(self) -> str:
        lines: list[str] = []
        line: list[str] = []
        width = 0
        for word in self.chance.choices(WORDS, k=400_000):
            line.append(word)
            width += len(word) + 1
            if width > 66:
                lines.append(" ".join(line))
                line, width = [], 0
                if self.chance.random() < 0.08:
                    lines.append("")
        return "\n".join(lines)

    def write(self, header: str) -> tuple[str, bool]:
        """Return the rest of a message with this header, and whether a word was planted.

        Sizes are log-normal, as those of mail are: median about 6 kB, at most 400 kB.
        """
        size = int(min(400_000, max(700, self.chance.lognormvariate(8.75, 1.05))))
        kind = self.chance.random()
        is_planted = self.chance.random() < 0.005
        word = f" {BODY_WORD}" if is_planted else ""
        octets = max(200, size - len(header) - 200)
        if kind < 0.40 or size < 2500:
            return self._plain(octets, word), is_planted
        return self._parts(octets, word, with_attachment=kind >= 0.75), is_planted

    def _paragraph(self, octets: int) -> str:
        start = self.chance.randrange(0, len(self._text) - octets - 80)
        start = self._text.index("\n", start) + 1
        return self._text[start : start + octets]

    def _plain(self, octets: int, word: str) -> str:
        text = self._paragraph(min(octets, 60_000)) + word + "\n"
        encoding = self.chance.random()
        if encoding < 0.5:
            kind = "Content-Type: text/plain; charset=us-ascii\n"
            return f"{kind}Content-Transfer-Encoding: 7bit\n\n{text}"
        kind = "Content-Type: text/plain; charset=utf-8\n"
        encoded = f"Grüße,\n{text}".encode()
        if encoding < 0.85:
            return kind + QUOTED + quopri.encodestring(encoded).decode()
        return kind + BASE64 + base64.encodebytes(encoded).decode()

    def _parts(self, octets: int, word: str, *, with_attachment: bool) -> str:
        boundary = f"=_{self.chance.getrandbits(64):016x}"
        both = self._both(octets, word, boundary)
        kind = f'Content-Type: multipart/alternative; boundary="{boundary}"\n\n'
        if not with_attachment:
            return f"{kind}{PREAMBLE}--{boundary}\n{both}\n--{boundary}--\n"
        outer = f"=_mix_{self.chance.getrandbits(64):016x}"
        text = f'Content-Type: multipart/mixed; boundary="{outer}"\n\n--{outer}\n{kind}'
        text += f"--{boundary}\n{both}\n--{boundary}--\n"
        for number in range(self.chance.choice([1, 1, 2])):
            text += f"--{outer}\n" + self._attached(number, octets)
        return f"{text}--{outer}--\n"

    def _both(self, octets: int, word: str, boundary: str) -> str:
        text = self._paragraph(min(max(200, octets // 3), 40_000)) + word + "\n"
        marked = self._paragraph(min(max(200, octets // 2), 60_000)).replace("\n", "<br>\n")
        html = f"<html><body><p>{marked}</p></body></html>\n"
        return (
            "Content-Type: text/plain; charset=utf-8; format=flowed\n"
            f"Content-Transfer-Encoding: 7bit\n\n{text}\n--{boundary}\n"
            f"Content-Type: text/html; charset=utf-8\n{QUOTED}"
            + quopri.encodestring(html.encode()).decode()
        )

    def _attached(self, number: int, octets: int) -> str:
        lines = max(4, min(5000, (octets // 3) // 77))
        start = self.chance.randrange(0, len(self._attachment) - lines - 1)
        name = f"doc{number}.pdf"
        return (
            f'Content-Type: application/pdf; name="{name}"\n'
            f'Content-Disposition: attachment; filename="{name}"\n{BASE64}'
            + "\n".join(self._attachment[start : start + lines])
            + "\n"
        )
