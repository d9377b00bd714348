"""python -m bench.mutants: draw mutants by chance, show each to the tests, count who is noticed."""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.mutants.choice import choice
from bench.mutants.reach import Reach, make_reach, read_reach
from bench.mutants.sites import Mutant, all_mutants, mutated
from bench.mutants.trial import BROKEN, PASSED, TIMED_OUT, Mutation, import_the_large, trial

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Result:
    """What the tests said of one mutant, and how many of them were run."""

    mutant: Mutant
    verdict: str
    tests: int

    @property
    def survived(self) -> bool:
        return self.verdict in (PASSED, BROKEN)

    def __str__(self) -> str:
        m = self.mutant
        said = f"{m.path}:{m.line}: {m.kind}: {_short(m.before)}  =>  {_short(m.after)}"
        return f"{said}  [{self.verdict}, {self.tests} tests]"


class Bench:
    """A copy of the tree, and what its tests reach."""

    def __init__(self, tree: Path, reach: Reach) -> None:
        self.tree = tree
        self.reach = reach

    def result(self, mutant: Mutant) -> Result:
        """Show a mutant to a few tests, and if they pass to all others that reach its line."""
        few, others = choice(mutant, self.reach)
        ran = 0
        verdict = BROKEN
        for tests in (few, others):
            if tests:
                ran += len(tests)
                verdict = self._verdict(mutant, tests)
            if verdict not in (PASSED, BROKEN):
                break
        return Result(mutant, verdict, ran)

    def control(self, mutant: Mutant) -> Result:
        """What the few tests say when there is no fault: anything but PASSED is a fault of the bench."""
        few, _ = choice(mutant, self.reach)
        verdict = trial(None, few, self._seconds(few)) if few else PASSED
        return Result(mutant, verdict, len(few))

    def _verdict(self, mutant: Mutant, tests: list[str]) -> str:
        mutation = Mutation(mutant.module, self.tree / mutant.path, mutated(self.tree, mutant))
        verdict = trial(mutation, tests, self._seconds(tests))
        if verdict == TIMED_OUT and trial(None, tests, self._seconds(tests)) == TIMED_OUT:
            return PASSED  # not the mutant's doing
        return verdict

    def _seconds(self, tests: list[str]) -> float:
        return 20 + 4 * sum(self.reach.seconds[t] for t in tests)


_bench: Bench


def _start(tree: Path, reach: Reach) -> None:
    global _bench
    os.chdir(tree)
    os.environ["CI"] = "1"
    sys.path.insert(0, str(tree))
    import_the_large()
    _bench = Bench(tree, reach)


def _result(mutant: Mutant) -> Result:
    return _bench.result(mutant)


def _control(mutant: Mutant) -> Result:
    return _bench.control(mutant)


def main() -> None:
    """Draw, run, and report."""
    arguments = _arguments()
    tree = Path(arguments.tree or tempfile.mkdtemp(prefix="mutants-"))
    if not arguments.map:
        _copy(tree)
    mutants = _drawn(arguments, tree)
    maps = sorted(tree.glob("reach-*.json"))
    reach = (
        read_reach(maps) if arguments.map and all(m.exists() for m in maps) else make_reach(tree)
    )
    fork = multiprocessing.get_context("fork")
    with fork.Pool(arguments.processes, _start, (tree, reach)) as pool:
        controls = pool.map(_control, mutants[: arguments.controls], chunksize=1)
        failed = [one for one in controls if one.verdict != PASSED]
        passed = len(controls) - len(failed)
        print(f"{len(controls)} controls without a fault, {passed} pass", *failed, sep="\n")
        results = _collect(pool.imap_unordered(_result, mutants), len(mutants), arguments.json)
    _report(results, arguments)
    if not arguments.tree:
        shutil.rmtree(tree)


def _collect(results: Iterable[Result], count: int, output: str | None) -> list[Result]:
    start = time.monotonic()
    done: list[Result] = []
    for result in results:
        done.append(result)
        if result.survived:
            print(f"{len(done)}/{count} {time.monotonic() - start:.0f} s  {result}", flush=True)
        elif len(done) % 20 == 0:
            killed = sum(not r.survived for r in done)
            print(
                f"{len(done)}/{count} {time.monotonic() - start:.0f} s  {killed} killed", flush=True
            )
        if output and (len(done) % 20 == 0 or len(done) == count):
            Path(output).write_text(json.dumps([asdict(r) for r in done], indent=1))
    return done


def _report(results: list[Result], arguments: argparse.Namespace) -> None:
    survivors = sorted(
        (r for r in results if r.survived), key=lambda r: (r.mutant.path, r.mutant.line)
    )
    for result in survivors:
        print(result)
    killed = len(results) - len(survivors)
    late = sum(r.verdict == TIMED_OUT for r in results)
    share = 100 * killed / max(1, len(results))
    print(
        f"seed {arguments.seed}: {killed} of {len(results)} killed ({share:.1f} %), {late} by time"
    )


def _drawn(arguments: argparse.Namespace, tree: Path) -> list[Mutant]:
    mutants = [m for m in all_mutants(tree) if m.path.startswith(f"twisted_mail/{arguments.room}")]
    if not arguments.again:
        return random.Random(arguments.seed).sample(mutants, min(arguments.count, len(mutants)))
    earlier = [
        Mutant(**r["mutant"])
        for r in json.loads(Path(arguments.again).read_bytes())
        if r["verdict"] in (PASSED, BROKEN)
    ]
    return [m for e in earlier if (m := _same(e, mutants)) is not None]


def _same(earlier: Mutant, mutants: list[Mutant]) -> Mutant | None:
    """The mutant that is the same fault, if lines have moved since."""
    same = [m for m in mutants if _fault(m) == _fault(earlier)]
    return min(
        same, key=lambda m: (abs(m.line - earlier.line), abs(m.place - earlier.place)), default=None
    )


def _fault(mutant: Mutant) -> tuple[str, ...]:
    return mutant.path, mutant.kind, mutant.before, mutant.after


def _copy(tree: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=_ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (_ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(_ROOT / name, tree / name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--controls", type=int, default=20, help="how many selections to run without a fault"
    )
    parser.add_argument(
        "--room", default="", help="draw from the files whose path begins so: mail/mime"
    )
    parser.add_argument("--json", metavar="FILE", help="write every result there")
    parser.add_argument(
        "--again", metavar="FILE", help="run the survivors of an earlier --json instead"
    )
    parser.add_argument("--tree", metavar="FOLDER", help="the copy of the tree, kept afterwards")
    parser.add_argument(
        "--map", action="store_true", help="use the map of tests that --tree has already"
    )
    return parser.parse_args()


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 70 else text[:67] + "..."


if __name__ == "__main__":
    main()
