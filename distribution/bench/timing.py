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


def processor_seconds(call: Callable[..., object], *arguments: object, least: int = 30) -> list[float]:
    """How much of the processor a call takes, again and again for half a second: whoever else works here, it is the
    same."""
    times: list[float] = []
    while len(times) < least or sum(times) < 0.5:
        started = process_time()
        call(*arguments)
        times.append(process_time() - started)
    return times


def percentile(times: Sequence[float], rank: int) -> float:
    """The value that ``rank`` percent stay below: 50 or 95."""
    return quantiles(times, n=100, method="inclusive")[rank - 1] if len(times) > 1 else times[0]
