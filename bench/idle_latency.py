"""How long after the SMTP 250 a client in IDLE hears of the message."""

import argparse
import smtplib
import statistics
import tempfile
import time
from pathlib import Path

from tests.whole.clients import hello, imap
from tests.whole.live import LiveServer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200)
    count = parser.parse_args().messages
    with tempfile.TemporaryDirectory() as folder:
        server = LiveServer(Path(folder))
        delays = measure(server, count)
        server.stop()
    delays.sort()
    print(
        f"{count} deliveries: median {statistics.median(delays):.2f} ms,"
        f" 99th percentile {delays[int(count * 0.99) - 1]:.2f} ms, longest {delays[-1]:.2f} ms"
    )


def measure(server: LiveServer, count: int) -> list[float]:
    """Return milliseconds for each delivery; below zero: heard before the 250 was read."""
    client = imap(server)
    client.select("INBOX")
    client.send(b"i IDLE\r\n")
    client.readline()
    delays = []
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as sender:
        for number in range(count):
            sender.sendmail("a@example.com", "bob@example.org", hello(f"m{number}").encode())
            answered = time.perf_counter()
            while b"EXISTS" not in client.readline():
                pass
            delays.append((time.perf_counter() - answered) * 1000)
    return delays


if __name__ == "__main__":
    main()
