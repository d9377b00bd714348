"""Which tests a mutant is shown, in which order."""

import re
from functools import cache
from pathlib import Path

from bench.mutants.reach import Reach
from bench.mutants.sites import Mutant

_FEW = 60
_FEW_SECONDS = 4.0
_MANY = 8
_WRITTEN = re.compile(r"/test_(documented|etc|table|settings|replies)")  # they only read constants


def choice(mutant: Mutant, reach: Reach) -> tuple[list[str], list[str]]:
    """A few of the tests that reach the mutant, those of its own file first, and then all the others."""
    own = "tests" + mutant.path.removeprefix("twisted_mail").rpartition("/")[0] + "/test_"
    own += mutant.path.rpartition("/")[2] + "::"
    room = own.split("/test_")[0] + "/"
    reaching = _reaching(mutant, reach)
    if mutant.at_import:  # tests of constants run no line of the file
        reaching |= {test for test in reach.seconds if test.startswith(own)}

    def rank(test: str) -> tuple[int, float]:
        near = 0 if test.startswith(own) else 1 if test.startswith(room) else 2
        return near, reach.seconds[test]

    tests = sorted(reaching, key=rank)
    few: list[str] = []
    seconds = 0.0
    files: set[str] = set()
    for test in tests:
        file = _file(test)
        if seconds > _FEW_SECONDS or len(few) >= _FEW or (file not in files and len(files) >= 5):
            continue
        files.add(file)
        seconds += reach.seconds[test]
        few.append(test)
    chosen = set(few)
    return few, [t for t in tests if t not in chosen]


def _reaching(mutant: Mutant, reach: Reach) -> set[str]:
    """The tests that run the line; if few do, also those of the file and of who imports it.

    A line that runs at import, or whose result is cached, belongs to whichever test came first; and who
    imports a name may be a test of another room.
    """
    reaching = reach.of_lines(mutant.path, mutant.line, mutant.end_line)
    if not mutant.at_import and len(reaching) >= _MANY:
        return reaching
    room, _, name = mutant.module.rpartition(".")
    of_it = re.compile(
        rf"^from {re.escape(mutant.module)} import|^from {re.escape(room)} import .*\b{name}\b",
        re.MULTILINE,
    )
    importers = (path for path in reach.lines if of_it.search(_text(path)))
    files = {file for file in map(_file, reach.seconds) if of_it.search(_text(file))}
    others = {t for t in reach.seconds if _file(t) in files or _WRITTEN.search(t)}
    return reaching | reach.of_files([mutant.path, *importers]) | others


def _file(test: str) -> str:
    return test.partition("::")[0]


@cache
def _text(path: str) -> str:
    return Path(path).read_text()
