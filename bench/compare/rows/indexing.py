"""X: what a server does by itself with a mailbox that it sees for the first time."""

import time

from bench.compare.filling import fill
from bench.compare.rows.setting import Setting


def indexing(setting: Setting) -> None:
    """The first SEARCH of 10,000 messages, and all that the server indexes because of it.

    A server without an index shows the search alone, and has it to do again at each.
    """
    number = setting.number(10_000, 100)
    user = setting.endpoint.user("big", setting.turn + 12)
    fill(setting.endpoint, setting.corpus, user, number)
    setting.quiet()
    client = setting.endpoint.imap(user)
    client("SELECT INBOX", exists=number)
    setting.meter.start()
    began = time.monotonic()
    answer = client("SEARCH BODY mirkwoodian", search=setting.corpus.expected(number).in_body)
    still = setting.quiet()
    seconds = max(answer["secs"], time.monotonic() - began - still)
    setting.meter.stop()
    name = "X1 SEARCH BODY of 10k, and indexing until quiet"
    setting.meter.add(name, number, {**answer, "secs": seconds})
    client.close()
