"""Moments, spans and amounts as each language writes them, and what the default texts owe to its rules."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from notifications.content import combined, fill_in
from notifications.defaults import LANGUAGES, default_words
from notifications.fields import SAMPLE
from notifications.kinds import KINDS
from notifications.leaving import WORDS as LEAVING
from notifications.localwords import amount_words, day_words, moment_words, span_words

NOW = datetime(2026, 11, 28, 8, tzinfo=UTC)  # a Saturday
LATER = datetime(2026, 11, 30, 14, 5, tzinfo=UTC)
NO_BREAK = "\u00a0"


@pytest.mark.parametrize(
    ("language", "moment", "day", "span", "amount"),
    [
        ("en", "Mon 30 Nov 14:05", "Monday", "4 days", "12,500 EUR"),
        ("de", "Mo, 30. Nov 14:05", "Montag", "4 Tage", "12.500 EUR"),
        ("es", "lun 30 nov 14:05", "lunes", "4 días", f"12{NO_BREAK}500 EUR"),
        ("fr", "lun 30 nov. 14:05", "lundi", "4 jours", f"12{NO_BREAK}500 EUR"),
        ("pt", "seg 30 nov 14:05", "segunda-feira", "4 dias", "12.500 EUR"),
        ("xx", "Mon 30 Nov 14:05", "Monday", "4 days", "12,500 EUR"),
        ("", "Mon 30 Nov 14:05", "Monday", "4 days", "12,500 EUR"),
    ],
)
def test_each_language_writes_them_its_own_way(language, moment, day, span, amount):
    assert moment_words(LATER, NOW, ZoneInfo("UTC"), language) == moment
    assert day_words(date(2026, 11, 30), language) == day
    assert span_words(timedelta(days=4, hours=3), language) == span
    assert amount_words(Decimal("12500.00"), "EUR", language) == amount


def test_what_is_today_is_told_by_the_clock_and_short_spans_by_units_that_all_read():
    assert moment_words(NOW + timedelta(hours=1), NOW, ZoneInfo("Europe/Berlin"), "de") == "10:00"
    assert [span_words(timedelta(minutes=many), "fr") for many in (0, 59, 60, 125)] == [
        "0 min",
        "59 min",
        "1 h",
        "2 h 5 min",
    ]
    assert (amount_words(None, "EUR", "de"), amount_words(Decimal("0.50"), "EUR", "de")) == ("", "0,50 EUR")


def ours(kind, language):
    """What a message says of its own, with a letter in the place of each value."""
    words = default_words(kind, "email", language)
    bare = re.sub("<[^>]*>", "", "\n".join(words))
    return re.sub(r"{%.*?%}", "", re.sub(r"{{.*?}}", "x", bare))


@pytest.mark.parametrize("kind", KINDS)
def test_french_has_a_space_at_which_no_line_breaks_before_its_double_signs(kind):
    assert re.findall(rf"[^{NO_BREAK}][:;?!]", ours(kind, "fr")) == []


@pytest.mark.parametrize("kind", KINDS)
def test_spanish_opens_its_questions(kind):
    text = ours(kind, "es")
    assert text.count("?") == text.count("¿")
    assert text.count("!") == text.count("¡")


# By which somebody is called informally, or is taken for a man.
FAUX_PAS = {
    "de": r"\b(du|dir|dich|dein\w*|euch|euer\w*)\b",
    "es": r"\b(tú|tu|tus|te|ti|contigo|asignado a|rápido|ausente como)\b",
    "fr": r"\b(tu|te|toi|ton|ta|tes)\b|mentionné\b|vous avez été \w+é\b",
    "pt": r"\b(tu|te|ti|contigo|teu|tua|obrigado|você)\b|mencionou-o|rápido|marcado como",
}


@pytest.mark.parametrize("language", FAUX_PAS)
def test_people_are_addressed_formally_and_taken_for_neither_man_nor_woman(language):
    for kind in KINDS:
        assert re.findall(FAUX_PAS[language], ours(kind, language), re.IGNORECASE) == [], kind


@pytest.mark.parametrize("language", LANGUAGES)
def test_several_messages_in_one_are_called_so_in_the_language_of_their_reader(language):
    contents = [fill_in(default_words("reply", "email", language), "email", SAMPLE)] * 2
    words = LANGUAGES[language]
    assert combined(contents, language).subject.startswith(f"2 {words.several}{words.colon} ")


def test_the_question_behind_unsubscribe_keeps_its_sign_with_it():
    assert LEAVING["fr"].ask.endswith(f"{NO_BREAK}?")
