"""The turns of a comparison: every group, every round, every server."""

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.compare.endpoint import Endpoint
from bench.compare.filling import Corpus
from bench.compare.generator import WrongAnswer
from bench.compare.meter import Meter, Result
from bench.compare.processes import wait_until_quiet
from bench.compare.report import Data
from bench.compare.rows.setting import Setting
from bench.compare.rows.table import GROUPS


@dataclass
class Comparison:
    """Servers that are measured in alternation: A B, B A, A B ..."""

    endpoints: Sequence[Endpoint]
    rounds: int
    scale: float
    out: Path | None
    data: Data = field(default_factory=dict)
    failed: int = 0

    def run(self, groups: Sequence[str]) -> None:
        """Measure; results are written after each round, where a file is named for them."""
        self.data.update(_circumstances(self.endpoints))
        for group in groups:
            for turn in range(self.rounds):
                order = self.endpoints if turn % 2 == 0 else self.endpoints[::-1]
                for endpoint in order:
                    if endpoint.has(GROUPS[group].service):
                        self._take_turn(group, turn, endpoint)
                self._save()

    def _quiet(self) -> float:
        return wait_until_quiet([one.processes.cpu_us for one in self.endpoints])

    def _take_turn(self, group: str, turn: int, endpoint: Endpoint) -> None:
        meter = Meter(endpoint)
        corpus = Corpus(endpoint.spec.get("maildir_eol", "lf"))
        self._quiet()
        began = time.monotonic()
        try:
            GROUPS[group].rows(Setting(endpoint, corpus, meter, turn, self.scale, self._quiet))
        except (WrongAnswer, OSError, ValueError, subprocess.SubprocessError) as error:
            meter.results.append((f"{group} (aborted)", {"fail": repr(error)}))
        for name, result in meter.results:
            self._keep(group, endpoint.name, name, result)
            print(f"[{turn}] {endpoint.name:16} {name:52} {_line(result)}", file=sys.stderr)
        print(f"    ({group} took {time.monotonic() - began:.1f} s)", file=sys.stderr, flush=True)

    def _keep(self, group: str, side: str, name: str, result: Result) -> None:
        self.failed += "fail" in result
        self.data["results"][side].setdefault(name, []).append(result)
        rows = self.data["groups"].setdefault(group, [])
        if name not in rows:
            rows.append(name)

    def _save(self) -> None:
        if self.out is not None:
            self.out.write_text(json.dumps(self.data, indent=1))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")


def _line(result: Result) -> str:
    if "fail" in result:
        return f"FAIL {result['fail']}"
    if "value" in result:
        return f"{result['value']:.1f}"
    return (
        f"{result['ops_s']:.1f}/s {result['secs']:.3f}s cpu {result['cpu_us_op']:.1f}"
        f" sys {result['sys_us_op']:.1f} us/op client {result['client_us_op']:.1f}"
        f" p50 {result['p50_us']} p99 {result['p99_us']}"
    )


def _circumstances(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return what a reader of the figures must know, and the room for them."""
    git = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    described = subprocess.run(git, capture_output=True, text=True, check=False)
    return {
        "sides": [one.name for one in endpoints],
        "when": time.strftime("%F %T"),
        "commit": described.stdout.strip(),
        "python": platform.python_version(),
        "machine": f"{os.cpu_count()} x {_processor()}, Linux {platform.release()}",
        "groups": {},
        "results": {one.name: {} for one in endpoints},
    }
