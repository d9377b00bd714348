"""How long a delivery takes while 2,000 clients hang on: silent, slow, half-open in TLS, and junk.

The good client is a process of its own; each delivery is a connection, from connecting to the farewell,
with the message synced to disk.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tests.whole import good_client
from tests.whole.company import Company
from tests.whole.hostile import ObservedServer, many_descriptors

SECONDS = 10


def times(server: ObservedServer) -> list[float]:
    """Return the milliseconds that each delivery took, sorted."""
    command = [sys.executable, good_client.__file__, str(server.ports["smtp"]), str(SECONDS)]
    said = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return sorted(1000 * float(line) for line in said.split())


def show(name: str, took: list[float]) -> None:
    median, most = took[len(took) // 2], took[len(took) * 99 // 100]
    print(
        f"{name}: {len(took)} deliveries, median {median:.1f} ms,"
        f" 99th percentile {most:.1f} ms, longest {took[-1]:.1f} ms"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, many_descriptors(8192):
        server = ObservedServer(Path(folder), listener="connections_per_address = 5000\n")
        show("alone", times(server))
        for number in (2000, 4000):
            with Company(server, number):
                show(f"beside {number}", times(server))
        server.stop()


if __name__ == "__main__":
    main()
