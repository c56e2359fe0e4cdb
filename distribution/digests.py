"""The fingerprint by which two traces are compared."""

import hashlib
from typing import Any

from distribution.engine.jsontext import json_text


def digest(trace: dict[str, Any]) -> str:
    """SHA-256 of a trace: equal facts in an equal world give an equal digest."""
    return digest_of(json_text(trace))


def digest_of(text: str) -> str:
    """The digest of a trace that is JSON already."""
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()
