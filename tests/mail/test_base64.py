import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twisted_mail.mail.base64 import decode, decode_initial, encode
from twisted_mail.mail.outcome import ProtocolError


@given(st.binary())
def test_decode_is_the_inverse_of_encode(data):
    assert decode(encode(data)) == data


BROKEN = (
    b"=AAA AAA=BBB QQ QQ= QQ=== QR== Q Q,Q QQ==QQ== -_== * = QUI=\tQQ== \xff\xff\xff\xff".split(
        b" "
    )
)


@pytest.mark.parametrize("text", [*BROKEN, b"QQ== ", b" QQ==", b"Q Q==", b"QQ\r\n=="])
def test_what_rfc_5034_forbids_is_refused(text):
    with pytest.raises(ProtocolError) as caught:
        decode(text)
    assert caught.value.outcome.code == 501


@given(st.binary(max_size=12))
def test_nothing_else_is_ever_raised(text):
    with contextlib.suppress(ProtocolError):
        assert encode(decode(text)) == text


def test_a_single_equals_sign_is_the_empty_initial_response():
    assert decode_initial(b"=") == b""
    assert decode_initial(b"QQ==") == b"A"
