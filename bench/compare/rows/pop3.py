"""P1: a maildrop of a thousand messages is fetched."""

from bench.compare.filling import fill
from bench.compare.rows.setting import Setting


def fetch_all(setting: Setting) -> None:
    """STAT, UIDL, and RETR of each: for the first time, again, and fifty commands at a time."""
    endpoint = setting.endpoint
    number = setting.number(1000, 50)
    user = endpoint.user("pop", setting.turn)
    fill(endpoint, setting.corpus, user, number)
    words = [*endpoint.at("pop3"), *endpoint.credentials(), f"u={user}", f"want={number}"]
    words.append(f"want_bytes={setting.corpus.expected(number).size}")
    setting.quiet()
    setting.meter.load("P1.1 pop3 STAT UIDL RETR 1000, cold", "pop3get", *words)
    setting.quiet()
    setting.meter.load("P1.2 pop3 the same, warm", "pop3get", *words)
    setting.meter.load("P1.3 pop3 the same, pipelined 50", "pop3get", *words, "pipe=50")
