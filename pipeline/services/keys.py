"""API keys of sources. A key is shown once, when it is made; only its digest is kept."""

import hashlib
import secrets
from typing import Final

from django.contrib.auth.models import User
from django.utils import timezone

from pipeline.models import LeadSource, SourceKey

START: Final = "lead_"  # so that people, and scanners for leaked secrets, recognise a key
SHOWN: Final = 12


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
