from pathlib import Path

import pytest

from tests.directory.refusals import CHEAP
from twisted_mail.directory.editing.editor import DirectoryEditor


@pytest.fixture
def editor(tmp_path: Path) -> DirectoryEditor:
    made = DirectoryEditor(tmp_path / "accounts", CHEAP, ["Example.ORG"], now=lambda: 1000.0)
    made.domains.add("example.net")
    made.accounts.add("Alice@example.org", "secret")
    return made
