"""Times calls."""

from collections.abc import Callable, Sequence
from statistics import quantiles
from time import perf_counter, process_time
from typing import Final

MILLISECONDS: Final = 1000.0


def seconds(call: Callable[..., object], *arguments: object) -> float:
    """How long a call takes."""
    started = perf_counter()
    call(*arguments)
    return perf_counter() - started


def processor_seconds(*calls: Callable[[], object], least: int = 30) -> list[list[float]]:
    """How much of the processor each call takes, in turn and for half a second each: what others do meanwhile meets
    all alike."""
    times: list[list[float]] = [[] for _ in calls]
    while len(times[0]) < least or sum(times[0]) < 0.5:
        for call, taken in zip(calls, times, strict=True):
            started = process_time()
            call()
            taken.append(process_time() - started)
    return times


def percentile(times: Sequence[float], rank: int) -> float:
    """The value that ``rank`` percent stay below: 50 or 95."""
    return quantiles(times, n=100, method="inclusive")[rank - 1] if len(times) > 1 else times[0]
