"""A good client in a process of its own: it delivers one message after another for a while, each over a
connection of its own, and says how many seconds each delivery took.

Run as ``python good_client.py PORT SECONDS``.
"""

import os
import smtplib
import sys
import time

MESSAGE = b"Subject: good\r\n\r\n" + b"Would you like to reconsider?\r\n" * 30


def deliver(port: int) -> float:
    """Deliver a message, from connecting to the farewell; return the seconds that took."""
    began = time.monotonic()
    with smtplib.SMTP("127.0.0.1", port, "good.example.com", timeout=60) as client:
        client.sendmail("good@example.com", ["bob@example.org"], MESSAGE)
    return time.monotonic() - began


if __name__ == "__main__":
    ends = time.monotonic() + float(sys.argv[2])
    while time.monotonic() < ends:
        os.write(1, b"%.6f\n" % deliver(int(sys.argv[1])))
        time.sleep(0.02)
