"""Phrases that CONTRIBUTING's word list bans, in code and documents."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BANNED = re.compile(
    r"\bsays? whether\b|\btells? whether\b|\b(?:is|are|was|were) told\b|\bsee to it\b|\btake note\b"
    r"|\bshall\b"
    r"|\bfor good\b|\b(?:is|are) no more\b|\bso many octets\b|(?<!\")\berrands?\b|\battic\b|\bdesks?\b",
    re.IGNORECASE,
)
FILES = sorted(
    path
    for folder, kind in (
        ("twisted_mail", "*.py"),
        ("docs", "*.md"),
        ("etc", "*"),
        ("bench", "*.py"),
    )
    for path in (ROOT / folder).rglob(kind)
    if path.is_file()
)
PAGES = [ROOT / "README.md", ROOT / "ARCHITECTURE.md", ROOT / "SECURITY.md"]


def banned(text: str) -> list[str]:
    return BANNED.findall(re.sub(r"\s+(?:# ?)?", " ", text))


@pytest.mark.parametrize("path", [*FILES, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_no_banned_phrase_is_in(path: Path) -> None:
    assert banned(path.read_text()) == []


@pytest.mark.parametrize("text", ["Say\nwhether it is so", "# he is\n# told", "so many octets"])
def test_a_phrase_is_found_over_the_end_of_a_line(text: str) -> None:
    assert banned(text)
