"""Measurements of this installation: `manage.py bench`.

An app puts them into its `bench.py` (or a package of that name):

    @bench("engine")
    def engine() -> Iterator[Figure]:
        '''One decision, by number of rules and reps.'''
        yield Figure("100 rules, 100 reps", 0.42, "ms", limit=1.0)
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass

from leadcrm.lib.registry import AppRegistry


@dataclass(frozen=True)
class Figure:
    """One measured number.

    label: what was measured. unit: of the value, such as "ms" or "leads/s". baseline: the value, in the same unit, of
    the least that could do the job, measured in the same run. limit: what is promised, if anything.
    """

    label: str
    value: float
    unit: str
    baseline: float | None = None
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the baseline this is."""
        return self.value / self.baseline if self.baseline else None

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "ratio": self.ratio}

    def __str__(self) -> str:
        ratio = f"  {self.ratio:.2f} x baseline ({self.baseline:,.4g} {self.unit})" if self.ratio is not None else ""
        limit = f"  limit {self.limit:,.4g} {self.unit}" if self.limit is not None else ""
        return f"{self.label:<52} {self.value:>12,.4g} {self.unit}{ratio}{limit}"


Bench = Callable[[], Iterable[Figure]]

benches: AppRegistry[Bench] = AppRegistry("bench", "bench")


def bench(name: str) -> Callable[[Bench], Bench]:
    """Register a measurement under a stable name. Its first docstring line says what it measures."""
    return lambda function: benches.add(name, function)


def figures(names: Iterable[str] = ()) -> Iterator[tuple[str, Figure]]:
    """Run the named measurements, or all, and yield each figure as it comes."""
    for name, function in benches.pick(names).items():
        for figure in function():
            yield name, figure
