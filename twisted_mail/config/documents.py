"""The files of a configuration, read and merged, with the line of every value.

``tomllib`` does not report where a value is, so a second, simple reading finds the line of each header
and key. It errs only in unusual layouts, and then names the line of the table.
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from twisted_mail.config.mistakes import ConfigMistake, KeyPath, name_of

Table = dict[str, Any]

_KEY = re.compile(r"[A-Za-z0-9_.\"' -]+")
_UNQUOTED = re.compile(r"[A-Za-z/.~@*_][^\"'\\\x00-\x1f\x7f-\x9f]{0,59}")
_ABOUT_VALUES = ("Invalid value", "Expected newline or end of document after a statement")
_SYNTAX = re.compile(r"(.*) \(at line (\d+), column \d+\)", re.DOTALL)


@dataclass(slots=True)
class Document:
    """The values of all files together, and the file and line of each."""

    path: Path
    values: Table = field(default_factory=dict)
    lines: dict[KeyPath, tuple[Path, int]] = field(default_factory=dict)

    def mistake(self, place: KeyPath, text: str) -> ConfigMistake:
        """Return a mistake at a place, with the nearest line that is known."""
        for length in range(len(place), 0, -1):
            if place[:length] in self.lines:
                file, line = self.lines[place[:length]]
                return ConfigMistake(file, line, name_of(place), text)
        return ConfigMistake(self.path, 0, name_of(place), text)


def read(path: Path) -> tuple[Document, list[ConfigMistake]]:
    """Read a file and its drop-in folder; return their values, and the mistakes of TOML in them."""
    document, mistakes = Document(path), list[ConfigMistake]()
    drop_ins = sorted(path.with_name(path.name + ".d").glob("*.toml"))
    for file in (path, *drop_ins):
        try:
            text = file.read_text(encoding="utf-8-sig")  # editors of Windows put a mark first
            values = tomllib.loads(text)
        except OSError as error:
            mistakes.append(ConfigMistake(file, 0, "", error.strerror or "cannot be read"))
        except UnicodeDecodeError:
            mistakes.append(ConfigMistake(file, 0, "", "is not UTF-8 text"))
        except tomllib.TOMLDecodeError as error:
            mistakes.append(_syntax_mistake(file, text, str(error)))
        except (ValueError, RecursionError):  # what tomllib does not look at itself
            text = "has a number of too many digits, or lists too deep within lists"
            mistakes.append(ConfigMistake(file, 0, "", text))
        else:
            _add(document, file, values, lines_of(text))
    return document, mistakes


def _syntax_mistake(file: Path, text: str, error: str) -> ConfigMistake:
    """Return what ``tomllib`` found, with the key of its line; a text without quotes in plain words."""
    match = _SYNTAX.fullmatch(error)
    if match is None:
        return ConfigMistake(file, 0, "", error)
    number, words = int(match[2]), match[1]
    key, equals, value = text.split("\n")[number - 1].partition("=")
    if not equals or not _KEY.fullmatch(key):
        return ConfigMistake(file, number, "", words)
    name, value = ".".join(_split(key)), value.partition("#")[0].strip()
    if words in _ABOUT_VALUES and _UNQUOTED.fullmatch(value):
        words = f'a text needs quotes, as in {name} = "{value}" (true, false and numbers need none)'
    return ConfigMistake(file, number, name, words)


def _add(document: Document, file: Path, values: Table, lines: dict[KeyPath, int]) -> None:
    """Merge a later file in: tables are merged, lists of tables grow, all else is replaced."""
    offsets = {
        name: len(document.values[name])
        for name, value in values.items()
        if _is_list_of_tables(value) and _is_list_of_tables(document.values.get(name))
    }
    for place, line in lines.items():
        document.lines[_moved(place, offsets)] = file, line
    _merge(document.values, values, offsets)


def _moved(place: KeyPath, offsets: dict[str, int]) -> KeyPath:
    name, number = (*place, None, None)[:2]
    if isinstance(name, str) and isinstance(number, int):
        return (name, number + offsets.get(name, 0), *place[2:])
    return place


def _merge(old: Table, new: Table, offsets: dict[str, int]) -> None:
    for name, value in new.items():
        before = old.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            _merge(before, value, {})
        elif name in offsets:
            old[name] = [*old[name], *value]
        else:
            old[name] = value


def _is_list_of_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def lines_of(text: str) -> dict[KeyPath, int]:
    """Return the line, counted from 1, of each table header and each key of a TOML text."""
    lines: dict[KeyPath, int] = {}
    counts: dict[KeyPath, int] = {}
    table: KeyPath = ()
    in_string = False
    for number, line in enumerate(text.splitlines(), 1):
        was_in_string = in_string
        in_string ^= (line.count('"""') + line.count("'''")) % 2 == 1
        if was_in_string:
            continue
        code = line.strip()
        if code.startswith("["):
            table = _table(code, counts)
            lines.setdefault(table[:1], number)
            lines[table] = number
        elif _KEY.fullmatch(key := code.partition("=")[0]):
            lines.setdefault((*table, *_split(key)), number)
    return lines


def _table(header: str, counts: dict[KeyPath, int]) -> KeyPath:
    """Return the place that a header opens; ``counts`` has the last number of each [[list]]."""
    name = _split(header.lstrip("[").partition("]")[0])
    if header.startswith("[["):
        counts[name] = counts.get(name, -1) + 1
        return (*name, counts[name])
    if name[:1] in counts and len(name) > 1:  # a table inside the last [[table]]
        return (name[0], counts[name[:1]], *name[1:])
    return name


def _split(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
