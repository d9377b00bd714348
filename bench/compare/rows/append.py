"""I4.5 to I4.7: APPEND, with each kind of literal that a server offers."""

import time

from bench.compare.endpoint import USERS
from bench.compare.rows.setting import Setting


def append(setting: Setting) -> None:
    """Into new mailboxes; the answers' number must be that by which they grow."""
    endpoint = setting.endpoint
    mailbox = f"Ap{int(time.time() * 1000) % 10**9}"
    client = endpoint.imap(USERS["append"][0])
    capabilities = client.capabilities
    client.close()
    words = [*endpoint.at("imap"), *endpoint.credentials(), *endpoint.users("append")]
    words += [f"mailbox={mailbox}", "maxs=4"]
    for connections in (1, 20):
        for name, needed, total, more in _kinds(connections):
            if needed in capabilities:
                total_word = f"total={setting.number(total)}"
                here = [*words, f"conns={connections}", total_word, *more]
                setting.meter.load(name, "imapappend", *here, waits=True)


def _kinds(connections: int) -> list[tuple[str, str, int, list[str]]]:
    """Return the rows: name, capability, number of messages, words for the generator."""
    end = f"{connections} conn"
    return [
        (f"I4.5 APPEND 4KiB sync literal, {end}", "IMAP4REV1", 1500, ["mode=sync"]),
        (f"I4.6 APPEND 4KiB LITERAL+, {end}", "LITERAL", 1500, ["mode=plus", "size=4000"]),
        (
            f"I4.7 MULTIAPPEND x20, {end}",
            "MULTIAPPEND",
            4000,
            ["mode=multi", "batch=20", "size=4000"],
        ),
    ]
