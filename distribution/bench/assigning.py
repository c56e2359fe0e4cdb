"""What it costs to store a lead and give it to somebody, one by one and in batches."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final

from django.db import connection

from distribution.bench.baseline import Baseline, baseline
from distribution.bench.scratch import make_company, sample_fields, scratch_database, take_stock
from distribution.bench.timing import MILLISECONDS, percentile, seconds
from distribution.services import assign_lead, assign_leads
from leadcrm.lib.bench import Figure, bench
from pipeline.models import Lead, LeadSource, Stage
from pipeline.services.leads import create_lead

WARM_UP: Final = 30
LEADS: Final = 400
BATCH: Final = 4000
TIMES_BASELINE: Final = 10
PROMISED: Final = "fsync on"
LEADS_PER_SECOND: Final = 2000


@bench("assign")
def assign() -> Iterator[Figure]:
    """Create and route leads one by one, against plain SQL with two commits; alternating, in one process."""
    with scratch_database(), baseline() as plain:
        source = make_company()
        ours, theirs = _alternate(source, plain)
        routing = _route_alone(source)
        safety = _safety()
        for rank in (50, 95):
            least = percentile(theirs, rank) * MILLISECONDS
            limit = TIMES_BASELINE * least if rank == 50 and safety == PROMISED else None
            value = percentile(ours, rank) * MILLISECONDS
            yield Figure(f"create and route a lead, p{rank}, {safety}", value, "ms", baseline=least, limit=limit)
        yield Figure("of this, routing, p50", percentile(routing, 50) * MILLISECONDS, "ms")


def _alternate(source: LeadSource, plain: Baseline) -> tuple[list[float], list[float]]:
    """Times of ours and of the baseline for the same leads, one after the other, so that noise meets both."""
    ours, theirs = [], []
    for number in range(WARM_UP + LEADS):
        if number == WARM_UP:
            take_stock()
        fields = sample_fields(number)
        ours.append(seconds(partial(create_lead, source=source, fields=fields)))
        theirs.append(seconds(plain.give_out, fields))
    return ours[WARM_UP:], theirs[WARM_UP:]


def _route_alone(source: LeadSource) -> list[float]:
    return [seconds(assign_lead, pk) for pk in _stored(source, LEADS)]


def _stored(source: LeadSource, count: int) -> Sequence[int]:
    """Leads that nobody routed yet."""
    stage = Stage.objects.get()
    fields: Iterable[dict[str, Any]] = (sample_fields(10**6 + number) for number in range(count))
    rows = [Lead(source=source, stage=stage, **columns) for columns in fields]
    return [lead.pk for lead in Lead.objects.bulk_create(rows, batch_size=1000)]


def _safety() -> str:
    """How safely the database writes: what is promised is promised for a server that waits for the disk."""
    if connection.vendor != "postgresql":
        return "SQLite"
    with connection.cursor() as cursor:
        cursor.execute("SHOW fsync")
        return f"fsync {cursor.fetchone()[0]}"


@bench("batch")
def batch() -> Iterator[Figure]:
    """Route stored leads in one batch, against plain SQL that stores and gives them out one by one."""
    with scratch_database(), baseline() as plain:
        source = make_company()
        assign_leads(_stored(source, 200))
        waiting = _stored(source, BATCH)
        take_stock()
        ours = BATCH / seconds(assign_leads, waiting)
        theirs = LEADS / sum(seconds(plain.give_out, sample_fields(number)) for number in range(LEADS))
        limit = LEADS_PER_SECOND if connection.vendor == "postgresql" else None
        yield Figure("assign_leads", ours, "leads/s", baseline=theirs, limit=limit)
