from twisted_mail.net.server.connection_limit import MAX_BUSY, ConnectionLimit, connection_limit_for


def test_half_of_the_descriptors_are_for_files() -> None:
    assert connection_limit_for(20_000).most == 10_000 - MAX_BUSY
    assert connection_limit_for(10).most == 1


def test_a_limit_knows_the_most_that_were_served_together() -> None:
    limit = ConnectionLimit(2)
    limit.serve(1)
    limit.serve(1)
    assert limit.is_full
    limit.serve(-1)
    assert (limit.served, limit.peak, limit.is_full) == (1, 2, False)


def test_busy_replies_have_a_limit_of_their_own() -> None:
    limit = ConnectionLimit(1, most_busy=1)
    assert not limit.is_past_busy_limit
    limit.busy += 1
    assert limit.is_past_busy_limit
