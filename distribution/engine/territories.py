"""Which territories a lead lies in. Each area is filed under its most specific key, so that a look-up reads a few
dictionary entries however many areas there are."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from distribution.engine.facts import LeadFacts


@dataclass(frozen=True, slots=True)
class Area:
    """One line of a territory: a lead lies in it when everything it says holds. Blank parts say nothing.

    ``postal_from`` is one code, the beginning of codes when it ends in ``*``, or the first of a range up to
    ``postal_to``; codes are upper case without spaces. ``industry`` is folded.
    """

    territory_id: int
    account_id: int | None = None
    country: str = ""
    region: str = ""
    postal_from: str = ""
    postal_to: str = ""
    industry: str = ""
    employees_from: int | None = None
    employees_to: int | None = None


@dataclass(frozen=True, slots=True)
class Territory:
    """What the engine knows of a territory beside its areas."""

    id: int
    name: str
    priority: int = 0
    owner_id: int | None = None
    pool_id: int | None = None


@dataclass(frozen=True, slots=True)
class Located:
    """The most specific territory of a lead, and all that hold it."""

    best: Territory | None
    all: frozenset[int]


NOWHERE: Final = Located(None, frozenset())


@dataclass(frozen=True, slots=True)
class _Place:
    account_id: int | None
    country: str
    region: str
    postal_code: str
    industry: str
    employees: int | None


@dataclass(slots=True)
class TerritoryIndex:
    """All areas, filed by key. Build it once per version of the territories with :func:`build_index`."""

    territories: Mapping[int, Territory] = field(default_factory=dict)
    buckets: dict[tuple[object, ...], list[Area]] = field(default_factory=dict)
    prefix_lengths: dict[str, tuple[int, ...]] = field(default_factory=dict)
    # By country and code length: the starts of disjoint segments, and the areas that cover each.
    ranges: dict[tuple[str, int], tuple[list[str], list[list[Area]]]] = field(default_factory=dict)

    def locate(self, facts: LeadFacts) -> Located:
        """The territories of a lead: the most specific one, ties by priority, then by the lower id."""
        if not self.territories:
            return NOWHERE
        place = _place(facts)
        found = [area for area in self._near(place) if _holds(area, place)]
        if not found:
            return NOWHERE
        best = max(found, key=self._rank)
        return Located(self.territories[best.territory_id], frozenset(area.territory_id for area in found))

    def _rank(self, area: Area) -> tuple[int, int, int]:
        return specificity(area), self.territories[area.territory_id].priority, -area.territory_id

    def _near(self, place: _Place) -> Iterator[Area]:
        get = self.buckets.get
        country, postal = place.country, place.postal_code
        if place.account_id is not None:
            yield from get(("account", place.account_id), ())
        if postal:
            yield from get(("postal", country, postal), ())
            for length in self.prefix_lengths.get(country, ()):
                yield from get(("prefix", country, postal[:length]), ())
            yield from self._in_range(country, postal)
        yield from get(("region", place.region), ())
        yield from get(("country", country), ())
        yield from get(("anywhere",), ())

    def _in_range(self, country: str, postal: str) -> Iterable[Area]:
        segments = self.ranges.get((country, len(postal)))
        if segments is None:
            return ()
        starts, areas = segments
        position = bisect_right(starts, postal) - 1
        return areas[position] if position >= 0 else ()


def build_index(territories: Iterable[Territory], areas: Iterable[Area]) -> TerritoryIndex:
    """File every area under its most specific key: account, postal code, prefix, range, region, country, anywhere."""
    known = {territory.id: territory for territory in territories}
    buckets: dict[tuple[object, ...], list[Area]] = defaultdict(list)
    ranges: dict[tuple[str, int], list[Area]] = defaultdict(list)
    prefixes: dict[str, set[int]] = defaultdict(set)
    for area in areas:
        key = _key(area)
        if key[0] == "range":
            ranges[area.country, len(area.postal_from)].append(area)
            continue
        if key[0] == "prefix":
            prefixes[area.country].add(len(area.postal_from) - 1)
        buckets[key].append(area)
    return TerritoryIndex(
        territories=known,
        buckets=dict(buckets),
        prefix_lengths={country: tuple(sorted(lengths)) for country, lengths in prefixes.items()},
        ranges={key: _segments(members) for key, members in ranges.items()},
    )


def specificity(area: Area) -> int:
    """How narrow an area is: named account, then place, then industry, then size."""
    sized = area.employees_from is not None or area.employees_to is not None
    return 10_000 * (area.account_id is not None) + 100 * _place_rank(area) + 10 * bool(area.industry) + sized


def _place_rank(area: Area) -> int:
    if area.postal_to:
        return 50
    if area.postal_from.endswith("*"):
        return 30 + min(len(area.postal_from), 16)
    if area.postal_from:
        return 90
    return 20 if area.region else 10 * bool(area.country)


def _key(area: Area) -> tuple[object, ...]:
    if area.account_id is not None:
        return ("account", area.account_id)
    if area.postal_to:
        return ("range",)
    if area.postal_from.endswith("*"):
        return ("prefix", area.country, area.postal_from[:-1])
    if area.postal_from:
        return ("postal", area.country, area.postal_from)
    if area.region:
        return ("region", area.region)
    return ("country", area.country) if area.country else ("anywhere",)


def _segments(areas: list[Area]) -> tuple[list[str], list[list[Area]]]:
    """Cut overlapping ranges of codes of one length into disjoint segments, each with the areas that cover it."""
    opening: dict[str, list[Area]] = defaultdict(list)
    closing: dict[str, list[Area]] = defaultdict(list)
    for area in areas:
        opening[area.postal_from].append(area)
        # The first code after the range: no code of this length lies between.
        closing[area.postal_to + "\0"].append(area)
    starts, covers = [], []
    current: list[Area] = []
    for bound in sorted({*opening, *closing}):
        closed = closing.get(bound, ())
        current = [area for area in current if area not in closed] + opening.get(bound, [])
        starts.append(bound)
        covers.append(current)
    return starts, covers


def _place(facts: LeadFacts) -> _Place:
    values = facts.values
    employees = values.get("employees")
    return _Place(
        account_id=facts.account_id,
        country=str(values.get("country") or "").upper(),
        region=str(values.get("region") or "").upper(),
        postal_code=str(values.get("postal_code") or "").upper().replace(" ", "").replace("-", ""),
        industry=facts.text("industry"),
        employees=employees if isinstance(employees, int) else None,
    )


def _holds(area: Area, place: _Place) -> bool:
    return (
        (area.account_id is None or area.account_id == place.account_id)
        and (not area.country or area.country == place.country)
        and (not area.region or area.region == place.region)
        and _holds_postal(area, place.postal_code)
        and (not area.industry or area.industry == place.industry)
        and _holds_size(area, place.employees)
    )


def _holds_postal(area: Area, code: str) -> bool:
    if not area.postal_from:
        return True
    if area.postal_to:
        return len(code) == len(area.postal_from) and area.postal_from <= code <= area.postal_to
    if area.postal_from.endswith("*"):
        return code.startswith(area.postal_from[:-1])
    return code == area.postal_from


def _holds_size(area: Area, employees: int | None) -> bool:
    if area.employees_from is None and area.employees_to is None:
        return True
    if employees is None:
        return False
    low, high = area.employees_from, area.employees_to
    return (low is None or low <= employees) and (high is None or employees <= high)
