"""Plots as coordinates, to be drawn as SVG by a template: no script, no style, and a table behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

from leadcrm.lib.moments import short_moment

WIDTH: Final = 640
HEIGHT: Final = 212
_LEFT, _RIGHT, _TOP, _BOTTOM = 40, 12, 10, 36
MOST_TICKS: Final = 5

Point = tuple[datetime, float]


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: where, and what it says."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A point of a plot that stands out, and what it is."""

    x: float
    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Plot:
    """``lines`` by name, each the points of a polyline; ``band``: top and height of a stretch to be shaded."""

    lines: dict[str, str]
    across: list[Tick]
    up: list[Tick]
    band: tuple[float, float] | None = None
    marks: Sequence[Mark] = ()
    width: int = WIDTH
    height: int = HEIGHT


def plot(
    series: dict[str, Sequence[Point]],
    now: datetime,
    *,
    low: float = 0,
    high: float = 1,
    band: float = 0,
    marks: Sequence[tuple[datetime, float, str]] = (),
) -> Plot:
    """Steps over time: each value holds until the next.

    Args:
        series: by name; all begin at the same moment, and go on to ``now``.
        low, high: what must be in sight; the values may lie beyond.
        band: half the height of the stretch around zero to be shaded; 0 for none.
        marks: points that stand out, and what they are.
    """
    values = [value for points in series.values() for _, value in points]
    low, high = min([low, *values]), max([high, *values])
    begin = min((points[0][0] for points in series.values() if points), default=now)
    scale = _Scale(begin, now, low, high)
    return Plot(
        lines={name: scale.steps(points, now) for name, points in series.items()},
        across=scale.moments(now),
        up=scale.values(),
        band=(scale.y(band), scale.y(-band) - scale.y(band)) if band else None,
        marks=[Mark(scale.x(at), scale.y(value), label) for at, value, label in marks],
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """From moments and values to the places of a picture, rounded to tenths."""

    begin: datetime
    end: datetime
    low: float
    high: float

    def x(self, at: datetime) -> float:
        span = (self.end - self.begin).total_seconds() or 1
        return round(_LEFT + (WIDTH - _LEFT - _RIGHT) * (at - self.begin).total_seconds() / span, 1)

    def y(self, value: float) -> float:
        span = (self.high - self.low) or 1
        return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * (value - self.low) / span, 1)

    def steps(self, points: Sequence[Point], now: datetime) -> str:
        """Along to the moment of the next value, then up or down to it."""
        places: list[tuple[float, float]] = []
        for at, value in points:
            if places:
                places.append((self.x(at), places[-1][1]))
            places.append((self.x(at), self.y(value)))
        if places:
            places.append((self.x(now), places[-1][1]))
        return " ".join(f"{x:g},{y:g}" for x, y in places)

    def moments(self, now: datetime) -> list[Tick]:
        return [Tick(self.x(self.begin), short_moment(self.begin, now)), Tick(self.x(now), "now")]

    def values(self) -> list[Tick]:
        """Whole numbers, not too many."""
        step = max(1, ceil((self.high - self.low) / MOST_TICKS))
        first = ceil(self.low / step) * step
        return [Tick(self.y(value), f"{value:,}") for value in range(first, int(self.high) + 1, step)]
