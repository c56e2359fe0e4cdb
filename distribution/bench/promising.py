"""What the sweep over promises costs, beside ten thousand running clocks and beside a million."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.management import CommandError
from django.db import connection, transaction
from django.utils import timezone

from distribution.bench.scratch import copy_rows, make_company, sample_fields, scratch_database, take_stock
from distribution.bench.timing import seconds
from distribution.models import Assignment, EscalationStep, PoolMember, Rep, SLAClock, SLAPolicy
from distribution.services import assign_lead, sweep_clocks
from distribution.services.ladders import due_clocks
from distribution.services.recounting import stale_clocks
from leadcrm.lib.bench import Figure, bench
from pipeline.models import Lead
from pipeline.services.leads import create_lead

FEW: Final = 10_000
MANY: Final = 1_000_000
REMINDERS: Final = 1000
REASSIGNMENTS: Final = 300
IDLE_MS: Final = 10
REMINDERS_PER_SECOND: Final = 200
REASSIGNMENTS_PER_SECOND: Final = 50
RUNS: Final = 20
_KINDS: Final = 3
_AHEAD: Final = timedelta(days=30)


@bench("sla")
def sla() -> Iterator[Figure]:
    """Sweep promises with nothing due, with reminders due and with reassignments due, by one worker."""
    if connection.vendor != "postgresql":
        raise CommandError("This measurement needs PostgreSQL: set DATABASE_URL.")
    with scratch_database():
        lead = _first_lead()
        small = _measured(lead, FEW)
        large = _measured(lead, MANY)
        limits = (IDLE_MS, REMINDERS_PER_SECOND, REASSIGNMENTS_PER_SECOND)
        for (label, unit, few), (_, _, many), limit in zip(small, large, limits, strict=True):
            yield Figure(label, many, unit, baseline=few, limit=limit)


def _first_lead() -> Lead:
    """A company with a promise, and one lead with its clocks, of which all others are copies."""
    source = make_company()
    policy = SLAPolicy.objects.create(
        name="Standard", time="clock", is_default=True, accept_minutes=15, contact_minutes=60, lead_minutes=120
    )
    for minutes, action in ((5, "remind"), (15, "reassign")):
        EscalationStep.objects.create(policy=policy, clock="accept", after_minutes=minutes, action=action)
    lead = create_lead(source=source, fields=sample_fields(0) | {"email": "", "phone": "+4930123456", "company": ""})
    assign_lead(lead.pk, now=timezone.now() + _AHEAD)
    return lead


def _measured(lead: Lead, count: int) -> list[tuple[str, str, float]]:
    """The figures beside so many running clocks: what, in which unit, how much."""
    fill(lead, count)
    sweep_clocks()
    nodes, idle = _idle()
    remind = _rate(REMINDERS, _make_reminders_due)
    reassign = _rate(REASSIGNMENTS, _make_reassignments_due)
    return [
        (f"nothing due: {nodes}", "ms of database", idle),
        ("reminders", "clocks/s", remind),
        ("reassignments", "clocks/s", reassign),
    ]


# --- Filling ---------------------------------------------------------------------------------------


def fill(lead: Lead, clocks: int) -> None:
    """Copy a lead with its assignment and clocks until so many clocks run; shared among all reps."""
    more = clocks // _KINDS - Lead.objects.count()
    reps = dict(Rep.objects.order_by("pk").values_list("pk", "user_id"))
    last = Lead.objects.latest("pk").pk
    turn = f"1 + n % {len(reps)}"
    members = PoolMember.objects.order_by("rep").values_list("pk", flat=True)
    users, ids, places = (f"(ARRAY{list(values)})[{turn}]" for values in (reps.values(), reps.keys(), members))
    copy_rows(Lead, lead.pk, f"generate_series(1, {more}) n", uid="gen_random_uuid()", owner_id=users, phone="''")
    held = Assignment.objects.get(lead=lead)
    numbered = f"(SELECT id, row_number() OVER (ORDER BY id) AS n FROM pipeline_lead WHERE id > {last}) l"  # noqa: S608 - a number
    copy_rows(Assignment, held.pk, numbered, lead_id="l.id", rep_id=ids, member_id=places)
    new = f"(SELECT id, lead_id, rep_id FROM distribution_assignment WHERE lead_id > {last}) a"  # noqa: S608
    for clock in SLAClock.objects.filter(lead=lead):
        own = "NULL" if clock.assignment_id is None else "a.id"
        copy_rows(SLAClock, clock.pk, new, lead_id="a.lead_id", assignment_id=own, rep_id="a.rep_id")
    _run(
        "UPDATE distribution_rep r SET open_leads = (SELECT count(*) FROM distribution_assignment WHERE rep_id = r.id)"
    )
    _run(
        "UPDATE distribution_poolmember m SET open_leads = "
        "(SELECT count(*) FROM distribution_assignment WHERE member_id = m.id)"
    )
    take_stock()


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


# --- Measuring -------------------------------------------------------------------------------------


def _idle() -> tuple[str, float]:
    """What a sweep with nothing due reads, and the milliseconds that the database needs for it, by its own account."""
    now = timezone.now()
    with transaction.atomic():
        asked = (stale_clocks(now), due_clocks(now).select_for_update(skip_locked=True, no_key=True)[:100])
        plans = [json.loads(rows.explain(format="json", analyze=True))[0] for _ in range(RUNS) for rows in asked]
    nodes = [node for plan in plans[: len(asked)] for node in _reading(plan["Plan"])]
    spent = sum(plan["Planning Time"] + plan["Execution Time"] for plan in plans)
    return ", ".join(nodes), spent / RUNS


def _reading(node: dict[str, Any]) -> Iterator[str]:
    if "Relation Name" in node:
        yield f"{node['Node Type']} {node.get('Index Name', node['Relation Name'])}"
    for part in node.get("Plans", ()):
        yield from _reading(part)


def _rate(count: int, make_due: Any) -> float:
    """Clocks per second that one worker takes the due step of."""
    make_due(_accepting(count), timezone.now())
    return count / seconds(sweep_clocks)


def _accepting(count: int) -> list[int]:
    waiting = SLAClock.objects.filter(kind="accept", stopped_at=None, next_step=0).order_by("-pk")
    return list(waiting.values_list("pk", flat=True)[:count])


def _make_reminders_due(ids: list[int], now: datetime) -> None:
    minute = timedelta(minutes=1)
    rows = SLAClock.objects.filter(pk__in=ids)
    rows.update(counted_from=now - 6 * minute, due_at=now + 9 * minute, next_at=now - minute)


def _make_reassignments_due(ids: list[int], now: datetime) -> None:
    minute = timedelta(minutes=1)
    rows = SLAClock.objects.filter(pk__in=ids)
    due = now - minute
    rows.update(counted_from=now - 16 * minute, due_at=due, broken_at=due, next_at=due, next_step=2)
