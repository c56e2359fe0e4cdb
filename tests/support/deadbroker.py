"""A message broker that is away."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from leadcrm.celery import app
from leadcrm.lib import wake


@contextmanager
def dead_broker() -> Iterator[None]:
    """The broker's address answers nobody."""
    wake.forget()
    try:
        with patch.dict(os.environ, CELERY_BROKER_WRITE_URL="redis://127.0.0.1:1/0"):  # where Celery looks first
            app._pool = app.amqp._producer_pool = None
            yield
    finally:
        app._pool = app.amqp._producer_pool = None
        wake.forget()
