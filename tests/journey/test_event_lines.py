"""Events as lines of JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.journey.event_lines import MAX_NAMED, MAX_VALUE, event_line, read_event, stamp
from twisted_mail.queue.events import LoggedAddress, LoggedAddresses, LoggedPhases

NOON = 1_764_590_713.25


def test_a_line_begins_with_the_id_and_the_time_and_ends_once() -> None:
    line = event_line((NOON, "refused", {"text": "No", "id": "1a", "service": "smtp"}))
    head = '{"id":"1a","time":"2025-12-01T12:05:13.250Z","event":"refused",'
    assert line == head + '"text":"No","service":"smtp"}\n'


def test_empty_fields_are_left_out_but_the_null_sender() -> None:
    fields = {"from": LoggedAddress(""), "for": "", "phases": LoggedPhases(), "tries": 0, "use": ""}
    assert json.loads(event_line((NOON, "accepted", fields))) == {
        "id": "",
        "time": stamp(NOON),
        "event": "accepted",
        "from": "",
        "tries": 0,
    }


def test_values_of_the_log_are_data_here() -> None:
    fields = {
        "to": LoggedAddresses(["a@b.example", '"x y"@b.example']),
        "phases": LoggedPhases({"dns": 0.25}),
        "for": LoggedAddress("c@b.example"),
    }
    data = json.loads(event_line((NOON, "accepted", fields)))
    assert data["to"] == ["a@b.example", '"x y"@b.example']
    assert (data["phases"], data["for"]) == ({"dns": 0.25}, "c@b.example")


def test_long_texts_and_many_names_are_cut() -> None:
    fields = {"text": "x" * 5000, "to": LoggedAddresses(["y" * 5000] * 500)}
    data = json.loads(event_line((NOON, "accepted", fields)))
    assert data["text"] == "x" * MAX_VALUE + "..."
    assert len(data["to"]) == MAX_NAMED
    assert len(data["to"][0]) == MAX_VALUE + 3


@given(st.text(), st.lists(st.text()), st.floats(0, 4e9, allow_nan=False), st.integers())
def test_whatever_is_said_is_one_line_of_visible_ascii_that_is_read_back(
    text: str, names: list[str], moment: float, number: int
) -> None:
    fields = {"id": text, "text": text, "to": tuple(names), "use": number}
    line = event_line((moment, "deferred", fields))
    assert line.isascii()
    assert line[:-1].isprintable()
    found = read_event(line.encode())
    assert found is not None
    assert found["id"] == text
    assert found.get("text", "") == text
    assert found.get("to", []) == names[:MAX_NAMED]
    assert found["use"] == number


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"1", b'{"event":1}', b'{"id":1,"time":"","event":"x"}', b"[" * 9999]
)
def test_what_is_no_event_is_none(line: bytes) -> None:
    assert read_event(line) is None
