"""The queue with very many messages: ``python -m bench.queue_scale [N]``.

N messages (default 100,000) for N/10 domains. *spool*: the processor time of a message by way and size,
how long a start takes, what it holds in memory, and how long questions take. *server*: a server, whose
queue holds them, all but ten domains being dead: how soon after kill -9 it sends, what mail to a live
domain loses, memory, processor time, how long the reactor stands still, how long answers take.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

from bench.queue_scale import spool, whole

PARTS = ("spool", "server")


def main() -> None:
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=kind)
    parser.add_argument("messages", nargs="?", type=int, default=100_000)
    parser.add_argument("folder", nargs="?", default="/var/tmp")
    parser.add_argument("--only", choices=PARTS, help="one part")
    swallows = "the dead hosts swallow connections; else they refuse them"
    parser.add_argument("--silent", action="store_true", help=swallows)
    kept = "where the filled queue is kept, and taken from the next time: to fill it takes minutes"
    parser.add_argument("--filled", type=Path, metavar="FOLDER", help=kept)
    options = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="queue-scale-", dir=options.folder))
    try:
        if options.only != "server":
            spool.measure(root / "spool", options.messages)
        if options.only != "spool":
            server = root / "server"
            whole.measure(server, options.messages, options.silent, options.filled)
    finally:
        shutil.rmtree(root)


if __name__ == "__main__":
    main()
