"""Carriers of plugins: the example of the documentation, its table, and the mistakes in one."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.queue.scripted_work import ScriptedWork
from twisted_mail import plugin
from twisted_mail.config.carriers import CarrierReader
from twisted_mail.config.mistakes import KeyPath
from twisted_mail.config.model import CarrierConfig
from twisted_mail.config.values import Structurer
from twisted_mail.interfaces import Site
from twisted_mail.mail.address import parse
from twisted_mail.mail.message import MemoryBlob, Message
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob, Transaction
from twisted_mail.mail.queued.target import RemoteTarget
from twisted_mail.testing.doubles import InlineBlocking, StillClock, finish

DOCUMENT = Path(__file__).parents[2] / "docs" / "plugins.md"


@pytest.fixture
def dropped() -> Any:
    """The plugin of the documentation."""
    section = DOCUMENT.read_text().partition("## A carrier")[2]
    code = re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0]
    names: dict[str, Any] = {"__name__": "dropped"}
    exec(compile(code, "dropped.py", "exec"), names)  # our own documentation
    return names["dropped"]


def read(tables: object, **kinds: Any) -> tuple[tuple[CarrierConfig, ...], list[str]]:
    said: list[str] = []

    def complain(place: KeyPath, text: str) -> None:
        said.append(f"{'.'.join(map(str, place))}: {text}")

    return CarrierReader(Structurer(Path("/etc")), lambda: kinds, complain).read(tables), said


def test_a_carrier_has_the_settings_of_its_kind(dropped: Any) -> None:
    [found], said = read([{"kind": "dropped", "folder": "/var/x"}], dropped=dropped)
    assert (found.kind, found.settings.folder, said) == ("dropped", Path("/var/x"), [])


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"kind": "dropped"}, "carrier: must be tables; begin each with [[carrier]]"),
        ([{}], "carrier.0.kind: is missing"),
        ([{"kind": "droped"}], "carrier.0.kind: there is no kind of carrier 'droped'"),
        ([{"kind": "smtp"}], "carrier.0.kind: the carrier 'smtp' is always there: [sending] has"),
        ([{"kind": "dropped", "pace": 1}], "carrier.0.pace: there is no such option"),
    ],
)
def test_mistakes_are_reported_with_their_place(dropped: Any, tables: object, said: str) -> None:
    found, mistakes = read(tables, dropped=dropped)
    assert found == ()
    assert mistakes[0].startswith(said)


def test_the_carrier_of_the_documentation_drops_mail(dropped: Any, tmp_path: Path) -> None:
    doors: Any = SimpleNamespace(blocking=InlineBlocking(), clock=StillClock())
    carrier = dropped.make(dropped.settings(tmp_path), doors)
    owed = OwedRecipient(1, RemoteTarget(parse("dave@elsewhere.example")))
    job = QueuedJob("id1", 1.0, parse("alice@example.org"))
    message = Message(MemoryBlob(b"Subject: x\r\n\r\n"), b"Received: x\r\n")
    site = finish(carrier.site(owed.destination))
    assert isinstance(site, Site)
    work = ScriptedWork(Transaction(job, (owed,), message))
    finish(carrier.serve(site, work))
    assert [one.code for one in work.outcomes] == [250]
    assert (tmp_path / "id1.eml").read_bytes() == b"Received: x\r\nSubject: x\r\n\r\n"
    again = ScriptedWork(Transaction(job, (owed,), message))
    finish(dropped.make(dropped.settings(tmp_path / "gone"), doors).serve(site, again))
    assert [one.code for one in again.outcomes] == [451]


def test_no_carrier_comes_with_the_server_as_a_plugin() -> None:
    assert plugin.carriers() == {}
