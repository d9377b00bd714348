"""The documents name what is there: files, rooms, and each other."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "twisted_mail"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def test_the_folders_of_the_package_are_in_the_tree() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    folders = {path.parent.relative_to(PACKAGE) for path in PACKAGE.glob("*/**/__init__.py")}
    assert not [folder for folder in folders if f"{folder.name}/" not in text]


def test_the_files_that_the_architecture_names_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    named = re.findall(r"`([\w/.]+\.py)`", text)
    assert len(named) > 30
    assert not [
        name for name in named if not (ROOT / name).exists() and not (PACKAGE / name).exists()
    ]


@pytest.mark.parametrize(
    ("way", "files"),
    [
        ("A message comes in", ["smtp/loop.py", "delivery/acceptance.py"]),
        ("A message goes out", ["queue/dispatch/dispatcher.py", "smtp/client.py"]),
        ("A client reads", ["imap/framing.py", "store/account/mailbox.py"]),
        ("Somebody logs in", ["auth/realm.py", "directory/sqlite.py"]),
    ],
)
def test_each_way_is_told_by_its_files(way: str, files: list[str]) -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    told = text.split(f"**{way}.**")[1].split("\n**")[0].split("\n## ")[0]
    named = re.findall(r"`([\w/.]+\.py)`", told)
    assert len(named) >= 5
    assert set(files) <= set(named)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_the_documents_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert not [link for link in links if not (page.parent / link).exists()]


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    assert not [page.name for page in (ROOT / "docs").glob("*.md") if page.name not in index]
