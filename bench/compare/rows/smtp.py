"""S: mail comes in. What was acknowledged must be there as files."""

from bench.compare.rows.setting import Setting


def _words(setting: Setting) -> list[str]:
    endpoint = setting.endpoint
    return [
        *endpoint.users("smtp"),
        endpoint.recipient(),
        endpoint.sender(),
        "count_dirs=" + ",".join(endpoint.spec["count_dirs"]),
        "maxs=6",
    ]


def _receive(setting: Setting, name: str, total: int, *more: str) -> None:
    words = [*setting.endpoint.at("smtp"), *_words(setting), f"total={setting.number(total)}"]
    setting.meter.load(name, "smtp", *words, *more)


def one_each(setting: Setting) -> None:
    _receive(setting, "S1 smtp 4KiB, 1/conn, 20 conns", 3000, "conns=20")


def pipelined(setting: Setting) -> None:
    name = "S2 smtp pipelined 50/conn, 20 conns"
    _receive(setting, name, 4000, "conns=20", "per_conn=50", "pipe=1")


def one_connection(setting: Setting) -> None:
    name = "S2b smtp 1 conn, 100/conn (latency)"
    _receive(setting, name, 800, "conns=1", "per_conn=100", "pipe=1")


def large(setting: Setting) -> None:
    name = "S3 smtp 1MiB, 8 conns"
    _receive(setting, name, 160, "conns=8", "per_conn=4", "size=1048576")


def ten_recipients(setting: Setting) -> None:
    name = "S4 smtp 10 rcpt, 20 conns"
    _receive(setting, name, 600, "conns=20", "per_conn=10", "pipe=1", "rcpts=10")


def submission(setting: Setting) -> None:
    """A TLS connection, a login and a message, again and again."""
    endpoint = setting.endpoint
    words = [*endpoint.at("submissions", "tls"), *endpoint.credentials(), *_words(setting)]
    words += [f"from={endpoint.spec.get('submit_from', 'sender@origin.test')}", "auth=1"]
    words += ["conns=20", f"total={setting.number(2000)}"]
    setting.meter.load("S5 submissions AUTH TLS 4KiB 1/conn, 20 conns", "smtp", *words)


def _relay_words(setting: Setting) -> list[str]:
    endpoint = setting.endpoint
    relay = endpoint.spec["relay"]
    return [
        *endpoint.credentials(),
        *_words(setting),
        f"from={endpoint.spec.get('submit_from', 'sender@origin.test')}",
        f"rcpt=person{{n}}@{relay['domain']}",
        f"sink_port={relay['sink_port']}",
        "auth=1",
        "pipe=1",
    ]


def relayed(setting: Setting) -> None:
    """Twenty clients log in over STARTTLS and send mail for another domain, which must come out."""
    words = [*setting.endpoint.at("submission", "starttls"), *_relay_words(setting)]
    words += ["conns=20", "per_conn=20", f"total={setting.number(2000)}"]
    setting.meter.load("S6 submission STARTTLS to a sink 4KiB 20/conn, 20 conns", "smtp", *words)


def relayed_in_clear(setting: Setting) -> None:
    """The same without TLS: fifty clients, and one that waits for each answer, which is timed."""
    endpoint = setting.endpoint
    # A server that takes no passwords in clear where it offers TLS has a port without TLS.
    port = "submission_clear" if endpoint.has("submission_clear") else "submission"
    words = [*endpoint.at(port), *_relay_words(setting)]
    many = ["conns=50", "per_conn=20", f"total={setting.number(3000)}"]
    setting.meter.load(
        "S6c.1 submission in clear to a sink 4KiB 20/conn, 50 conns", "smtp", *words, *many
    )
    setting.quiet()
    one = ["conns=1", "per_conn=100", f"total={setting.number(600)}", "answers=1"]
    setting.meter.wait("S6c.2 the same, 1 conn: answer to the message", "smtp", *words, *one)
