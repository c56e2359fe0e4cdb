"""How a pool chooses among those who may take a lead.

To add a method, register one small function that ranks candidates, best first. Keys are stored in pools: never
rename one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from distribution.engine import ledger
from distribution.engine.people import EQUAL_TOTALS, Member
from distribution.engine.registry import Registry

ASSIGN: Final = "assign"
OFFER: Final = "offer"
QUEUE: Final = "queue"
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Ranking:
    """Candidates, best first; ``why`` tells in a phrase why each stands where it does.

    ``turns`` and ``postings`` (by member id) are there when the method keeps the ledger.
    """

    order: list[Member]
    why: dict[int, str] = field(default_factory=dict)
    turns: dict[int, ledger.Turn] = field(default_factory=dict)
    postings: dict[int, int] = field(default_factory=dict)
    note: str = ""


Rank = Callable[[Sequence[Member]], Ranking]


@dataclass(frozen=True, slots=True)
class Method:
    """``ending`` is what becomes of the lead: assigned to the first, offered to all, or queued to be pulled."""

    key: str
    label: str
    help: str
    ending: str
    posts: bool
    rank: Rank


METHODS: Registry[Method] = Registry("method")


def method(key: str, label: str, help: str, *, ending: str = ASSIGN, posts: bool = False) -> Callable[[Rank], Rank]:
    def register(rank: Rank) -> Rank:
        METHODS.add(key, Method(key, label, help, ending, posts, rank))
        return rank

    return register


def pool_method_choices() -> list[tuple[str, str]]:
    return METHODS.choices(lambda entry: entry.label)


def longest_waiting(member: Member) -> tuple[datetime, int]:
    """The tie-break of every method: longest since the last lead, then the id."""
    return member.last_assigned_at or _NEVER, member.id


@method("round_robin", "Round robin", "Everyone in turn, whatever their weight (weight 0: no turns).", posts=True)
def round_robin(candidates: Sequence[Member]) -> Ranking:
    return _by_ledger(candidates, lambda member: min(member.weight, 1))


@method("weighted", "Weighted round robin", "In turn, in proportion to the weights.", posts=True)
def weighted(candidates: Sequence[Member]) -> Ranking:
    return _by_ledger(candidates, lambda member: member.weight)


@method("priority_tiers", "Priority tiers", "Tier 1 first, by weight; the next tier when nobody there can.", posts=True)
def priority_tiers(candidates: Sequence[Member]) -> Ranking:
    first = min(member.tier for member in candidates)
    ranking = weighted([member for member in candidates if member.tier == first])
    later = sorted((m for m in candidates if m.tier != first), key=lambda m: (m.tier, *longest_waiting(m)))
    ranking.order += later
    ranking.why |= {member.id: f"tier {member.tier}" for member in later}
    return ranking


@method("least_loaded", "Least loaded", "The lowest share of capacity in use; without capacities, fewest open leads.")
def least_loaded(candidates: Sequence[Member]) -> Ranking:
    limited = all(member.rep.capacity for member in candidates)

    def load(member: Member) -> float:
        return member.rep.open_leads / (member.rep.capacity or 1) if limited else member.rep.open_leads

    return _by_score(candidates, load, lambda m: f"{m.rep.open_leads} open" + f" of {m.rep.capacity}" * limited)


@method(EQUAL_TOTALS, "Equal totals", "Whoever received fewest leads in the pool's period.")
def equal_totals(candidates: Sequence[Member]) -> Ranking:
    return _by_score(candidates, lambda m: m.total, lambda m: f"{m.total} in the period")


@method("claim", "Claim", "Offered to all who can take it; the first to accept has it.", ending=OFFER)
def claim(candidates: Sequence[Member]) -> Ranking:
    return Ranking(sorted(candidates, key=longest_waiting))


@method("pull", "Pull", "Waits in the pool until someone asks for the next lead.", ending=QUEUE)
def pull(candidates: Sequence[Member]) -> Ranking:
    return Ranking(sorted(candidates, key=longest_waiting))


def _by_score(candidates: Sequence[Member], score: Callable[[Member], Any], why: Callable[[Member], str]) -> Ranking:
    order = sorted(candidates, key=lambda member: (score(member), *longest_waiting(member)))
    return Ranking(order, why={member.id: why(member) for member in order})


def _by_ledger(members: Sequence[Member], weight: Callable[[Member], int]) -> Ranking:
    # What rounding leaves over goes to whoever waits longest, so that it never breaks a tie the other way.
    candidates = sorted(members, key=longest_waiting)
    weights = [weight(member) for member in candidates]
    stands = ledger.turns(weights, [member.credit for member in candidates])
    # Equal turns stay in the order of the candidates.
    places = sorted(range(len(candidates)), key=[_turn_key(turn) for turn in stands].__getitem__)
    change = ledger.postings(stands, places[0])
    return Ranking(
        order=[candidates[i] for i in places],
        turns={candidates[i].id: stands[i] for i in places},
        postings={candidates[i].id: change[i] for i in places},
        note="" if any(weights) else "all weights are 0: counted as equal",
    )


def _turn_key(turn: ledger.Turn) -> tuple[bool, bool, int, int]:
    return (turn.share == 0, not turn.ready, turn.deadline, -turn.credited)
