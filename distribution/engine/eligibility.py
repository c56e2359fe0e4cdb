"""Who may take a lead now: a row of filters, each with a reason code.

The order matters only for which reason is told: first what would never fit, then who is not there, then who is full.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final, NamedTuple

from distribution.engine.moments import utc_text
from distribution.engine.people import Cap, Member, Pool, Relax
from distribution.engine.registry import Registry

UNFIT: Final = "unfit"
ABSENT: Final = "absent"
FULL: Final = "full"
_ROLLING: Final = {"hour": "60 minutes", "day": "24 hours", "week": "7 days", "month": "30 days"}


class Demand(NamedTuple):
    """What a rule asks of whoever takes the lead. Blank parts ask nothing."""

    skills: frozenset[str] = frozenset()
    language: str = ""
    territory_id: int | None = None
    needs_territory: bool = False
    had: frozenset[int] = frozenset()
    excluded: frozenset[int] = frozenset()
    # Set when somebody in the pool has a weight: then weight 0 means no turns.
    weights_count: bool = False


Blocked = Callable[[Member, Demand], str]
Asked = Callable[[Demand], object]
Until = Callable[[Member], datetime | None]


@dataclass(frozen=True, slots=True)
class Filter:
    """``blocked`` answers with a phrase that fits after the rep's name, or with nothing when the rep passes.

    ``soft`` filters may be relaxed by the pool. ``kind`` says what it means when everyone fails: nobody fits, nobody
    is there, or everyone is full. ``asked`` spares the filter when the demand asks for nothing of its kind. ``until``
    tells when the answer would change for a member it refuses.
    """

    code: str
    label: str
    kind: str
    soft: bool
    blocked: Blocked
    asked: Asked
    until: Until


FILTERS: Registry[Filter] = Registry("filter")


def always(demand: Demand) -> bool:
    return True


def unknown(member: Member) -> None:
    return None


def eligibility(
    code: str, label: str, kind: str, *, soft: bool = False, asked: Asked = always, until: Until = unknown
) -> Callable[[Blocked], Blocked]:
    def register(blocked: Blocked) -> Blocked:
        FILTERS.add(code, Filter(code, label, kind, soft, blocked, asked, until))
        return blocked

    return register


@eligibility("inactive", "Not active", UNFIT)
def _inactive(member: Member, demand: Demand) -> str:
    return "" if member.rep.active else "not active"


@eligibility("already_had", "Already had this lead", UNFIT, asked=lambda demand: demand.had)
def _already_had(member: Member, demand: Demand) -> str:
    return "already had this lead" if member.rep.id in demand.had else ""


@eligibility("excluded", "Excluded for this lead", UNFIT, asked=lambda demand: demand.excluded)
def _excluded(member: Member, demand: Demand) -> str:
    return "excluded for this lead" if member.rep.id in demand.excluded else ""


@eligibility("skill", "Lacks a skill", UNFIT, soft=True, asked=lambda demand: demand.skills)
def _skill(member: Member, demand: Demand) -> str:
    if demand.skills <= member.rep.skills:
        return ""
    return f"lacks {', '.join(sorted(demand.skills - member.rep.skills))}"


@eligibility("language", "Does not speak the language", UNFIT, soft=True, asked=lambda demand: demand.language)
def _language(member: Member, demand: Demand) -> str:
    return "" if demand.language in member.rep.languages else f"does not speak the lead's language ({demand.language})"


@eligibility("territory", "Not in the territory", UNFIT, asked=lambda demand: demand.needs_territory)
def _territory(member: Member, demand: Demand) -> str:
    return "" if demand.territory_id in member.rep.territories else "not in the territory"


@eligibility("no_weight", "Weight 0", UNFIT, asked=lambda demand: demand.weights_count)
def _no_weight(member: Member, demand: Demand) -> str:
    return "weight 0" if member.weight == 0 else ""


@eligibility("paused", "Paused in this pool", ABSENT)
def _paused(member: Member, demand: Demand) -> str:
    return "paused in this pool" if member.paused else ""


def _leave_ends(member: Member) -> datetime | None:
    return member.rep.leave.until if member.rep.leave else None


@eligibility("on_leave", "On leave", ABSENT, until=_leave_ends)
def _on_leave(member: Member, demand: Demand) -> str:
    leave = member.rep.leave
    return _lasting(leave.reason or "on leave", leave.until) if leave else ""


@eligibility("away", "Away", ABSENT, until=lambda member: member.rep.away_until)
def _away(member: Member, demand: Demand) -> str:
    rep = member.rep
    return _lasting(rep.away_reason or "away", rep.away_until) if rep.away else ""


@eligibility("off_hours", "Outside working hours", ABSENT, soft=True, until=lambda member: member.rep.opens_at)
def _off_hours(member: Member, demand: Demand) -> str:
    rep = member.rep
    return _lasting("outside working hours", rep.opens_at) if rep.off_hours else ""


def _lasting(phrase: str, until: datetime | None) -> str:
    """Until when, in UTC: the sentence is stored for ever and read in any zone."""
    return f"{phrase} until {utc_text(until)}" if until else phrase


@eligibility("at_capacity", "At capacity", FULL)
def _at_capacity(member: Member, demand: Demand) -> str:
    rep = member.rep
    full = rep.capacity is not None and rep.open_leads >= rep.capacity
    return f"at {rep.open_leads} of {rep.capacity} open" if full else ""


@eligibility("at_pool_cap", "At cap in this pool", FULL)
def _at_pool_cap(member: Member, demand: Demand) -> str:
    full = member.max_open is not None and member.open_leads >= member.max_open
    return f"at {member.open_leads} of {member.max_open} open in this pool" if full else ""


def _caps_reached(member: Member) -> list[Cap]:
    return [cap for cap in member.rep.caps if cap.used >= cap.limit]


def _caps_end(member: Member) -> datetime | None:
    """When there is room under all caps that are reached."""
    ends = [cap.until for cap in _caps_reached(member)]
    return None if None in ends else max(filter(None, ends), default=None)


@eligibility("at_cap", "At cap", FULL, until=_caps_end)
def _at_cap(member: Member, demand: Demand) -> str:
    for cap in _caps_reached(member):
        span = f"in {_ROLLING[cap.period]}" if cap.rolling else f"per {cap.period}"
        return _lasting(f"at {cap.used} of {cap.limit} {span}", cap.until)
    return ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a member cannot take the lead: the filter's code and kind, a phrase for people, and when that would change;
    None when it is not known."""

    code: str
    kind: str
    phrase: str
    until: datetime | None = None


