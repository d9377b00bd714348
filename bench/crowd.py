"""Clients that ``bench.strangers`` starts in processes of their own: ``python -m bench.crowd ...``.

``data PORT NUMBER OCTETS`` opens connections that are silent in the middle of a message, says ``ready``,
and ends with its standard input. ``guess PORT RATE SECONDS`` tries wrong passwords, from another network
and for another name each time.
"""

import os
import socket
import sys
import time

ENVELOPE = (
    b"EHLO stranger.example\r\n",
    b"MAIL FROM:<a@stranger.example>\r\n",
    b"RCPT TO:<u0@bench.test>\r\n",
    b"DATA\r\n",
)
PATIENCE = 20.0  # seconds that a guesser waits for an answer


def data(port: int, number: int, octets: int) -> None:
    """Hold many connections that have sent a part of a message, header or body, each."""
    held = [_in_the_middle(port, one, octets) for one in range(number)]
    os.write(1, b"ready\n")
    sys.stdin.read()
    for one in held:
        one.close()


def _in_the_middle(port: int, number: int, octets: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.recv(4096)
    for command in ENVELOPE:
        connection.sendall(command)
        connection.recv(4096)
    # Every other one never comes to the end of its header.
    start = b"Subject: x\r\n" + (b"\r\n" if number % 2 else b"")
    line = b"X-Filler: " + b"x" * 500 + b"\r\n"
    connection.sendall(start + (line * (octets // len(line) + 1))[:octets])
    return connection


def guess(port: int, rate: int, seconds: int) -> None:
    """Log in wrongly at a steady rate, by IMAP through the header of a proxy.

    Every other name is one of a hundred that exist.
    """
    os.write(1, b"ready\n")
    began = time.monotonic()
    waiting: list[tuple[float, socket.socket]] = []
    for number in range(rate * seconds):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        waiting.append((time.monotonic() + PATIENCE, _guess(port, number)))
        while waiting and waiting[0][0] < time.monotonic():
            waiting.pop(0)[1].close()


def _guess(port: int, number: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    network = f"11.{number >> 8 & 255}.{number & 255}.1"
    name = f"u{number % 200}@bench.test" if number % 2 else f"nobody{number}@bench.test"
    connection.sendall(f"PROXY TCP4 {network} 127.0.0.1 999 143\r\n".encode())
    connection.sendall(f"t LOGIN {name} wrong{number}\r\n".encode())
    return connection


if __name__ == "__main__":
    _, what, *numbers = sys.argv
    {"data": data, "guess": guess}[what](*map(int, numbers))
