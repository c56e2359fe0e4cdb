"""Real threads with connections of their own."""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections


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


def errors(results: Iterable[Any]) -> list[Exception]:
    return [result for result in results if isinstance(result, Exception)]
