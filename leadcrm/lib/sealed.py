"""Texts that only this installation can read: for what a page keeps and hands back."""

from base64 import urlsafe_b64encode
from datetime import timedelta
from functools import cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac


def seal(content: bytes) -> str:
    """The content, as a text for addresses, forms and headers; another text each time."""
    return _box(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS).encrypt(content).decode()


def unseal(text: str, oldest: timedelta) -> bytes | None:
    """What was sealed; None for what was not, or longer ago than this."""
    box = _box(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    try:
        return box.decrypt(text.encode(), ttl=int(oldest.total_seconds()))
    except InvalidToken:
        return None


@cache
def _box(*secrets: str) -> MultiFernet:
    return MultiFernet([Fernet(_key(secret)) for secret in secrets])


def _key(secret: str) -> bytes:
    return urlsafe_b64encode(salted_hmac("leadcrm.sealed", "", secret=secret, algorithm="sha256").digest())
