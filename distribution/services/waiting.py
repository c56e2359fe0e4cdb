"""Routes the leads that wait: when somebody may take leads again, and when their own time is up.

What is promised: of the leads that wait for a pool, the one with the highest priority goes first, then the oldest; and
one that comes in lets those go first whose turn has come. Everything here may run twice, and at the same time.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet

from distribution.models import Hold, PoolWake
from distribution.services import books

# So many leads of one pool are tried in one go; the next go does the rest.
MOST: Final = 200
# How long one go may take before another may begin for the same wakes.
LEASE: Final = timedelta(minutes=2)

# Tries to find someone for a lead, and never raises: whether it found someone; None when it could not be tried.
Try = Callable[[int], bool | None]


@dataclass(slots=True)
class Round:
    """What became of the leads that wait for one pool. ``left``: some were not looked at."""

    found: int = 0
    tried: int = 0
    left: bool = False
    _missed: dict[str, datetime] = field(default_factory=dict)
    _hopeless: dict[str, list[int]] = field(default_factory=dict)

    def hopeless(self, hold: Hold) -> bool:
        """Whether one that asks the same, and has waited as long, found nobody a moment ago."""
        since = self._missed.get(hold.needs)
        return since is not None and hold.since >= since

    def miss(self, hold: Hold) -> None:
        self._missed[hold.needs] = min(hold.since, self._missed.get(hold.needs, hold.since))

    def skip(self, hold: Hold) -> None:
        self._hopeless.setdefault(hold.needs, []).append(hold.lead_id)


def serve(pool_id: int, attempt: Try, now: datetime, *, most: int = MOST) -> Round:
    """Route the leads that wait for a pool and whose turn has come; all that wait for it when somebody became free.

    One that finds nobody spares all that ask the same, so that one free place does not route a thousand leads.
    """
    wakes = list(PoolWake.objects.filter(pool=pool_id).values_list("pk", flat=True))
    done = Round()
    for hold in _line(pool_id, now, woken=bool(wakes)):
        if done.hopeless(hold):
            if hold.retry_at <= now:
                done.skip(hold)
        elif done.tried == most:
            done.left = True
            break
        else:
            _try(hold, attempt, done)
    _postpone(done, now)
    served = PoolWake.objects.filter(pk__in=wakes)
    if done.left:
        served.update(leased_until=None)
    else:
        served.delete()
    return done


def _line(pool_id: int, now: datetime, *, woken: bool) -> list[Hold]:
    # Whoever decides about the pool right now is waited for, because that lead may be about to wait as well. Nobody is
    # kept waiting while the line is read.
    with transaction.atomic():
        books.lock_pool(pool_id)
    holds = Hold.objects.filter(pools=pool_id, released_at=None, lead__closed_at=None, lead__archived_at=None)
    return list(_in_turn(holds if woken else holds.filter(retry_at__lte=now)))


def _in_turn(holds: QuerySet[Hold]) -> QuerySet[Hold]:
    return holds.order_by("-lead__priority", "lead__created_at", "lead_id")


def _try(hold: Hold, attempt: Try, done: Round) -> None:
    done.tried += 1
    found = attempt(hold.lead_id)
    if found:
        done.found += 1
    elif found is not None:
        done.miss(hold)


def _postpone(done: Round, now: datetime) -> None:
    """Leads that were spared are due again with the one that found nobody for them."""
    for needs, leads in done._hopeless.items():
        same = Hold.objects.filter(needs=needs, released_at=None, retry_at__gt=now)
        later = same.order_by("retry_at").values_list("retry_at", flat=True).first()
        if later is not None:
            Hold.objects.filter(lead__in=leads, released_at=None, retry_at__lte=now).update(retry_at=later)


def pools_to_serve(now: datetime) -> list[int]:
    """Pools with leads whose turn has come. Their wakes are claimed for a while; a second caller sees only new ones."""
    with transaction.atomic():
        free = PoolWake.objects.filter(Q(leased_until=None) | Q(leased_until__lte=now))
        rows = dict(free.select_for_update(skip_locked=True, no_key=True).values_list("pk", "pool"))
        PoolWake.objects.filter(pk__in=rows).update(leased_until=now + LEASE)
    due = Hold.objects.filter(released_at=None, retry_at__lte=now).order_by()
    return sorted({*rows.values(), *due.exclude(pools=None).values_list("pools", flat=True).distinct()})


def due_alone(now: datetime, limit: int) -> Iterable[int]:
    """Leads whose turn has come and that wait for no pool, only for single reps."""
    due = Hold.objects.filter(released_at=None, retry_at__lte=now, pools=None)
    return list(_in_turn(due).values_list("lead", flat=True)[:limit])


def put_off(lead_id: int, until: datetime) -> None:
    """Try a lead that waits later."""
    Hold.objects.filter(lead=lead_id, released_at=None).update(retry_at=until)
