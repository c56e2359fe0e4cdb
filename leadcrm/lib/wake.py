"""Ask a worker to look at once. What it would find is in the database, and a sweep finds it too.

Under load many ask for the same: within a moment one message does for all of them, because the worker that it starts
finds everything that was committed before. To hand a message to the broker costs a tenth of routing a lead.
"""

import logging
import os
import time
from functools import partial
from threading import Timer
from typing import Any, Final

from celery import Task
from django.db import transaction

logger = logging.getLogger(__name__)

# After a broker that did not answer, nobody waits for it again for so long: the sweeps do the work meanwhile.
PAUSE_SECONDS: Final = 5.0
# The first who asks is heard at once. Who asks for the same less than this later is heard when it is over.
MOMENT_SECONDS = 0.1
_silence = {"until": 0.0}  # of the monotonic clock
_heard: dict[tuple[Any, ...], float] = {}  # when, by the monotonic clock, by task and arguments
_waiting: dict[tuple[Any, ...], Timer] = {}


def wake_after_commit(task: Task, *args: Any) -> None:
    """:func:`wake` when the transaction is committed; at once when there is none. Never fails."""
    transaction.on_commit(partial(wake, task, *args), robust=True)


def wake(task: Task, *args: Any) -> bool:
    """Start a task, now or in a moment. A broker that is down costs one try and a line in the log.

    Returns:
        False when the broker does not answer.
    """
    if task.app.conf.task_always_eager or _is_first(task, args):
        return _start(task, args)
    return True


def _is_first(task: Task, args: tuple[Any, ...]) -> bool:
    """Whether nobody asked for the same a moment ago; otherwise it is started when the moment is over."""
    key, now = (task.name, *args), time.monotonic()
    if key in _waiting:
        return False
    wait = _heard.get(key, -MOMENT_SECONDS) + MOMENT_SECONDS - now
    if wait <= 0:
        _heard[key] = now
        return True
    timer = Timer(wait, _hear, (key, task, args))
    if _waiting.setdefault(key, timer) is timer:  # of several threads one
        timer.start()  # no daemon: a process that ends waits for it
    return False


def _hear(key: tuple[Any, ...], task: Task, args: tuple[Any, ...]) -> None:
    """Whoever asks from here on is not among those that the worker is started for."""
    if _waiting.pop(key, None) is not None:
        _heard[key] = time.monotonic()
        _start(task, args)


def _start(task: Task, args: tuple[Any, ...]) -> bool:
    if time.monotonic() < _silence["until"]:
        return False
    try:
        task.apply_async(args, retry=False)
    except Exception as error:
        _silence["until"] = time.monotonic() + PAUSE_SECONDS
        logger.warning("the broker does not answer (%s); the sweep does it: %s", error, task.name)
        return False
    return True


def forget() -> None:
    """Start afresh: whoever asks next is heard at once, whether or not the broker answered before."""
    for timer in _waiting.values():
        timer.cancel()
    _heard.clear()
    _waiting.clear()
    _silence["until"] = 0.0


# A process that was forked does not have the threads that would start what waits.
os.register_at_fork(after_in_child=forget)
