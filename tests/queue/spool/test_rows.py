import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contracts.spool import LATER, owed
from twisted_mail.interfaces import SiteRecord
from twisted_mail.mail.address import Address, parse
from twisted_mail.mail.queued.job import OwedRecipient, QueuedJob
from twisted_mail.queue.spool.rows import (
    BodySum,
    DamagedRow,
    read_job,
    read_recipient,
    read_site,
    write_job,
    write_recipient,
    write_site,
)

texts = st.text(max_size=20)
times = st.floats(allow_nan=False)
# A domain has no @; all else may be anything, what is wrong among it.
addresses = st.builds(Address, texts, texts.filter(lambda text: "@" not in text))
st.register_type_strategy(Address, addresses)
st.register_type_strategy(float, times)
st.register_type_strategy(bytes, st.binary(max_size=50))
st.register_type_strategy(str, texts)
jobs = st.from_type(QueuedJob)
sums = st.builds(BodySum, st.integers(0, 2**32 - 1), st.booleans())


@given(jobs, sums)
def test_a_job_comes_back_as_it_was(job: QueuedJob, body: BodySum):
    stored = read_job(job.id, write_job(job, body))
    assert (stored.job, stored.body) == (job, body)


@given(texts, st.from_type(OwedRecipient))
def test_a_recipient_comes_back_as_it_was(id: str, recipient: OwedRecipient):
    blob = write_recipient(id, recipient)
    assert read_recipient(id, recipient.number, blob) == recipient


@given(st.from_type(SiteRecord))
def test_a_site_comes_back_as_it_was(site: SiteRecord):
    assert read_site(site.name, write_site(site)) == site


@given(st.data())
def test_no_altered_blob_is_read(data: st.DataObject):
    blob = bytearray(write_recipient("job1", owed(last=LATER, due=5.0)))
    at = data.draw(st.integers(0, len(blob) - 1))
    blob[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedRow):
        read_recipient("job1", 1, bytes(blob))


@given(st.binary(max_size=60))
def test_any_octets_are_damaged(blob: bytes):
    for read in (
        lambda: read_job("job1", blob),
        lambda: read_recipient("job1", 1, blob),
        lambda: read_site("mx", blob),
    ):
        with pytest.raises(DamagedRow):
            read()


def test_a_blob_of_another_is_damaged():
    blob = write_recipient("job1", owed(1))
    with pytest.raises(DamagedRow):
        read_recipient("job1", 2, blob)
    with pytest.raises(DamagedRow):
        read_recipient("job2", 1, blob)
    job = write_job(QueuedJob("job1", 1.0, parse("a@example.org")), BodySum(1, False))
    with pytest.raises(DamagedRow):
        read_job("job2", job)


def test_what_is_usual_takes_no_room():
    assert len(write_recipient("job1", owed())) < 40


def test_a_time_without_end_comes_back():
    assert read_recipient("a", 1, write_recipient("a", owed(due=math.inf))).due == math.inf
