import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution.engine.facts import LeadFacts, is_blank
from distribution.engine.text import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", "MULLER"),
        ("Straße", "STRASSE"),
        ("  a \t b\n", "A B"),
        ("Łódź", "lodz"),
        ("Sørensen", "Sorensen"),
        ("İstanbul", "istanbul"),
        ("ﬁne", "FINE"),
        ("Ångström", "Ångström"),
    ],
)
def test_texts_that_people_take_for_the_same_fold_to_the_same(one, other):
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("a-b", "ab"), ("a.b", "a b"), ("日本", "日木"), ("", "a")])
def test_texts_that_differ_stay_different(one, other):
    assert fold(one) != fold(other)


@given(st.text())
def test_folding_twice_changes_nothing_more(text):
    assert fold(fold(text)) == fold(text)


def test_no_character_of_unicode_depends_on_its_case():
    characters = (chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)
    assert [c for c in characters if not fold(c.upper()) == fold(c) == fold(c.lower())] == []


@pytest.mark.parametrize(("value", "blank"), [(None, True), ("", True), ((), True), (0, False), (False, False)])
def test_zero_and_false_are_values(value, blank):
    assert is_blank(value) is blank


@pytest.mark.parametrize(("value", "text"), [("Über", "uber"), (None, ""), (5, ""), (("a",), "")])
def test_only_texts_have_a_text(value, text):
    assert LeadFacts({"company": value}).text("company") == text
