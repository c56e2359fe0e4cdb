"""Checks of the installation itself."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from leadcrm.lib.doctor import Violation, check

# Beat may be restarted, and sends at its own pace: only what stays away counts.
_GRACE: Final = timedelta(minutes=1)


@check("periodic-tasks")
def periodic_tasks() -> Iterator[Violation]:
    """Beat has lately sent every periodic task that it has ever sent."""
    now = timezone.now()
    rows = PeriodicTask.objects.filter(enabled=True, interval__isnull=False, last_run_at__isnull=False)
    for row in rows.select_related("interval").order_by("name"):
        age = now - row.last_run_at
        if age > 3 * row.interval.schedule.run_every + _GRACE:
            sentence = f"Was last sent {int(age.total_seconds())} seconds ago: is beat running?"
            yield Violation("periodic-tasks", f"task {row.name}", sentence)
