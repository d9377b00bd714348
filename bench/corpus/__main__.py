"""Write the corpus: ``python -m bench.corpus FOLDER [--count N] [--seed N] [--eol crlf]``."""

import argparse
from pathlib import Path

from bench.corpus.writer import write


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--eol", choices=("lf", "crlf"), default="lf")
    given = parser.parse_args()
    sizes = write(given.folder, given.count, given.seed, given.eol)
    mean, median = sum(sizes) / len(sizes), sorted(sizes)[len(sizes) // 2]
    print(f"{len(sizes)} messages, {sum(sizes)} octets, mean {mean:.0f}, median {median}")


if __name__ == "__main__":
    main()
