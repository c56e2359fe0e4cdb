"""How close everyone stays to their share when who can take a lead changes all the time."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import fmean
from typing import Final, NamedTuple, cast

from distribution.bench.traffic import DAY, Call, History, Person, draw_history
from distribution.engine import ledger
from distribution.engine.methods import Rank, Ranking, longest_waiting, weighted
from distribution.engine.people import Member
from leadcrm.lib.bench import Figure, bench

HISTORIES: Final = 1000
# How many leads after a return are looked at.
AFTER: Final = 20
START: Final = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(slots=True)
class Seat:
    """A member whose standing moves on. Has what ranking methods read of the engine's Member."""

    person: Person
    here: list[bool]
    id: int
    weight: int
    credit: int = 0
    last_assigned_at: datetime | None = None
    open_until: list[int] = field(default_factory=list)
    per_day: Counter[int] = field(default_factory=Counter)

    def can_take(self, call: Call, moment: int) -> bool:
        person = self.person
        if not self.here[moment] or call.product not in person.skills:
            return False
        if person.per_day is not None and self.per_day[moment // DAY] >= person.per_day:
            return False
        return person.capacity is None or self.open_leads(moment) < person.capacity

    def open_leads(self, moment: int) -> int:
        return sum(end > moment for end in self.open_until)

    def take(self, call: Call, moment: int) -> None:
        self.last_assigned_at = START + timedelta(minutes=moment)
        self.per_day[moment // DAY] += 1
        self.open_until = [end for end in self.open_until if end > moment]
        self.open_until.append(moment + call.open_for)


class Step(NamedTuple):
    """One lead that somebody could take, after it was given out. ``change``: of credits, by member."""

    moment: int
    call: Call
    eligible: list[Seat]
    winner: Seat
    change: dict[int, int]


def seats_of(history: History) -> list[Seat]:
    moments = range(len(history.calls))
    return [Seat(person, [person.is_here(m) for m in moments], person.id, person.weight) for person in history.people]


def play(history: History, seats: Sequence[Seat], rank: Rank = weighted) -> Iterator[Step]:
    """Give out the leads of a history by a method that keeps the ledger; ``seats`` move on with each."""
    for moment, call in enumerate(history.calls):
        eligible = [seat for seat in seats if seat.can_take(call, moment)]
        if eligible:
            ranking = rank(cast(list[Member], eligible))
            winner = cast(Seat, ranking.order[0])
            for seat in eligible:
                seat.credit += ranking.postings[seat.id]
            winner.take(call, moment)
            yield Step(moment, call, eligible, winner, ranking.postings)


@dataclass(slots=True)
class Comebacks:
    """What someone receives after coming back: over the next AFTER leads that the person could take.

    ``calm``: how often this was at most the share of them and one lead.
    """

    moments: list[int]
    seen: int = 0
    calm: int = 0
    _left: int = 0
    _gained: int = 0

    def see(self, moment: int, change: int) -> None:
        if not self._left and not self._starts(moment):
            return
        self._left -= 1
        self._gained -= change
        if not self._left:
            self.seen += 1
            self.calm += self._gained <= ledger.UNIT

    def _starts(self, moment: int) -> bool:
        back = [start for start in self.moments if start <= moment]
        if back:
            del self.moments[: len(back)]
            self._left, self._gained = AFTER, 0
        return bool(back)


def comebacks_of(seat: Seat) -> Comebacks:
    here = seat.here
    return Comebacks([m for m in range(max(seat.person.joins, 1), len(here)) if here[m] and not here[m - 1]])


@dataclass(slots=True)
class Closeness:
    """What one history shows. Credit is the ideal minus what was received, over the leads one could take.

    leads: given out. close: of these, after how many everyone who could take it was within one lead of the ideal;
    all_close: the same for everyone in the pool, also those who were away. farthest: from the ideal, in billionths
    of a lead. returns, calm: see :class:`Comebacks`.
    """

    leads: int = 0
    close: int = 0
    all_close: int = 0
    farthest: int = 0
    returns: int = 0
    calm: int = 0


def measure(history: History, rank: Rank = weighted) -> Closeness:
    """Play one history and look at everyone after each lead."""
    result, seats = Closeness(), seats_of(history)
    comebacks = {seat.id: comebacks_of(seat) for seat in seats}
    for step in play(history, seats, rank):
        strayed = max(abs(seat.credit) for seat in step.eligible)
        result.leads += 1
        result.close += strayed <= ledger.UNIT
        result.all_close += all(abs(seat.credit) <= ledger.UNIT for seat in seats)
        result.farthest = max(result.farthest, strayed)
        for seat in step.eligible:
            comebacks[seat.id].see(step.moment, step.change[seat.id])
    result.returns = sum(entry.seen for entry in comebacks.values())
    result.calm = sum(entry.calm for entry in comebacks.values())
    return result


def summary(results: Sequence[Closeness]) -> Iterator[Figure]:
    """The figures that docs/fairness.md gives, over many histories."""
    close = [100 * entry.close / entry.leads for entry in results]
    all_close = [100 * entry.all_close / entry.leads for entry in results]
    calm = 100 * sum(entry.calm for entry in results) / sum(entry.returns for entry in results)
    yield Figure("everyone eligible within 1 lead, mean of histories", fmean(close), "%", limit=99)
    yield Figure("everyone eligible within 1 lead, worst history", min(close), "%", limit=95)
    yield Figure("everyone, also who is away, within 1 lead, mean", fmean(all_close), "%")
    yield Figure("everyone, also who is away, within 1 lead, worst", min(all_close), "%")
    yield Figure("farthest from the ideal", max(entry.farthest for entry in results) / ledger.UNIT, "leads")
    yield Figure(f"within share + 1 in {AFTER} leads after a return", calm, "%", limit=97)


@bench("fairness")
def fairness() -> Iterator[Figure]:
    """How close everyone stays to their share: 1,000 histories of mixed traffic, seeds 1 to 1,000."""
    yield from summary([measure(draw_history(seed)) for seed in range(1, HISTORIES + 1)])


def largest_credit(candidates: Sequence[Member]) -> Ranking:
    """The rule that was not chosen: whoever is owed most goes first."""
    stands = ledger.turns([member.weight for member in candidates], [member.credit for member in candidates])
    places = range(len(candidates))
    first = min(places, key=lambda place: (-stands[place].credited, *longest_waiting(candidates[place])))
    change = ledger.postings(stands, first)
    return Ranking([candidates[first]], postings={candidates[place].id: change[place] for place in places})


@bench("largest-credit")
def fairness_of_largest_credit() -> Iterator[Figure]:
    """The same histories, if simply the largest credit went first."""
    yield from summary([measure(draw_history(seed), largest_credit) for seed in range(1, HISTORIES + 1)])
