"""Entry point for gunicorn: `gunicorn leadcrm.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadcrm.settings")

_application = get_wsgi_application()

from leadcrm.checks import stop_on_errors  # noqa: E402 - only now are the applications loaded
from leadcrm.lib.ahead import load_ahead  # noqa: E402
from leadcrm.lib.roomy import with_room  # noqa: E402

stop_on_errors()
load_ahead()
application = with_room(_application)
