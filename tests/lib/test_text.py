import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution.engine.text import fold
from leadcrm.lib.text import clean, clean_lines, csv_safe, match_key, quoted, unstorable, without_csv_guard

ANY_TEXT = st.text(st.characters())  # surrogates included


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("  two   words ", "two words"),
        ("nul\x00 and bell\x07", "nul and bell"),
        ("line\r\nbreak\ttab", "line break tab"),
        ("evil\u202egpj.exe", "evilgpj.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("e\u0301", "\u00e9"),
        ("half \ud800 pair", "half pair"),
        ("no\u00a0break", "no break"),
        ("👩‍💻", "👩‍💻"),
        ("می‌خواهم", "می‌خواهم"),
    ],
)
def test_text_from_outside_becomes_one_safe_line(raw, cleaned):
    assert clean(raw) == cleaned


@pytest.mark.parametrize(
    ("text", "what"),
    [("a\x00b", "NUL"), ("\x00", "NUL"), ("a\ud800", "half of a surrogate pair (U+D800)"), ("\udfff\ud800", "half")],
)
def test_what_no_database_keeps_is_named(text, what):
    assert unstorable(text).startswith(f"Contains a character that cannot be stored: {what}")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_what_can_be_written_as_utf_8_can_be_stored_apart_from_nul(text):
    assert unstorable(text) == ""


def test_a_message_keeps_its_lines_but_not_its_heaps_of_empty_ones():
    assert clean_lines("Hello,\r\n\r\n\r\n\r\nplease\x00 call  me\u2028soon\n\n") == "Hello,\n\nplease call me\nsoon"


@given(ANY_TEXT)
def test_cleaning_twice_changes_nothing_and_the_result_can_be_stored(text):
    for cleaning in (clean, clean_lines, match_key):
        once = cleaning(text)
        assert cleaning(once) == once
        assert "\x00" not in once.encode().decode()


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("Müller", "MULLER"),
        ("Łódź", "lodz"),
        ("Tromsø", "tromso"),
        ("St. Gallen", "st  gallen"),
        ("Straße", "STRASSE"),
        ("O'Brien", "OBrien"),
        ("Ron-tech", "ron tech"),
        ("Ｆｕｌｌ　Ｗｉｄｔｈ", "full width"),
    ],
)
def test_names_that_differ_in_case_accents_or_punctuation_have_one_key(left, right):
    assert match_key(left) == match_key(right)


@given(ANY_TEXT)
def test_texts_that_rules_hold_equal_have_the_same_key(text):
    assert match_key(fold(clean(text))) == match_key(text)


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+4930123456", "+4930123456"),
        ("+49301234567890", "+49301234567890"),
        ("+4930123456789012", "'+4930123456789012"),
        ("+49 30 123456", "'+49 30 123456"),
        ("+1-555-123", "'+1-555-123"),
        ("+4930123456\n", "'+4930123456\n"),
        ("+4930123456+cmd|' /C calc'!A0", "'+4930123456+cmd|' /C calc'!A0"),
        ("+٤٩٣٠١٢٣٤٥٦", "'+٤٩٣٠١٢٣٤٥٦"),
        ("+0301234567", "'+0301234567"),
        ("-4930123456", "'-4930123456"),
        ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
        ("\t=1", "'\t=1"),
        (" =1", "' =1"),
        ("＝1+1", "'＝1+1"),
        ("plain, text", "plain, text"),
        ("", ""),
        (None, ""),
        (-5, "-5"),
        (Decimal("-1.50"), "-1.50"),
        ("'quoted'", "'quoted'"),
    ],
)
def test_no_exported_cell_is_a_formula(value, cell):
    assert csv_safe(value) == cell


@given(ANY_TEXT | st.from_regex(r"[=+@-][0-9+ ]{0,17}", fullmatch=True))
def test_exported_text_reads_back_as_it_was(text):
    exported = csv_safe(text)
    is_number = re.fullmatch(r"\+[0-9]{7,15}", exported, re.ASCII)
    assert is_number or exported.lstrip(" ")[:1] not in tuple("=+-@")
    assert without_csv_guard(exported) == text or exported == text


def test_phone_numbers_that_another_program_guarded_are_read_as_such():
    assert without_csv_guard("'+4930123456") == "+4930123456"


def test_error_messages_repeat_only_the_start_of_a_long_value():
    assert quoted("short\n") == '"short"'
    assert quoted("x" * 1_000_000) == f'"{"x" * 40}…"'


@pytest.mark.data
def test_naughty_strings_become_storable_text(data_dir: Path):
    for text in json.loads((data_dir / "hard_inputs" / "blns.json").read_text()):
        assert clean(clean(text)) == clean(text)
        clean_lines(text).encode()
        assert match_key(text) == match_key(match_key(text))
