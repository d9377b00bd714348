import pytest

from twisted_mail.queue.settings import QueueSettings


def test_pauses_are_more_than_nothing() -> None:
    with pytest.raises(ValueError, match="retry"):
        QueueSettings(first_retry=0)
