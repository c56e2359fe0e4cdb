"""The default texts of messages. To add a language: a file like ``en.py``, and a line here."""

from collections.abc import Mapping
from typing import Final

from notifications.defaults import de, en, es, fr, leads, pt
from notifications.defaults.base import Language, Words, words_for_people

__all__ = ["LANGUAGES", "LANGUAGE_NAMES", "Words", "default_words"]

LANGUAGES: Final[Mapping[str, Language]] = {
    "en": en.LANGUAGE,
    "de": de.LANGUAGE,
    "es": es.LANGUAGE,
    "fr": fr.LANGUAGE,
    "pt": pt.LANGUAGE,
}
LANGUAGE_NAMES: Final = [(code, language.name) for code, language in LANGUAGES.items()]


def default_words(kind: str, channel: str, language: str) -> Words:
    """The default subject, text and HTML of a kind, as templates. In English where a language has none."""
    if kind in leads.WORDS:
        return leads.words_to_lead(kind, channel, language)
    return words_for_people(LANGUAGES.get(language, en.LANGUAGE), kind, channel)
