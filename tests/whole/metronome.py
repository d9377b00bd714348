"""A good IMAP client in a process of its own: it asks for nothing, again and again, until its standard
input ends; then it says how often it asked and what its longest wait was.

Run as ``python metronome.py PORT``.
"""

import os
import select
import socket
import sys
import time


def ticks(port: int) -> tuple[int, float]:
    count, worst = 0, 0.0
    with socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.recv(4096)
        os.write(1, b"ready\n")
        while not select.select([0], [], [], 0.002)[0]:
            began = time.monotonic()
            connection.sendall(b"n NOOP\r\n")
            assert connection.recv(4096).startswith(b"n OK")
            worst = max(worst, time.monotonic() - began)
            count += 1
    return count, worst


if __name__ == "__main__":
    count, worst = ticks(int(sys.argv[1]))
    os.write(1, f"{count} {worst}\n".encode())
