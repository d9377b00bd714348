"""The examples of docs/testing.md, as files."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"
_EXAMPLE = re.compile(r"```python\n# (\w+\.py)\n(.*?)```", re.DOTALL)


def write_examples(folder: Path) -> list[str]:
    """Write each example under its name; return the names."""
    found = _EXAMPLE.findall(PAGE.read_text())
    for name, text in found:
        (folder / name).write_text(text)
    return [name for name, _ in found]
