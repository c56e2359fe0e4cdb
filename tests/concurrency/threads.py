"""Real threads with connections of their own."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection, connections

from tests.support.waiting import wait_until


def at_once(calls: Iterable[Callable[[], Any]], threads: int = 16) -> list[Any]:
    """Run calls in threads that start together; each result, or the exception in its place, in order."""
    calls = list(calls)
    gate = threading.Barrier(min(threads, len(calls)))
    waited = threading.local()

    def run(call: Callable[[], Any]) -> Any:
        if not getattr(waited, "done", False):
            waited.done = True
            gate.wait(timeout=30)
        try:
            return call()
        except Exception as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(min(threads, len(calls))) as executor:
        return list(executor.map(run, calls))


def all_before_any_goes_on(count: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which in each of `count` threads returns only when it has its result in all of them.

    For a control that shows a race: everybody has read before anybody writes, on a slow machine as on a fast one.
    """
    barrier = threading.Barrier(count)

    def wait_for_the_others(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        barrier.wait(timeout=30)
        return result

    return wait_for_the_others


@contextmanager
def when_one_waits_for_another(then: Callable[[], None]) -> Iterator[None]:
    """Do something as soon as a transaction of this database waits for the lock of another one; nothing if none does
    before the block ends."""
    ended = threading.Event()

    def watch() -> None:
        try:
            wait_until(lambda: ended.is_set() or _somebody_waits(), "a transaction that waits", seconds=60)
            if not ended.is_set():
                then()
        finally:
            connections.close_all()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def errors(results: Iterable[Any]) -> list[Exception]:
    return [result for result in results if isinstance(result, Exception)]
