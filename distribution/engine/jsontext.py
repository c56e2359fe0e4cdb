"""JSON that is the same text for equal data, so that a digest of it tells whether two traces are equal."""

import json
from functools import lru_cache
from typing import Final

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def json_text(data: object) -> str:
    """Data as compact JSON with sorted keys. What JSON does not know becomes its ``str``."""
    return _word_text(data) if type(data) is str else _ENCODER.encode(data)


@lru_cache(maxsize=4096)
def _word_text(word: str) -> str:
    """The same names and codes are in every trace."""
    return _ENCODER.encode(word)


def number_text(number: int | None) -> str:
    """A number, or null. An f-string does the same for what is never None."""
    return "null" if number is None else str(number)
