"""Works out again when clocks are due whose calendars changed: hours, holidays or leave."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from distribution.models import SLAClock
from distribution.services.clockrows import RUNNING, clock_of, earliest, free_at, hours_for, set_clock, write_times
from distribution.services.stepping import postpone
from leadcrm.lib.transactions import retried
from pipeline.models import Lead
from pipeline.services.standing import set_respond_bys

logger = logging.getLogger(__name__)

_CHUNK: Final = 200


@transaction.atomic
def mark_stale(which: Q) -> int:
    """Have the sweep work out again when these clocks are due; only working time can change. Returns how many.

    Args:
        which: of clocks, such as ``Q(rep=ada)``.
    """
    # One that could not be worked out may be by now.
    running = SLAClock.objects.filter(Q(stale=False) | Q(failures__gt=0), RUNNING, which, working=True)
    # Locked by id, as everybody does it.
    in_order = running.order_by("pk").select_for_update(no_key=True, of=("self",))
    return SLAClock.objects.filter(pk__in=in_order.values("pk")).update(stale=True, leased_until=None)


def recompute_stale(limit: int = 1000, *, now: datetime | None = None) -> int:
    """Work out again when clocks are due whose calendars changed; what was taken stays taken. Returns how many.

    One that cannot be worked out is delayed like a step that failed, and stops nobody else.
    """
    now, done = now or timezone.now(), 0
    while done < limit and (found := _recompute_safely(_leads(min(_CHUNK, limit - done), now), now)):
        done += found
    return done


def stale_clocks(now: datetime) -> QuerySet[SLAClock]:
    """Running clocks whose calendars changed, but for those that are tried later. Reads only their index."""
    return SLAClock.objects.filter(RUNNING, free_at(now), stale=True).order_by("pk")


def _leads(limit: int, now: datetime) -> list[int]:
    return sorted(set(stale_clocks(now).values_list("lead", flat=True)[:limit]))


def _recompute_safely(leads: Sequence[int], now: datetime) -> int:
    """Together; when that fails, lead by lead."""
    try:
        return _recompute(leads, now) if leads else 0
    except Exception as error:
        if len(leads) == 1:
            _postpone(leads[0], error, now)
            return 0
        logger.exception("working out clocks together failed; it is done lead by lead")
    return sum(_recompute_safely([lead], now) for lead in leads)


def _postpone(lead_id: int, error: Exception, now: datetime) -> None:
    for pk in stale_clocks(now).filter(lead=lead_id).values_list("pk", flat=True):
        postpone(pk, error, now)


@retried
def _recompute(leads: Sequence[int], now: datetime) -> int:
    with transaction.atomic():
        # Leads that somebody works on now come next time: whoever stops their clocks works them out.
        free = Lead.objects.select_for_update(no_key=True, skip_locked=True).filter(pk__in=leads).order_by("pk")
        locked = list(free.values_list("pk", flat=True))
        rows = list(SLAClock.objects.select_for_update(no_key=True).filter(RUNNING, lead__in=locked).order_by("pk"))
        changed = [row for row in rows if row.stale]
        hours = hours_for(changed)
        for row in changed:
            set_clock(row, clock_of(row, hours), now)
            row.failures, row.error = 0, ""
        write_times(changed)
        set_respond_bys({pk: earliest(row for row in rows if row.lead_id == pk) for pk in locked})
    return len(changed)
