"""Checks of what the books must agree on: assignments, counters, credits, waiting leads, decisions, the live rules.

Each counts in the database or streams, so that it can run on a large installation.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Exists, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from distribution import clockdoctor as clockdoctor  # importing it registers its checks
from distribution.caps import new_leads
from distribution.digests import digest
from distribution.engine.ledger import UNIT
from distribution.engine.moments import utc_text
from distribution.engine.outcomes import DELIVERED
from distribution.models import (
    Assignment,
    CreditCorrection,
    DecisionTrace,
    Hold,
    Offer,
    Pool,
    PoolMember,
    Rep,
    RepCounter,
    RuleSet,
)
from distribution.periods import period_starts
from distribution.rulechecks import ERROR, check_rule_set
from distribution.snapshots import leads_to_route, preview_lead
from leadcrm.lib.beat import interval_of
from leadcrm.lib.doctor import Violation, check
from pipeline.models import Lead

SWEEP: Final = "distribution.tasks.sweep_unassigned"
EVERY: Final = timedelta(seconds=60)
# Each of these is routed again in thought: enough to see that something is wrong.
MOST_PREVIEWED: Final = 200

OPEN_LEAD: Final = Q(closed_at=None, archived_at=None)


@check("open-assignments")
def open_assignments() -> Iterator[Violation]:
    """Every open lead with an owner has one open assignment, held by that owner, and no other lead has any."""
    held = Assignment.objects.filter(lead=OuterRef("pk"), ended_at=None)
    owned = Lead.objects.filter(OPEN_LEAD, owner__isnull=False)
    for lead in owned.filter(~Exists(held)).order_by("pk").iterator():
        yield Violation("open-assignments", f"lead {lead.uid}", "Has an owner but no open assignment.")
    fitting = Lead.objects.filter(OPEN_LEAD, pk=OuterRef("lead"), owner=OuterRef("rep__user"))
    strays = Assignment.objects.filter(~Exists(fitting), ended_at=None).select_related("lead", "rep")
    for stray in strays.order_by("pk").iterator():
        sentence = f"Has an open assignment with {stray.rep.name}, but is closed or not theirs."
        yield Violation("open-assignments", f"lead {stray.lead.uid}", sentence)


def _open_of(column: str) -> Coalesce:
    """How many open assignments the outer row has, by the column that points to it."""
    rows = Assignment.objects.filter(ended_at=None, **{column: OuterRef("pk")}).order_by().values(column)
    return Coalesce(Subquery(rows.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)


def _miscounted(queryset: QuerySet[Any], column: str) -> QuerySet[Any]:
    wrong: QuerySet[Any] = queryset.annotate(held=_open_of(column)).exclude(open_leads=F("held"))
    return wrong.order_by("pk")


@check("rep-open-leads")
def rep_open_leads() -> Iterator[Violation]:
    """The open leads of every rep are as many as counted."""
    for rep in _miscounted(Rep.objects.all(), "rep").iterator():
        sentence = f"Counts {rep.open_leads} open leads, but holds {rep.held}."
        yield Violation("rep-open-leads", f"rep {rep.name} ({rep.pk})", sentence)


@check("member-open-leads")
def member_open_leads() -> Iterator[Violation]:
    """The open leads that every member has from the pool are as many as counted."""
    for member in _miscounted(PoolMember.objects.select_related("rep", "pool"), "member").iterator():
        sentence = f"Counts {member.open_leads} open leads, but holds {member.held}."
        yield Violation("member-open-leads", f"{member} ({member.pk})", sentence)


@check("rep-counters")
def rep_counters() -> Iterator[Violation]:
    """In the current hour, day, week and month of every rep, the counter says how many leads were given."""
    now = timezone.now()
    zones: dict[str, list[int]] = defaultdict(list)
    for pk, zone in Rep.objects.order_by("pk").values_list("pk", "time_zone"):
        zones[zone].append(pk)
    for zone, reps in zones.items():
        yield from _check_counters(reps, period_starts(now, zone))


def _check_counters(reps: list[int], starts: dict[str, datetime]) -> Iterator[Violation]:
    """The reps of one time zone, whose periods start at the same moments."""
    given = _given_since(starts)
    counters = RepCounter.objects.filter(starts_at__in=starts.values()).values_list(
        "rep", "period", "starts_at", "count"
    )
    counted = {(rep, period): count for rep, period, start, count in counters if starts[period] == start}
    names = dict(Rep.objects.filter(pk__in=reps).values_list("pk", "name"))
    for rep in reps:
        for period in starts:
            told, true = counted.get((rep, period), 0), given.get(rep, {}).get(period, 0)
            if told != true:
                sentence = f"Counts {told} new leads in this {period}, but was given {true}."
                yield Violation("rep-counters", f"rep {names[rep]} ({rep})", sentence)


def _given_since(starts: dict[str, datetime]) -> dict[int, dict[str, int]]:
    """New leads by rep and period."""
    counts = {period: Count("pk", filter=Q(started_at__gte=start)) for period, start in starts.items()}
    rows = new_leads().filter(started_at__gte=min(starts.values())).values("rep").annotate(**counts)
    return {rep: dict(zip(starts, given, strict=True)) for rep, *given in rows.values_list("rep", *starts)}


@check("credit-sums")
def credit_sums() -> Iterator[Violation]:
    """The credits of each pool sum to zero, and so do the lines of each correction."""
    pools = Pool.objects.annotate(total=Sum("members__credit")).exclude(total=None).exclude(total=0)
    for pool in pools.order_by("pk").iterator():
        sentence = f"The credits of its members sum to {pool.total / UNIT:+.9f} leads instead of 0."
        yield Violation("credit-sums", f"pool {pool.name} ({pool.pk})", sentence)
    postings = CreditCorrection.objects.order_by().values("posting").annotate(total=Sum("amount")).exclude(total=0)
    for row in postings.iterator():
        sentence = f"Its lines sum to {row['total'] / UNIT:+.9f} leads instead of 0."
        yield Violation("credit-sums", f"correction {row['posting']}", sentence)


@check("unassigned-leads")
def unassigned_leads() -> Iterator[Violation]:
    """No lead has been due for longer than two sweeps while someone could take it."""
    late = timezone.now() - 2 * interval_of(SWEEP, EVERY)
    due = leads_to_route().filter(OPEN_LEAD, routing_state__in=Lead.UNFINISHED)
    for lead in due.filter(next_attempt_at__lt=late).order_by("next_attempt_at", "pk")[:MOST_PREVIEWED]:
        decision = preview_lead(lead)
        if decision.outcome in DELIVERED and lead.next_attempt_at:
            taker = decision.winner.rep.name if decision.winner else "a queue"
            sentence = f"Has been due since {utc_text(lead.next_attempt_at)}, and {taker} could take it."
            yield Violation("unassigned-leads", f"lead {lead.uid}", sentence)


@check("live-rules")
def live_rules() -> Iterator[Violation]:
    """There is a live rule set as soon as there is any, and it has no errors."""
    live = RuleSet.objects.filter(state=RuleSet.State.LIVE).first()
    if live is None:
        if RuleSet.objects.exists():
            yield Violation("live-rules", "rule sets", "None is live: publish one, or no lead is routed.")
        return
    for problem in check_rule_set(live):
        if problem.severity == ERROR:
            yield Violation("live-rules", f"rule set {live}", str(problem))


@check("digests")
def digests() -> Iterator[Violation]:
    """Every stored trace is the one that its decision was made with."""
    traces = DecisionTrace.objects.order_by("pk").values_list("pk", "decision__digest", "decision__lead__uid", "data")
    for pk, stored, lead, data in traces.iterator(chunk_size=500):
        if digest(data) != stored:
            sentence = f"The trace of decision {pk} is not the one it was made with."
            yield Violation("digests", f"lead {lead}", sentence)


@check("held-leads")
def held_leads() -> Iterator[Violation]:
    """No lead has waited past its time, for longer than a few sweeps, while someone could take it."""
    late = timezone.now() - 2 * EVERY
    due = Hold.objects.filter(released_at=None, retry_at__lt=late).values("lead")
    for lead in leads_to_route().filter(OPEN_LEAD, pk__in=due).order_by("pk")[:MOST_PREVIEWED]:
        decision = preview_lead(lead)
        if decision.outcome in DELIVERED:
            taker = decision.winner.rep.name if decision.winner else "a queue"
            sentence = f"Still waits although its time is up, and {taker} could take it."
            yield Violation("held-leads", f"lead {lead.uid}", sentence)


@check("waiting-leads")
def waiting_leads() -> Iterator[Violation]:
    """Every lead that waits has an open hold, every lead up for claim an open offer, and no other lead has either."""
    yield from _waiting(Lead.RoutingState.HELD, Hold.objects.filter(released_at=None), "hold")
    yield from _waiting(Lead.RoutingState.CLAIMABLE, Offer.objects.filter(ended_at=None), "offer")


def _waiting(state: Lead.RoutingState, rows: "QuerySet[Hold] | QuerySet[Offer]", noun: str) -> Iterator[Violation]:
    waiting = Lead.objects.filter(OPEN_LEAD, routing_state=state)
    for lead in waiting.filter(~Exists(rows.filter(lead=OuterRef("pk")))).order_by("pk").iterator():
        sentence = f"Is {lead.get_routing_state_display().lower()} but has no open {noun}."
        yield Violation("waiting-leads", f"lead {lead.uid}", sentence)
    strays = rows.filter(~Exists(waiting.filter(pk=OuterRef("lead"))))
    for row in strays.select_related("lead").order_by("pk").iterator():
        sentence = f"Has an open {noun}, but is closed or does not wait for it."
        yield Violation("waiting-leads", f"lead {row.lead.uid}", sentence)
