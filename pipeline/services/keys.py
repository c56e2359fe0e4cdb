"""API keys of sources. A key is shown once, when it is made; only its digest is kept."""

import hashlib
import secrets
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from pipeline.errors import PipelineError
from pipeline.models import LeadSource, SourceKey

START: Final = "lead_"  # so that people, and scanners for leaked secrets, recognise a key
SHOWN: Final = 12
USE_NOTED_EVERY: Final = timedelta(minutes=1)


class KeyRefused(PipelineError):
    """The key does not open anything."""


def issue_key(source: LeadSource, *, label: str = "", actor: User | None = None) -> tuple[SourceKey, str]:
    """Makes a key for a source; returns its row and, for the only time, the key itself."""
    plain = START + secrets.token_urlsafe(32)
    key = SourceKey.objects.create(
        source=source, label=label, prefix=plain[:SHOWN], digest=digest_of(plain), created_by=actor
    )
    return key, plain


def revoke_key(key: SourceKey) -> bool:
    """Stops a key from working; False when it had been revoked before."""
    return bool(SourceKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()))


def digest_of(plain: str) -> str:
    """What is stored of a key. It is random and long, so one round of SHA-256 is enough."""
    return hashlib.sha256(plain.encode()).hexdigest()


def owner_of(plain: str) -> SourceKey:
    """The key row, with its source, for a key that a request carries.

    Raises:
        KeyRefused: when it is unknown or revoked, or its source is inactive.
    """
    key = SourceKey.objects.select_related("source").filter(digest=digest_of(plain)).first()
    if key is None:
        raise KeyRefused("This API key is not known. Check that it was copied whole.")
    if key.revoked_at:
        raise KeyRefused("This API key was revoked. Ask for a new one.")
    if not key.source.active:
        raise KeyRefused("This source is switched off. Ask for it to be switched on.")
    return key


def note_use(key: SourceKey) -> None:
    """Remembers when a key was last used, to the minute, so that most requests write nothing."""
    now = timezone.now()
    stale = now - USE_NOTED_EVERY
    if key.last_used_at is None or key.last_used_at < stale:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lt=stale)
        SourceKey.objects.filter(unnoted, pk=key.pk).update(last_used_at=now)
