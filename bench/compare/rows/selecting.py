"""I6, I8: a mailbox is opened, for the first time and again."""

import time

from bench.compare.filling import fill
from bench.compare.rows.setting import Setting

# A maildir that was altered within the last seconds is read again by anybody who trusts its times.
SETTLED = 4.0


def hundred_thousand(setting: Setting) -> None:
    """Three sessions, each after the last has ended."""
    number = setting.number(100_000, 1000)
    user = setting.endpoint.user("huge", setting.turn)
    fill(setting.endpoint, setting.corpus, user, number, as_links=True)
    names = ("100k maildir, never indexed", "100k, second session", "100k, third session")
    for index, name in enumerate(names, 1):
        client = setting.endpoint.imap(user)
        command = f"I6.{index} SELECT {name}"
        setting.meter.command(command, client, "SELECT INBOX", 1, exists=number)
        if index == 1:
            name, command = "I6.4 FETCH 100k FLAGS", "FETCH 1:* (FLAGS)"
            setting.meter.command(name, client, command, number, fetch=number)
        client.close()
        time.sleep(SETTLED)
        setting.quiet()


def again(setting: Setting) -> None:
    """Ten thousand: a third session, when all is indexed and quiet; then SELECT after SELECT in one."""
    number = setting.number(10_000, 100)
    user = setting.endpoint.user("big", setting.turn + 25)
    fill(setting.endpoint, setting.corpus, user, number)
    for _ in range(2):
        client = setting.endpoint.imap(user)
        client("SELECT INBOX", exists=number)
        client.close()
        time.sleep(SETTLED)
        setting.quiet()
    client = setting.endpoint.imap(user)
    name = "I8.1 SELECT 10k, third session"
    setting.meter.command(name, client, "SELECT INBOX", 1, exists=number)
    client.close()
    words = [*setting.endpoint.at("imap"), *setting.endpoint.credentials(), "conns=1"]
    words += [f"ulo={user}", f"uhi={user}", "cmd=SELECT INBOX", setting.seconds(2.5)]
    setting.meter.load("I8.2 SELECT 10k, again and again", "imaploop", *words, waits=True)
