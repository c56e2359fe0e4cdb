"""What a lead waits for that nobody can take now, and when that would change by itself."""

import hashlib
from collections.abc import Iterator
from datetime import datetime

from distribution.engine.decision import Attempt, Decision


def changes_at(decision: Decision, since: datetime, now: datetime) -> datetime | None:
    """The earliest instant after ``now`` at which the decision could come out differently without anybody's doing.

    Somebody's hours begin, leave or a break ends, a cap's period is over, or the pool drops a demand for a lead that
    has waited since ``since``. None: nothing is known to change.
    """
    return min((moment for moment in _moments(decision, since) if moment > now), default=None)


def _moments(decision: Decision, since: datetime) -> Iterator[datetime]:
    for attempt in decision.attempts:
        for _, reason in attempt.screening.refused:
            if reason.until is not None:
                yield reason.until
    for step in decision.pool.relax if decision.pool else ():
        yield since + step.wait


def needs(decision: Decision) -> str:
    """A short text that is equal for leads that ask the same of the same people: when one of them finds nobody, the
    others need not be tried."""
    asked = [_asked(attempt) for attempt in decision.attempts]
    return hashlib.sha256(repr(asked).encode()).hexdigest()[:32]


def _asked(attempt: Attempt) -> tuple[object, ...]:
    demand, pool = attempt.screening.demand, attempt.pool
    whom = (pool.id, () if pool.id else tuple(member.rep.id for member in pool.members)) if pool else None
    return (
        attempt.rule.id if attempt.rule else None,
        whom,
        attempt.screening.relaxed,
        sorted(demand.skills),
        demand.language,
        demand.territory_id,
        demand.needs_territory,
        sorted(demand.had),
        sorted(demand.excluded),
    )
