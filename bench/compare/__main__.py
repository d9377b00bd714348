"""Drive this server and its peers with the same load, in turn.

python -m bench.compare --only I1,I2 --rounds 3       this server, and Dovecot with Postfix
python -m bench.compare --sides ours-2,peer           with two workers
python -m bench.compare --only I9 --sides ours,peer-fsync
python -m bench.compare --sides /tmp/a/spec.json,/tmp/b/spec.json     two checkouts, each by bench.serve
python -m bench.compare --table FILE.json --markdown  an earlier run's table

A figure is printed only where every answer was right; otherwise its place says FAIL and why, and the
exit status is 1. Needs root, for the peers have users of their own; they are installed where missing.
"""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.compare import generator, report
from bench.compare.endpoint import Endpoint
from bench.compare.places import ROOT
from bench.compare.rows.table import GROUPS
from bench.compare.run import Comparison
from bench.compare.servers import server_by_name
from bench.compare.spinners import spinning


def main() -> int:
    options = _parser().parse_args()
    if options.table:
        _print_tables(options.table, options.markdown)
        return 0
    groups = options.only.split(",") if options.only else list(GROUPS)
    if unknown := set(groups) - set(GROUPS):
        raise SystemExit(
            f"no such rows: {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}"
        )
    generator.build()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are stopped, too
    return _measured(options, groups)


def _measured(options: argparse.Namespace, groups: Sequence[str]) -> int:
    ROOT.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        endpoints: list[Endpoint] = []
        for name in options.sides.split(","):
            server = server_by_name(name)
            stack.callback(server.stop)
            server.start()
            endpoints.append(_named_apart(server.endpoint(), endpoints))
        stack.enter_context(spinning(options.spin))
        comparison = Comparison(endpoints, options.rounds, options.scale, options.out)
        comparison.run(groups)
    print(*report.whole(comparison.data), sep="\n")
    return 1 if comparison.failed else 0


def _named_apart(endpoint: Endpoint, others: Sequence[Endpoint]) -> Endpoint:
    """Return it with another name than those of the others, as of two checkouts of one server."""
    letter = "B"
    while any(endpoint.name == other.name for other in others):
        endpoint.name = f"{endpoint.spec['name']} ({letter})"
        letter = chr(ord(letter) + 1)
    return endpoint


def _print_tables(files: Sequence[Path], is_markdown: bool) -> None:
    shown = report.markdown if is_markdown else report.whole
    for path in files:
        print(*shown(json.loads(path.read_text())), sep="\n")


def _parser() -> argparse.ArgumentParser:
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=kind)
    parser.add_argument("--only", help=f"rows: {', '.join(GROUPS)}")
    parser.add_argument("--sides", default="ours,peer", help="servers, the first two compared")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="0.1 for a trial")
    parser.add_argument("--spin", action="store_true", help="keep processors awake")
    parser.add_argument("--out", type=Path, help="keep the results in a JSON file")
    parser.add_argument("--table", type=Path, nargs="+", help="print those of earlier runs")
    parser.add_argument("--markdown", action="store_true", help="as docs/performance.md has them")
    return parser


if __name__ == "__main__":
    sys.exit(main())
