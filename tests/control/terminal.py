"""The control command, as a person or a script runs it."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from twisted_mail.control import main

CHEAP = "\n[passwords]\nmemory_mib = 1\npasses = 1\nlanes = 1\n"


class Terminal:
    """Runs the command as a person or a script would."""

    def __init__(self, folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.capsys = capsys
        self.monkeypatch = monkeypatch
        self.out = self.err = ""

    def type(self, text: str | bytes) -> None:
        data = text if isinstance(text, bytes) else text.encode()
        self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    def run(self, *words: str) -> int:
        code = main.main(list(words))
        self.out, self.err = self.capsys.readouterr()
        assert "Traceback" not in self.out + self.err
        return code

    def __call__(self, *words: str) -> int:
        return self.run("--config", str(self.folder / "mail.toml"), *words)

    def json(self, *words: str) -> Any:
        self(*words, "--json")
        return json.loads(self.out)
