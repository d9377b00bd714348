from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.outcome import Outcome
from twisted_mail.mail.verdict import (
    ACCEPT,
    MAX_REASON,
    Decision,
    FilterStage,
    Verdict,
    defer,
    refuse,
)


@given(st.text(max_size=500))
def test_what_is_shown_of_any_reason_is_one_short_line(reason):
    words = Verdict(reason=reason).printable_reason
    assert len(words) <= MAX_REASON
    assert words.isascii()
    assert words == "" or words.isprintable()


def test_stages_and_decisions_are_called_in_the_log_as_in_the_configuration():
    assert [one.value for one in FilterStage] == (
        ["connect", "hello", "sender", "recipient", "message"]
    )
    assert [one.value for one in Decision] == (
        ["accept", "quarantine", "discard", "defer", "refuse"]
    )


def test_a_refusal_is_for_now_or_for_good():
    assert refuse("no").is_refusal
    assert defer("no").is_refusal
    assert not ACCEPT.is_refusal
    assert refuse("no").answer.code == 550
    assert defer("no").answer.code == 450
    assert refuse("no", Outcome(554, "5.7.1", "No")).answer.text == "No"
