"""Moments, spans and amounts in the words of a language."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.utils import translation
from django.utils.formats import date_format, number_format

from notifications.defaults import LANGUAGES

_LONG_AGO: Final = timedelta(days=3)
# Languages that write the names of days and months with a capital also inside a sentence.
_CAPITALS: Final = ("en", "de")
_DAY: Final = {"de": "D, j. M", "fr": "D j N"}
_DAYS: Final = {"en": "days", "de": "Tage", "es": "días", "fr": "jours", "pt": "dias"}


def known(language: str) -> str:
    """The language, or English for one that no text is in."""
    return language if language in LANGUAGES else "en"


def moment_words(moment: datetime, now: datetime, zone: ZoneInfo, language: str) -> str:
    """``14:05``, or with its day when that is not today: ``Mon 30 Nov 14:05``."""
    local, language = moment.astimezone(zone), known(language)
    if local.date() == now.astimezone(zone).date():
        return f"{local:%H:%M}"
    return f"{_dated(local, _DAY.get(language, 'D j M'), language)} {local:%H:%M}"


def day_words(day: date, language: str) -> str:
    """``Monday``, as it stands inside a sentence of a language."""
    return _dated(day, "l", known(language))


def _dated(day: date, form: str, language: str) -> str:
    with translation.override(language):
        name = date_format(day, form)
    return name if language in _CAPITALS else name.lower()


def span_words(span: timedelta, language: str = "en") -> str:
    """``12 min``, ``2 h 5 min``, ``3 days``."""
    minutes = max(int(span.total_seconds() // 60), 0)
    if span >= _LONG_AGO:
        return f"{span.days} {_DAYS[known(language)]}"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours and rest else f"{hours} h" if hours else f"{rest} min"


def amount_words(amount: Decimal | None, currency: str, language: str) -> str:
    """``12,500 EUR``, in German ``12.500 EUR``; cents only where there are any; empty for nothing."""
    if amount is None:
        return ""
    digits = 0 if amount == amount.to_integral_value() else 2
    with translation.override(known(language)):
        return f"{number_format(amount, digits, force_grouping=True)} {currency}"
