"""Results as tables: every figure of each server, or one line a row for the documentation."""

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from bench.compare.meter import Result

Data = dict[str, Any]
EMPTY = "-"


def number(value: float | None) -> str:
    """Return three significant digits, about."""
    if value is None:
        return EMPTY
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def _median(results: Sequence[Result], key: str) -> float | None:
    values = [one[key] for one in results if one.get(key) is not None]
    return statistics.median(values) if values else None


def _range(results: Sequence[Result], key: str, factor: float = 1.0) -> str:
    values = [one[key] * factor for one in results]
    return f"{number(statistics.median(values))} ({number(min(values))}-{number(max(values))})"


def names(data: Data) -> list[str]:
    """Return the names of all rows, in order."""
    return sorted({name for side in data["results"].values() for name in side})


def figure(results: Sequence[Result]) -> str:
    """Return what a row says of one server: a rate, a time if it was a single operation, a size."""
    if failed := next((one["fail"] for one in results if "fail" in one), None):
        return f"FAIL: {failed[:90]}".replace("|", "/")
    if not results:
        return EMPTY
    if "value" in results[0]:
        return _range(results, "value")
    if (kind := _kind(results)) != "ops_s":
        factor = 1000 if kind == "secs" else 0.001
        return _range(results, kind, factor).replace(" ", " ms ", 1)
    octets = _median(results, "mb_s")
    return _range(results, "ops_s") + (f" {number(octets)} MB/s" if octets else "")


def _latency(results: Sequence[Result]) -> str:
    median, last = _median(results, "p50_us"), _median(results, "p99_us")
    return f"{median / 1e3:.2f}/{(last or 0) / 1e3:.1f}" if median else EMPTY


def _cells(results: Sequence[Result]) -> list[str]:
    first = figure(results)
    if not results or first.startswith("FAIL"):
        return [first, EMPTY, EMPTY, EMPTY]
    if "value" in results[0]:
        return [first, EMPTY, f"{results[-1].get('procs', '')} procs", EMPTY]
    used = (number(_median(results, key)) for key in ("cpu_us_op", "sys_us_op"))
    return [first, _latency(results), *used]


def ratio(ours: Sequence[Result], theirs: Sequence[Result], key: str) -> float | None:
    """Return how many times the first figure is the second's."""
    if any("fail" in one for one in (*ours, *theirs)):
        return None
    mine, other = _median(ours, key), _median(theirs, key)
    return mine / other if mine is not None and other else None


def _kind(results: Sequence[Result]) -> str:
    """Return the key of the figure: a rate, the time of one operation, a latency, a size."""
    first = results[0]
    if "value" in first:
        return "value"
    return str(first.get("figure", "secs" if first["ops"] == 1 else "ops_s"))


def better(ours: Sequence[Result], theirs: Sequence[Result]) -> float | None:
    """Return how many times better the first is: a rate that is higher, a time or size that is less."""
    if not ours or not theirs or any("fail" in one for one in (*ours, *theirs)):
        return None
    kind = _kind(ours)
    return ratio(ours, theirs, kind) if kind == "ops_s" else ratio(theirs, ours, kind)


def whole(data: Data) -> Iterable[str]:
    """Yield the lines of a table with all figures; ratios are those of the first two servers."""
    sides: list[str] = data["sides"]
    more = "{}: ops/s (min-max) | p50/p99 ms | srv us/op | sys us/op"
    heads = ["workload", *(more.format(side) for side in sides)]
    heads += ["better", "A/B cpu"] if len(sides) > 1 else []
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * f"| {' | '.join(heads)}".count("|")
    for name in names(data):
        found = [data["results"][side].get(name, []) for side in sides]
        cells = [cell for results in found for cell in _cells(results)]
        if len(sides) > 1:
            cells.append(number(better(found[0], found[1])))
            cells.append(number(ratio(found[0], found[1], "cpu_us_op")))
        yield f"| {' | '.join([name, *cells])} |"


def markdown(data: Data) -> Iterable[str]:
    """Yield a line a row for ``docs/performance.md``: above 1 this server is the better one."""
    ours, peer = data["sides"][:2]
    yield f"| row | {ours} | {peer} | ratio | date | command |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name in names(data):
        mine, other = (data["results"][side].get(name, []) for side in (ours, peer))
        cells = [name, figure(mine), figure(other), number(better(mine, other)), data["when"][:10]]
        yield f"| {' | '.join(cells)} | `--only {_group(data, name)}` |"


def _group(data: Data, name: str) -> str:
    return next((group for group, rows in data["groups"].items() if name in rows), EMPTY)
