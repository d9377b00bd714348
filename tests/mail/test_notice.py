from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import default

from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.address import parse
from twisted_mail.mail.notice import Notice, compose, format_date, text_content

NEWS, ALICE = parse("news-request@example.org"), parse("alice@example.org")


def test_a_notice_says_that_a_program_wrote_it() -> None:
    notice = Notice(NEWS, ALICE, "Hello", text_content("One\nTwo\n"))
    message = message_from_bytes(compose(notice, 1e9, "id@mail.example.org"), policy=default)
    assert (message["From"], message["To"]) == ("news-request@example.org", "alice@example.org")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == "<id@mail.example.org>"
    assert message["Date"] == "Sun, 09 Sep 2001 01:46:40 +0000"
    assert message.get_content() == "One\r\nTwo\r\n"


@given(st.text(max_size=300), st.text(st.characters(exclude_characters="\r"), max_size=300))
def test_any_text_makes_a_notice_of_ascii_and_short_lines(subject: str, text: str) -> None:
    data = compose(Notice(NEWS, ALICE, subject, text_content(text)), 0.0, "id@x.example")
    assert data.isascii()
    lines = data.split(b"\r\n")
    assert all(len(line) <= 998 and b"\n" not in line for line in lines)
    message = message_from_bytes(data)
    assert message["MIME-Version"] == "1.0"
    shown = str(make_header(decode_header(message["Subject"].replace("\r\n", ""))))
    if subject.isprintable() and "=?" not in subject and len(subject) < 200:
        assert "".join(shown.split()) == "".join(subject.split())


def test_dates_are_whole_seconds_of_utc() -> None:
    assert format_date(0.9) == "Thu, 01 Jan 1970 00:00:00 +0000"


def test_a_subject_has_200_characters() -> None:
    data = compose(Notice(NEWS, ALICE, "x" * 300, text_content("")), 0.0, "id@x.example")
    assert message_from_bytes(data)["Subject"].count("x") == 200
