"""The Celery application. Its schedule lives in rows that admins own (see leadcrm.lib.beat), not here."""

import os

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadcrm.settings")

TRANSPORT_ALIASES["safefs"] = "leadcrm.lib.broker:Transport"

app = Celery("leadcrm")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
