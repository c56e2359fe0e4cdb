"""How texts are compared: without case, accents and surplus spaces."""

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=65536)
def fold(text: str) -> str:
    """The comparison form of a text, so that ``Müller``, ``MULLER`` and `` muller `` are the same."""
    if text.isascii():
        return " ".join(text.lower().split())
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    return " ".join("".join(char for char in decomposed if not unicodedata.combining(char)).split())
