"""What a running server takes over from a configuration, and what waits for a restart."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from twisted_mail.config import Config, FilterConfig, ListenerConfig, LogSettings, TlsSettings
from twisted_mail.config.changes import RELOADED, compare, match_endpoints
from twisted_mail.queue.program import Program
from twisted_mail.store.settings import StoreSettings

SMTP, IMAP = ListenerConfig("smtp", "tcp:25"), ListenerConfig("imap", "tcp:143")
OLD = Config(
    Path("/etc/mail.toml"), "mail.example.org", Path("/var/lib/mail"), listeners=(SMTP, IMAP)
)


def changed(**values: Any) -> Config:
    return dataclasses.replace(OLD, **values)


def test_nothing_changes_when_nothing_is_new() -> None:
    assert compare(OLD, OLD) == compare(OLD, changed())
    assert (compare(OLD, OLD).done, compare(OLD, OLD).needs_restart) == ((), ())
    assert compare(OLD, OLD).config == OLD


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"hostname": "mx.example.org"}, "hostname"),
        ({"domains": ("example.org",)}, "domains"),
        ({"state": Path("/srv/mail")}, "state"),
        ({"store": StoreSettings(quota_bytes=10)}, "[store] quota_bytes"),
        ({"log": LogSettings(file="mail.log")}, "[log] file"),
        ({"programs": (Program("ticket", ("/bin/true",)),)}, "[[program]]"),
    ],
)
def test_what_needs_a_restart_is_named_and_stays(values: dict[str, Any], words: str) -> None:
    changes = compare(OLD, changed(**values))
    assert (changes.done, changes.needs_restart) == ((), (words,))
    assert changes.config == OLD


def test_every_option_is_either_taken_over_or_named() -> None:
    for field in dataclasses.fields(Config):
        if field.name == "path":
            continue
        new: Any = changed(**{field.name: object()}) if field.name != "log" else None
        if field.name in RELOADED or new is None:
            continue
        assert compare(OLD, new).needs_restart, field.name


def test_settings_are_taken_over_by_their_names() -> None:
    new = changed(
        tls=TlsSettings(Path("/etc/tls")),
        log=LogSettings(connections=True, file="x"),
        filters=(FilterConfig("greylist", "greylist"),),
    )
    changes = compare(OLD, new)
    assert changes.done == ("[tls] folder", "[log] connections", "filter greylist: added")
    assert changes.needs_restart == ("[log] file",)
    assert changes.config.log == LogSettings(connections=True)


def test_filters_that_change_leave_or_change_places_are_named() -> None:
    one, two = FilterConfig("a", "a"), FilterConfig("b", "b")
    old = changed(filters=(one, two))
    assert compare(old, changed(filters=(two, one))).done == ("filters: another order",)
    slower = dataclasses.replace(one, seconds=20)
    assert compare(old, changed(filters=(slower,))).done == (
        "filter a: changed",
        "filter b: removed",
    )


def test_listeners_are_the_same_while_their_endpoint_is() -> None:
    limited = dataclasses.replace(SMTP, connections=5)
    new = (ListenerConfig("pop3", "tcp:110"), limited)
    assert match_endpoints(OLD.listeners, new) == {1: 0}
    assert compare(OLD, changed(listeners=new)).done == (
        "listener pop3 on tcp:110: added",
        "listener smtp on tcp:25: connections",
        "listener imap on tcp:143: removed",
    )


def test_endpoints_that_are_there_twice_are_matched_in_order() -> None:
    any_port = ListenerConfig("smtp", "tcp:0"), ListenerConfig("imap", "tcp:0")
    assert match_endpoints(any_port, any_port[:1]) == {0: 0}
    assert match_endpoints(any_port[:1], any_port) == {0: 0}
    assert match_endpoints(any_port, any_port) == {0: 0, 1: 1}
