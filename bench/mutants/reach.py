"""Which tests run which lines: made once, by running them all under coverage."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

import coverage
import pytest

from bench.mutants.sites import ROOMS

# What is run to make the map, a process for each. Dialogues are played whole here: the other ways run
# the same lines.
PARTS = (
    (
        "tests/imap",
        "tests/pop3",
        "tests/store/format",
        "tests/store/index",
        "tests/queue",
        "tests/config",
    ),
    ("tests/mail", "tests/smtp", "tests/test_dialogues.py", "tests/delivery", "tests/store/search"),
)


@dataclass(frozen=True, slots=True)
class Reach:
    """The tests that run each line of a file, and the seconds that each test took."""

    lines: dict[str, dict[int, set[str]]]
    seconds: dict[str, float]

    def of_lines(self, path: str, first: int, last: int) -> set[str]:
        """The tests that run one of these lines."""
        lines = self.lines.get(path, {})
        return set().union(*(lines.get(number, set()) for number in range(first, last + 1)))

    def of_files(self, paths: Iterable[str]) -> set[str]:
        """The tests that run any line of these files."""
        return set().union(*(t for path in paths for t in self.lines.get(path, {}).values()))


def make_reach(tree: Path) -> Reach:
    """Run the tests of all parts under coverage, each part in a process, and put the maps together."""
    outputs = [tree / f"reach-{n}.json" for n in range(len(PARTS))]
    commands = [
        [sys.executable, "-m", "bench.mutants.reach", str(output), *part]
        for output, part in zip(outputs, PARTS, strict=True)
    ]
    environment = {**os.environ, "PYTHONPATH": str(tree), "CI": "1"}
    runs = [subprocess.Popen(c, cwd=tree, env=environment) for c in commands]
    if any(run.wait() for run in runs):
        raise SystemExit("The tests could not be run under coverage.")
    return read_reach(outputs)


def read_reach(outputs: list[Path]) -> Reach:
    """Put the maps of the parts together."""
    lines: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    seconds: dict[str, float] = {}
    for output in outputs:
        part = json.loads(output.read_bytes())
        names = part["tests"]
        seconds.update(part["seconds"])
        for path, by_line in part["lines"].items():
            for line, numbers in by_line.items():
                lines[path][int(line)] |= {names[n] for n in numbers if names[n] in seconds}
    return Reach(lines, seconds)


class _Recorder:
    """A plugin of pytest: names each test to coverage, and keeps the time of those that pass."""

    def __init__(self, measure: coverage.Coverage) -> None:
        self._measure = measure
        self.seconds: dict[str, float] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [
            i
            for i in items
            if not i.nodeid.endswith(("-lines]", "-bytes]")) or "dialogues" not in i.nodeid
        ]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._measure.switch_context(item.nodeid)
        return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.seconds[report.nodeid] = report.duration


def _measure(output: Path, arguments: list[str]) -> None:
    from hypothesis import settings

    os.environ["COVERAGE_CORE"] = "ctrace"
    settings.register_profile("reach", deadline=None, derandomize=True, max_examples=10)
    rooms = [f"twisted_mail/{room}/*" for room in ROOMS]
    measure = coverage.Coverage(data_file=None, include=rooms, config_file=False)
    recorder = _Recorder(measure)
    measure.start()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        options = ["-q", "-p", "no:cacheprovider", "-p", "no:cov", "--hypothesis-profile=reach"]
        pytest.main([*options, *arguments], plugins=[recorder])
    measure.stop()
    lines = said.getvalue().splitlines()
    print(
        "\n".join([line for line in lines[:-1] if line.startswith("FAILED")] + lines[-1:]),
        flush=True,
    )
    output.write_text(json.dumps(_as_json(measure.get_data(), recorder.seconds)))


def _as_json(data: coverage.CoverageData, seconds: dict[str, float]) -> dict[str, object]:
    numbers: dict[str, int] = {}
    lines = {}
    for path in data.measured_files():
        by_line = data.contexts_by_lineno(path)
        lines[os.path.relpath(path)] = {
            line: [numbers.setdefault(c, len(numbers)) for c in contexts if c]
            for line, contexts in by_line.items()
        }
    return {"tests": list(numbers), "lines": lines, "seconds": seconds}


if __name__ == "__main__":
    _measure(Path(sys.argv[1]), sys.argv[2:])
