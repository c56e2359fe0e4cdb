"""The Celery application. Its schedule lives in rows that admins own (see leadcrm.lib.beat), not here."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init
from django.core.exceptions import ImproperlyConfigured
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadcrm.settings")

TRANSPORT_ALIASES["safefs"] = "leadcrm.lib.broker:Transport"

app = Celery("leadcrm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def refuse_bad_settings(**kwargs: Any) -> None:
    from leadcrm.checks import stop_on_errors

    try:
        stop_on_errors()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from None  # Celery would log any other exception and go on
