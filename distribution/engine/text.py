"""How texts are compared: without case, accents and surplus spaces."""

import unicodedata
from functools import lru_cache
from typing import Final

# Letters that Unicode does not take apart into a base letter and an accent.
_STROKED: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}
)
# Long texts, such as messages, are not worth a place in the cache.
_SHORT: Final = 200


def fold(text: str) -> str:
    """The comparison form of a text, so that ``Müller``, ``MULLER`` and `` muller `` are the same."""
    return _fold_short(text) if len(text) <= _SHORT else _fold(text)


def _fold(text: str) -> str:
    if text.isascii():
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    letters = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(letters.translate(_STROKED).split())


_fold_short = lru_cache(maxsize=65536)(_fold)
