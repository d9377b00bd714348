import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.policy.dnsbl_query import DnsList, of_address, of_domain, ranges_of, test_points

points = test_points
del test_points  # pytest would take it for a test


def test_an_address_is_looked_up_backwards():
    assert of_address("192.0.2.99", "bl.example") == "99.2.0.192.bl.example"
    assert of_address("::ffff:192.0.2.99", "bl.example") == "99.2.0.192.bl.example"
    assert of_address("2001:db8:1:2:3:4:567:89ab", "ugly.example.com") == (
        "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ugly.example.com"
    )
    assert of_address("", "bl.example") is None


def test_a_domain_is_looked_up_as_it_is():
    assert of_domain("Mail.Example.", "bl.example") == "mail.example.bl.example"
    for other in ("", "[192.0.2.1]", "192.0.2.1", "2001:db8::1", "\u00e4.example"):
        assert of_domain(other, "bl.example") is None


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
    labels = of_address(str(address), "z").split(".")[:-1]
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.version == 4:
        assert ".".join(reversed(labels)) == str(mapped)
    else:
        assert "".join(reversed(labels)) == mapped.exploded.replace(":", "")


@given(st.text(alphabet="0123456789.-x", max_size=40))
def test_reading_replies_never_fails_otherwise(text):
    try:
        ((low, high),) = ranges_of([text])
    except ValueError:
        return
    assert 127 << 24 <= low <= high < 128 << 24