@dataclass(slots=True)
class Screening:
    """Members who may take the lead, those who may not with the reason, what was asked of them, and which demands were
    dropped, after how many minutes each."""

    eligible: list[Member] = field(default_factory=list)
    refused: list[tuple[Member, Refusal]] = field(default_factory=list)
    demand: Demand = field(default_factory=Demand)
    dropped: tuple[Relax, ...] = ()

    @property
    def relaxed(self) -> tuple[str, ...]:
        return tuple(step.demand for step in self.dropped)


def screen(pool: Pool, demand: Demand, waited: timedelta = timedelta(0)) -> Screening:
    """Apply all filters; when nobody passes, drop the soft ones in the order the pool gives, one more each time.

    waited: for how long the lead has waited for this pool. What the pool drops only later, and all after it, stays.
    """
    due = tuple(takewhile(lambda step: step.wait <= waited, pool.relax))
    result = _screen(pool, demand, ())
    for count in range(1, len(due) + 1):
        if result.eligible:
            break
        result = _screen(pool, demand, due[:count])
    return result


def _screen(pool: Pool, demand: Demand, dropped: tuple[Relax, ...]) -> Screening:
    result = Screening(demand=demand, dropped=dropped)
    relaxed = result.relaxed
    applied = [
        (entry.blocked, entry)
        for entry in FILTERS.values()
        if entry.asked(demand) and not (entry.soft and entry.code in relaxed)
    ]
    for member in pool.members:
        for blocked, entry in applied:
            phrase = blocked(member, demand)
            if phrase:
                result.refused.append((member, Refusal(entry.code, entry.kind, phrase, entry.until(member))))
                break
        else:
            result.eligible.append(member)
    return result
