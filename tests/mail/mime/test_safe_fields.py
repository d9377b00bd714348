from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.mime.safe_fields import MAX_VALUE, field, phrase


def test_a_folded_value_stays_as_it_is():
    assert field("X-A", "one;\r\n\ttwo\r\n three") == b"X-A: one;\r\n\ttwo\r\n three\r\n"


def test_a_value_cannot_begin_another_field_or_the_body():
    assert field("X-A", "1\r\nSubject: x\r\n\r\nbody") == b"X-A: 1_Subject: x__body\r\n"
    assert field("X-A", "1\nB: 2\r C: 3\x00") == b"X-A: 1_B: 2_ C: 3_\r\n"
    assert field("X-A", "1\r\n \r\n\t\r\n 2\r\n  ") == b"X-A: 1\r\n 2\r\n"


def test_what_is_no_name_makes_no_field():
    for name in ("", "X A", "X:A", "X\r\nA", "\u00e4", "x" * 77):
        assert field(name, "1") == b""


@given(
    st.text(max_size=50),
    st.text(alphabet=st.sampled_from("a :\r\n\t\x00\u00e4\ud800"), max_size=80),
)
def test_one_field_is_one_field(name, value):
    made = field(name, value)
    if made:
        first, *others, last = made.split(b"\r\n")
        assert first.startswith(name.encode() + b": ")
        assert last == b""
        assert all(line[:1] in b" \t" and line.strip() for line in others)
        assert b"\n" not in made.replace(b"\r\n", b"")
        assert b"\r" not in made.replace(b"\r\n", b"")


def test_a_value_is_bounded():
    assert field("X-A", "x" * MAX_VALUE)
    assert field("X-A", "x" * (MAX_VALUE + 1)) == b""


def test_octets_that_are_no_text_stay_as_they_are():
    assert field("X-A", b"caf\xe9".decode("utf-8", "surrogateescape")) == b"X-A: caf\xe9\r\n"


def test_a_phrase_is_short_printable_ascii():
    assert phrase("a\r\nb\u00e4", 10) == "a__b_"
    assert phrase(" ~\x1f\x7f", 10) == " ~__"
    assert phrase("x" * 300, 200) == "x" * 197 + "..."
