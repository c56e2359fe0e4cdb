"""How many text messages a text is paid as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.smslength import GSM, UCS2, sms_length

TABLE = (
    ("", GSM, 0, 1),
    ("a" * 160, GSM, 160, 1),
    ("a" * 161, GSM, 161, 2),
    ("a" * 306, GSM, 306, 2),
    ("a" * 307, GSM, 307, 3),
    ("ÄÖÜäöüß à é ñ ¿¡ @£$¥", GSM, 21, 1),
    ("€" * 80, GSM, 160, 1),
    ("€" * 81, GSM, 162, 2),
    # An escaped character is not torn apart: 152 characters and half of one do not fit into 153.
    ("a" * 152 + "€" + "a" * 152, GSM, 306, 3),
    ("[]{}\\~^|", GSM, 16, 1),
    ("a\nb\r", GSM, 4, 1),
    ("ç", UCS2, 1, 1),
    ("ê" * 70, UCS2, 70, 1),
    ("ê" * 71, UCS2, 71, 2),
    ("ê" * 134, UCS2, 134, 2),
    ("ê" * 135, UCS2, 135, 3),
    ("😀", UCS2, 2, 1),
    ("😀" * 35, UCS2, 70, 1),
    ("😀" * 36, UCS2, 72, 2),
    # 67 places hold 33 pairs.
    ("😀" * 66, UCS2, 132, 2),
    ("😀" * 67, UCS2, 134, 3),
    ("a" * 69 + "ê", UCS2, 70, 1),
    ("`", UCS2, 1, 1),
    ("\t", UCS2, 1, 1),
)


@pytest.mark.parametrize(("text", "alphabet", "units", "segments"), TABLE)
def test_a_text_is_counted_as_networks_do(text, alphabet, units, segments):
    length = sms_length(text)
    assert (length.alphabet, length.units, length.segments) == (alphabet, units, segments)


def test_what_makes_a_text_long_is_named():
    assert str(sms_length("déjà ç")) == "6 characters, 1 message (UCS-2, because of ç)"
    assert str(sms_length("x" * 200)) == "200 characters, 2 messages (GSM-7)"


@given(st.text(max_size=400))
def test_the_parts_have_room_for_the_whole(text):
    length = sms_length(text)
    alone, part = (160, 153) if length.alphabet == GSM else (70, 67)
    assert length.units <= (alone if length.segments == 1 else part * length.segments)
