"""Ask a worker to look at once. What it would find is in the database, and a sweep finds it too."""

import logging
import time
from functools import partial
from typing import Any, Final

from celery import Task
from django.db import transaction

logger = logging.getLogger(__name__)

# After a broker that did not answer, nobody waits for it again for so long: the sweeps do the work meanwhile.
PAUSE_SECONDS: Final = 5.0
_silence = {"until": 0.0}  # of the monotonic clock


def wake_after_commit(task: Task, *args: Any) -> None:
    """Start a task when the transaction is committed; at once when there is none. Never fails."""
    transaction.on_commit(partial(wake, task, *args), robust=True)


def wake(task: Task, *args: Any) -> None:
    """Start a task. A broker that is down costs one try and a line in the log."""
    if time.monotonic() < _silence["until"]:
        return
    try:
        task.apply_async(args, retry=False)
    except Exception as error:
        _silence["until"] = time.monotonic() + PAUSE_SECONDS
        logger.warning("the broker does not answer (%s); the sweep does it: %s", error, task.name)
