"""Reps and pool members as the engine sees them: plain values, read once per decision."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

CAP_PERIODS: Final = ("hour", "day", "week", "month")


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``limit`` new leads per period; ``used`` so far."""

    period: str
    limit: int
    used: int


@dataclass(frozen=True, slots=True)
class Rep:
    """A person who can own leads, as of now. ``active`` is false as well when the login is switched off."""

    id: int
    user_id: int
    name: str
    team_id: int | None = None
    active: bool = True
    away: bool = False
    away_reason: str = ""
    away_until: datetime | None = None
    languages: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    territories: frozenset[int] = frozenset()
    capacity: int | None = None
    open_leads: int = 0
    caps: tuple[Cap, ...] = ()
    last_assigned_at: datetime | None = None
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Member:
    """A rep's place in a pool. ``credit`` in billionths of a lead; ``total``: leads in the pool's period."""

    id: int
    rep: Rep
    weight: int = 1
    tier: int = 1
    credit: int = 0
    paused: bool = False
    max_open: int | None = None
    open_leads: int = 0
    total: int = 0
    last_assigned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool with its members, in the order of their ids."""

    id: int
    name: str
    method: str
    members: tuple[Member, ...] = ()
    team_id: int | None = None
    relax: tuple[str, ...] = ()
    offer_minutes: int = 15
    archived: bool = False
