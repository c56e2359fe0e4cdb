"""What a whole message means when it is one word: stop writing to me, or write again."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

from leadcrm.lib.text import match_key


class Wish(StrEnum):
    NONE = ""
    STOP = "stop"
    START = "start"


# No word is longer; only the whole message counts, so a long one is never looked at closely.
_LONGEST: Final = 60

STOP_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("STOP", "STOPALL", "STOP ALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "OPTOUT", "OPT OUT", "REVOKE"),
    "de": ("STOPP", "ABMELDEN", "ABMELDUNG", "ABBESTELLEN", "BEENDEN", "AUFHÖREN", "KÜNDIGEN", "ENDE"),
    "es": ("PARAR", "BAJA", "DAR DE BAJA", "CANCELAR", "DETENER", "ALTO", "FIN", "NO MÁS"),
    "fr": ("ARRÊT", "ARRÊTER", "ARRÊTEZ", "DÉSABONNER", "SE DÉSABONNER", "DÉSINSCRIRE", "DÉSINSCRIPTION", "ANNULER"),
    "pt": ("PARE", "PARAR", "SAIR", "CANCELAR", "DESCADASTRAR", "REMOVER", "CANCELAR INSCRIÇÃO"),
}
START_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("START", "UNSTOP", "RESUME"),
}


def _by_key(words: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """The language of each word, the first that has it."""
    found: dict[str, str] = {}
    for language, spelt in words.items():
        for word in spelt:
            found.setdefault(match_key(word), language)
    return found


_STOP: Final = _by_key(STOP_WORDS)
_START: Final = _by_key(START_WORDS)


def wish_of(text: str) -> Wish:
    """What a message asks for. Case, accents, punctuation and surplus spaces play no part; other words do."""
    key = _key(text)
    if key in _STOP:
        return Wish.STOP
    return Wish.START if key in _START else Wish.NONE


def language_of(text: str) -> str:
    """The language that a stop word belongs to; English when it is none."""
    return _STOP.get(_key(text), "en")


def _key(text: str) -> str:
    return match_key(text) if len(text) <= _LONGEST else ""
