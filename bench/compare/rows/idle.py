"""I5: how soon a client in IDLE hears of a message, in a mailbox of 10,000."""

from bench.compare.filling import big_mailbox, owner_words
from bench.compare.rows.setting import Setting


def idle(setting: Setting) -> None:
    """The message comes by another client's APPEND, by SMTP, and as a file from another program."""
    endpoint = setting.endpoint
    number = setting.number(10_000, 100)
    user = big_mailbox(endpoint, setting.corpus, setting.turn, number)
    words = [*endpoint.at("imap"), *endpoint.credentials(), f"u={user}", endpoint.recipient()]
    words += [endpoint.sender(), f"smtp_port={endpoint.ports.get('smtp', 0)}"]
    words += [f"total={setting.number(15, 3)}", f"min_exists={number}", "timeout=40"]
    drop = ["via=drop", f"maildir={endpoint.maildir(user)}", *owner_words(endpoint)]
    setting.quiet()
    wait = setting.meter.wait
    wait("I5.1 IDLE notify, APPEND by another client", "idle", *words, "via=append")
    if endpoint.has("smtp"):
        wait("I5.2 IDLE notify, SMTP delivery", "idle", *words, "via=smtp")
    wait("I5.3 IDLE notify, file dropped into new/", "idle", *words, *drop)
    endpoint.filled.pop("big")
