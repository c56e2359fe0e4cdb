"""Traces as they are stored, and the fingerprint by which two of them are compared."""

import hashlib
from typing import Any

from leadcrm.lib.jsontext import dumps


def digest(trace: dict[str, Any]) -> str:
    """SHA-256 of a trace: equal facts in an equal world give an equal digest."""
    return digest_of(dumps(trace))


def digest_of(text: bytes) -> str:
    """The digest of a trace that is JSON already."""
    return hashlib.sha256(text).hexdigest()
