"""JSON for the database and for digests: compact, with sorted keys, so that equal data is equal text."""

import json
from datetime import date
from typing import Any, Final

import orjson

_OPTIONS: Final = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


def dumps(data: Any) -> bytes:
    """Data as JSON. Dates, moments and UUIDs become ISO texts, whatever else JSON does not know its ``str``."""
    try:
        return orjson.dumps(data, default=_known, option=_OPTIONS)
    except TypeError:
        # Whole numbers beyond 64 bits and halves of characters, which only the standard library writes.
        return json.dumps(data, default=_plain, sort_keys=True, separators=(",", ":")).encode()


class Ready:
    """JSON that was made before, to stand as a value in other data."""

    def __init__(self, text: bytes) -> None:
        self.text = text


def _known(value: Any) -> Any:
    return orjson.Fragment(value.text) if isinstance(value, Ready) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Ready):
        return json.loads(value.text)
    return value.isoformat() if isinstance(value, date) else str(value)
