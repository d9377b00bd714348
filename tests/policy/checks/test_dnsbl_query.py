import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.policy.checks.dnsbl_query import (
    DnsList,
    address_query_name,
    domain_query_name,
    parse_ranges,
    test_entries,
)

points = test_entries
del test_entries  # pytest would take it for a test


def test_an_address_is_looked_up_backwards():
    assert address_query_name("192.0.2.99", "bl.example") == "99.2.0.192.bl.example"
    assert address_query_name("::ffff:192.0.2.99", "bl.example") == "99.2.0.192.bl.example"
    assert address_query_name("2001:db8:1:2:3:4:567:89ab", "ugly.example.com") == (
        "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example.com"
    )
    assert address_query_name("", "bl.example") is None


def test_a_domain_is_looked_up_as_it_is():
    assert domain_query_name("Mail.Example.", "bl.example") == "mail.example.bl.example"
    for other in ("", "[192.0.2.1]", "192.0.2.1", "2001:db8::1", "\u00e4.example"):
        assert domain_query_name(other, "bl.example") is None


def test_the_test_entries_are_those_of_the_standard():
    assert points(DnsList("bl.example")) == ("2.0.0.127.bl.example", "1.0.0.127.bl.example")
    assert points(DnsList("d.example", of="hello")) == ("test.d.example", "invalid.d.example")


def test_answers_outside_of_127_do_not_count():
    answers = ["198.51.100.1", "::1", "nonsense", "127.0.0.2", "127.0.0.10"]
    assert DnsList("bl.example").counts(answers) == ["127.0.0.2", "127.0.0.10"]
    some = DnsList("bl.example", replies=("127.0.0.4-127.0.0.11", "127.0.1.2"))
    assert some.counts(answers) == ["127.0.0.10"]


def test_what_a_list_tells_us_is_not_about_the_client():
    one = DnsList("bl.example", replies=("127.0.0.0-127.255.255.255",))
    assert one.counts(["127.255.255.254"]) == []
    assert one.refuses_us(["127.255.255.254"])
    assert not one.refuses_us(["127.0.0.2"])


@pytest.mark.parametrize("text", ["", "127.0.0", "10.0.0.1", "127.0.0.9-127.0.0.2", "127.0.0.1-x"])
def test_a_reply_that_is_none_is_a_mistake(text):
    with pytest.raises(ValueError, match="is not an answer of a list"):
        DnsList("bl.example", replies=(text,))


def test_a_zone_that_is_none_is_a_mistake():
    with pytest.raises(ValueError, match="domain"):
        DnsList("bl..example")


@given(st.ip_addresses())
def test_the_labels_of_an_address_give_the_address_back(address):
    labels = address_query_name(str(address), "z").split(".")[:-1]
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.version == 4:
        assert ".".join(reversed(labels)) == str(mapped)
    else:
        assert "".join(reversed(labels)) == mapped.exploded.replace(":", "")


@given(st.text(alphabet="0123456789.-x", max_size=40))
def test_reading_replies_never_fails_otherwise(text):
    try:
        ((low, high),) = parse_ranges([text])
    except ValueError:
        return
    assert 127 << 24 <= low <= high < 128 << 24
