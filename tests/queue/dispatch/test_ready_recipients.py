from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.interfaces import DueRecipient
from twisted_mail.queue.dispatch.memory.ready_recipients import ReadyRecipients


def row(
    job: str, number: int = 1, submitter: str = "alice", priority: int = 0, arrived: float = 0.0
) -> DueRecipient:
    return DueRecipient(job, number, 0.0, arrived, submitter, priority)


def ready(*rows: DueRecipient) -> ReadyRecipients:
    found = ReadyRecipients()
    for each in rows:
        found.add(each)
    return found


def taken(found: ReadyRecipients, limit: int = 100) -> list[str]:
    jobs = []
    while found.count:
        jobs.append(found.take(limit)[0])
    return jobs


def test_submitters_take_turns() -> None:
    alice = [row(f"a{number}", arrived=number) for number in range(3)]
    bob = row("b", submitter="bob", arrived=9)
    assert taken(ready(*alice, bob)) == ["a0", "b", "a1", "a2"]


def test_the_oldest_goes_first_and_what_has_priority_before() -> None:
    rows = [row("new", arrived=2), row("old", arrived=1), row("urgent", arrived=3, priority=4)]
    assert taken(ready(*rows)) == ["urgent", "old", "new"]


def test_a_job_with_many_recipients_has_one_transaction_in_each_turn() -> None:
    newsletter = [row("news", number) for number in range(250)]
    found = ready(*newsletter, row("letter", submitter="bob"))
    assert found.take(100) == ("news", tuple(range(100)))
    assert found.take(100)[0] == "letter"
    assert found.take(100) == ("news", tuple(range(100, 200)))


def test_a_newsletter_does_not_even_hold_up_its_own_sender() -> None:
    found = ready(*(row("news", number) for number in range(1000)))
    for _ in range(4):
        found.take(100)
    found.add(row("letter", arrived=99))
    assert "letter" in [found.take(100)[0], found.take(100)[0]]


def test_letters_do_not_hold_up_the_newsletter_for_ever() -> None:
    found = ready(*(row("news", number) for number in range(300)))
    jobs = []
    for number in range(12):
        found.add(row(f"letter{number}", arrived=number + 1))
        jobs.append(found.take(100)[0])
    assert jobs.count("news") >= 2


def test_a_recipient_is_ready_once() -> None:
    found = ready(row("a"))
    assert not found.add(row("a"))
    assert found.count == 1


def test_one_with_few_gets_the_place_of_one_with_many() -> None:
    found = ready(*(row(f"a{number}", arrived=number) for number in range(10)))
    assert found.make_way("bob")
    found.add(row("b", submitter="bob"))
    assert found.count == 10
    assert taken(found)[:3] == ["a0", "b", "a1"]


def test_nobody_makes_way_for_an_equal() -> None:
    found = ready(row("a"), row("b", submitter="bob"))
    assert not found.make_way("bob")
    assert not found.make_way("carol")
    assert not found.make_way("alice")


def test_what_made_way_can_come_back() -> None:
    found = ready(*(row("news", number) for number in range(3)))
    for _ in range(2):
        assert found.make_way("bob")
    found.add(row("news", 2))
    assert found.take(100) == ("news", (0, 2))
    assert not found.count


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 8), st.sampled_from("abc"), st.integers(-9, 9)),
        max_size=40,
    ),
    st.integers(1, 4),
)
def test_everybody_goes_once(rows: Sequence[tuple[int, int, str, int]], limit: int) -> None:
    found = ReadyRecipients()
    added = set()
    for job, number, submitter, _ in rows:
        key = f"{submitter}{job}"
        if found.add(row(key, number, submitter, priority=job)):
            added.add((key, number))
    assert found.count == len(added)
    gone = []
    while found.count:
        job_id, numbers = found.take(limit)
        assert 0 < len(numbers) <= limit
        gone += [(job_id, number) for number in numbers]
    assert sorted(gone) == sorted(added)


@given(st.lists(st.sampled_from("aaaabbc"), min_size=1, max_size=60))
def test_no_submitter_waits_for_more_than_one_turn_of_each_other(senders: list[str]) -> None:
    found = ReadyRecipients()
    for number, submitter in enumerate(senders):
        found.add(row(f"{submitter}{number}", submitter=submitter, arrived=number))
    waited = dict.fromkeys(senders, 0)
    left = {each: senders.count(each) for each in senders}
    while found.count:
        submitter = found.take(1)[0][0]
        left[submitter] -= 1
        waited[submitter] = 0
        for other in waited:
            if other != submitter and left[other]:
                waited[other] += 1
                assert waited[other] < len(waited) + 1
