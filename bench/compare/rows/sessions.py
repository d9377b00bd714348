"""I1, P2, T1: connections, logins, handshakes."""

from bench.compare.filling import small_mailboxes
from bench.compare.rows.setting import Setting


def imap(setting: Setting) -> None:
    """LOGIN, SELECT of a mailbox of 100, LOGOUT."""
    endpoint = setting.endpoint
    words = [*endpoint.credentials(), *small_mailboxes(endpoint, setting.corpus)]
    words += ["conns=10", setting.seconds(4), "min_exists=100"]
    setting.quiet()
    name = "I1 imap login+select+logout, 10 conns"
    setting.meter.load(name, "imapsess", *endpoint.at("imap"), *words)
    setting.quiet()
    setting.meter.load("I1t the same over TLS", "imapsess", *endpoint.at("imaps", "tls"), *words)


def pop3(setting: Setting) -> None:
    endpoint = setting.endpoint
    words = [*endpoint.credentials(), *small_mailboxes(endpoint, setting.corpus)]
    words += ["conns=10", setting.seconds(4)]
    setting.quiet()
    setting.meter.load("P2 pop3 login/quit, 10 conns", "pop3sess", *endpoint.at("pop3"), *words)


def handshakes(setting: Setting) -> None:
    words = [*setting.endpoint.at("imaps", "tls"), "conns=8", setting.seconds(4)]
    setting.meter.load("T1 imaps connect+handshake+greeting, 8 conns", "tls", *words)
