"""Checks of the installation itself."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.utils import timezone

from leadcrm.lib.doctor import Violation, check
from leadcrm.taskruns import with_done_at

# Beat and workers may be restarted, and work at their own pace: only what stays away counts.
_GRACE: Final = timedelta(minutes=1)


@check("periodic-tasks")
def periodic_tasks() -> Iterator[Violation]:
    """Every periodic task that ever did its work has lately done it again."""
    now = timezone.now()
    for row in with_done_at().filter(interval__isnull=False, done_at__isnull=False).select_related("interval"):
        age = now - row.done_at
        if age > 3 * row.interval.schedule.run_every + _GRACE:
            sentence = f"Last did its work {int(age.total_seconds())} seconds ago: are beat and a worker running?"
            yield Violation("periodic-tasks", f"task {row.name}", sentence)
