"""Loads what the first request would have to wait for: pages, holidays, and the clients of Redis and of the broker."""

import gc
from importlib import import_module

from celery import current_app
from django.conf import settings
from django.urls import get_resolver


def load_ahead() -> None:
    """Import what is otherwise imported when it is first needed, in each worker again. Connects to nothing."""
    get_resolver().url_patterns  # noqa: B018 - to look is to load
    import_module("holidays")
    current_app.connection_for_write().transport_cls  # noqa: B018
    if settings.CACHES["default"]["BACKEND"].endswith("RedisCache"):
        import_module("redis")
    # Workers are copies of this process: what is not looked through is not copied either.
    gc.freeze()
