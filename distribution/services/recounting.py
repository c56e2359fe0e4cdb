"""Works out again when clocks are due whose calendars changed: hours, holidays or leave."""

from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from distribution.models import SLAClock
from distribution.services.clockrows import RUNNING, clock_of, earliest, hours_for, set_clock, write_times
from leadcrm.lib.transactions import retried
from pipeline.models import Lead
from pipeline.services.standing import set_respond_bys

_CHUNK: Final = 200


@transaction.atomic
def mark_stale(which: Q) -> int:
    """Have the sweep work out again when these clocks are due; only working time can change. Returns how many.

    Args:
        which: of clocks, such as ``Q(rep=ada)``.
    """
    running = SLAClock.objects.filter(RUNNING, which, working=True, stale=False)
    # Locked by id, as everybody does it.
    in_order = running.order_by("pk").select_for_update(no_key=True, of=("self",))
    return SLAClock.objects.filter(pk__in=in_order.values("pk")).update(stale=True)


def recompute_stale(limit: int = 1000, *, now: datetime | None = None) -> int:
    """Work out again when clocks are due whose calendars changed; what was taken stays taken. Returns how many."""
    now, done = now or timezone.now(), 0
    while done < limit and (found := _recompute_some(min(_CHUNK, limit - done), now)):
        done += found
    return done


def stale_clocks() -> QuerySet[SLAClock]:
    """Running clocks whose calendars changed. Reads only their index."""
    return SLAClock.objects.filter(RUNNING, stale=True).order_by("pk")


@retried
def _recompute_some(limit: int, now: datetime) -> int:
    leads = set(stale_clocks().values_list("lead", flat=True)[:limit])
    if not leads:
        return 0
    with transaction.atomic():
        # Leads that somebody works on now come next time: whoever stops their clocks works them out.
        free = Lead.objects.select_for_update(no_key=True, skip_locked=True).filter(pk__in=leads).order_by("pk")
        locked = list(free.values_list("pk", flat=True))
        rows = list(SLAClock.objects.select_for_update(no_key=True).filter(RUNNING, lead__in=locked).order_by("pk"))
        changed = [row for row in rows if row.stale]
        hours = hours_for(changed)
        for row in changed:
            set_clock(row, clock_of(row, hours), now)
        write_times(changed)
        set_respond_bys({pk: earliest(row for row in rows if row.lead_id == pk) for pk in locked})
    return len(changed)
