"""Who asks: a source, by its key; and how often it may."""

import time
from typing import Any, Final, cast

from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from pipeline.models import LeadSource, SourceKey
from pipeline.services.keys import KeyRefused, note_use, owner_of

MINUTE: Final = 60


class KeyAuthentication(BaseAuthentication):
    """``Authorization: Bearer <key>``. The key row becomes ``request.auth``; there is no user."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, SourceKey]:
        scheme, _, plain = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or not plain.strip():
            raise AuthenticationFailed("Send the API key of your source as: Authorization: Bearer <key>.")
        try:
            key = owner_of(plain.strip())
        except KeyRefused as refusal:
            raise AuthenticationFailed(str(refusal)) from None
        note_use(key)
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="partner API"'


class HasKey(BasePermission):
    """Only sources."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, SourceKey)


class KeyThrottle(BaseThrottle):
    """So many requests per key and clock minute as its source allows, counted in the cache all processes share."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        key = _key_of(request)
        return _count(key.pk) <= key.source.requests_per_minute

    def wait(self) -> float:
        return MINUTE - time.time() % MINUTE


def _count(key_id: int) -> int:
    """The number of this request in its minute. A cache without atomic counting may let a few more through."""
    name = f"api-requests:{key_id}:{int(time.time() // MINUTE)}"
    try:
        return cache.incr(name)
    except ValueError:  # the first one of the minute
        return 1 if cache.add(name, 1, 2 * MINUTE) else cache.incr(name)


def source_of(request: Request) -> LeadSource:
    """The source that a permitted request comes from."""
    return _key_of(request).source


def _key_of(request: Request) -> SourceKey:
    return cast(SourceKey, request.auth)


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes :class:`KeyAuthentication`."""

    target_class = KeyAuthentication
    name = "key"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "The API key of your source."}
