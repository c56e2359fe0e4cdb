"""Every check of the doctor is silent on a healthy installation and finds exactly what is planted."""

import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from distribution import services
from distribution.models import (
    Assignment,
    CreditCorrection,
    DecisionTrace,
    Hold,
    Offer,
    PoolMember,
    Rep,
    RepCounter,
    RuleSet,
    SLAClock,
)
from leadcrm.lib.doctor import checks, violations
from leadcrm.taskruns import note_done
from pipeline.models import Lead
from pipeline.services.leads import reopen_lead
from tests.distribution.promises import make_policy
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, stages, win
from tests.notifications.sequences import make_sequence

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    """Leads in every state, all of them brought there by the services."""
    ann, bob = make_rep("Ann", cap_per_day=90), make_rep("Bob", capacity=90)
    away = make_rep("Dan", status="away")
    rules = make_rule_set(pool=make_pool("Sales", ann, bob, method="weighted"))
    make_rule(rules, "Away", ("country", "is", "FR"), pool=make_pool("Away", away), if_unavailable="hold")
    make_rule(rules, "Claim", ("country", "is", "AT"), pool=make_pool("Claim", ann, bob, method="claim"))
    make_rule(rules, "Pull", ("country", "is", "CH"), pool=make_pool("Pull", ann, method="pull"))
    publish(rules)
    make_policy(accept_minutes=15, contact_minutes=60, lead_minutes=120, idle_minutes=30)
    for country in ("DE", "DE", "DE", "DE", "DE", "DE", "FR", "AT", "AT", "CH", "CH"):
        services.assign_lead(make_lead(country=country).pk)
    _handle(list(Lead.objects.filter(country="DE").order_by("pk")), ann, bob)
    services.claim_lead(Lead.objects.filter(country="AT").earliest("pk").pk, rep=ann)
    services.pull_next(ann)
    make_lead(owner=bob.user, routing_state="assigned")


def _handle(leads, ann, bob):
    first, second, third, fourth, fifth, _ = leads
    services.return_lead(first.pk, actor=None, reason="spam")
    services.reassign_lead(second.pk, to=ann, actor=None)
    services.release_lead(third.pk, actor=None)
    fourth.refresh_from_db()
    win(fourth)
    fifth.refresh_from_db()
    win(fifth)
    reopen_lead(fifth, stages()["open"], actor=None)


def found():
    return [(violation.code, violation.subject) for violation in violations()]


def test_a_healthy_installation_has_nothing_to_tell(company):
    assert list(violations()) == []
    assert Lead.objects.filter(routing_state="assigned", closed_at=None).count() >= 6


def test_an_empty_installation_has_nothing_to_tell():
    assert list(violations()) == []


def assigned():
    return Lead.objects.filter(routing_state="assigned", closed_at=None).earliest("pk")


def in_state(state):
    return Lead.objects.filter(routing_state=state).earliest("pk")


def without_clocks(lead):
    """What is planted in an assignment is not to be found in its clocks as well."""
    SLAClock.objects.filter(lead=lead).delete()
    return lead


def no_assignment():
    lead = without_clocks(assigned())
    held = Assignment.objects.get(lead=lead, ended_at=None)
    Assignment.objects.filter(pk=held.pk).update(ended_at=timezone.now(), end="closed")
    Rep.objects.filter(pk=held.rep_id).update(open_leads=F("open_leads") - 1)
    PoolMember.objects.filter(assignments=held).update(open_leads=F("open_leads") - 1)
    return "open-assignments", f"lead {lead.uid}"


def assignment_of_a_closed_lead():
    lead = without_clocks(assigned())
    Lead.objects.filter(pk=lead.pk).update(closed_at=timezone.now(), stage=stages()["lost"])
    return "open-assignments", f"lead {lead.uid}"


def assignment_with_someone_else():
    lead = without_clocks(assigned())
    owner = Rep.objects.get(name="Dan").user
    Lead.objects.filter(pk=lead.pk).update(owner=owner)
    return "open-assignments", f"lead {lead.uid}"


def rep_counts_one_more():
    rep = Rep.objects.get(name="Bob")
    Rep.objects.filter(pk=rep.pk).update(open_leads=rep.open_leads + 1)
    return "rep-open-leads", f"rep Bob ({rep.pk})"


def rep_counts_without_any():
    rep = Rep.objects.get(name="Dan")
    Rep.objects.filter(pk=rep.pk).update(open_leads=1)
    return "rep-open-leads", f"rep Dan ({rep.pk})"


def member_counts_one_less():
    member = PoolMember.objects.get(pool__name="Sales", rep__name="Bob")
    PoolMember.objects.filter(pk=member.pk).update(open_leads=member.open_leads - 1)
    return "member-open-leads", f"Bob in Sales ({member.pk})"


def counter_one_more():
    counter = RepCounter.objects.get(rep__name="Ann", period="day")
    RepCounter.objects.filter(pk=counter.pk).update(count=counter.count + 1)
    return "rep-counters", f"rep Ann ({counter.rep_id})"


def counter_gone():
    counter = RepCounter.objects.get(rep__name="Ann", period="month")
    counter.delete()
    return "rep-counters", f"rep Ann ({counter.rep_id})"


def counter_without_leads():
    counter = RepCounter.objects.get(rep__name="Ann", period="week")
    dan = Rep.objects.get(name="Dan")
    RepCounter.objects.create(rep=dan, period="week", starts_at=counter.starts_at, count=2)
    return "rep-counters", f"rep Dan ({dan.pk})"


def credit_out_of_nothing():
    member = PoolMember.objects.filter(pool__name="Sales").earliest("pk")
    PoolMember.objects.filter(pk=member.pk).update(credit=member.credit + 1)
    return "credit-sums", f"pool Sales ({member.pool_id})"


def half_a_correction():
    line = CreditCorrection.objects.earliest("pk")
    CreditCorrection.objects.filter(pk=line.pk).delete()
    return "credit-sums", f"correction {line.posting}"


def due_and_nobody_looked():
    lead = make_lead(next_attempt_at=timezone.now() - timedelta(minutes=3))
    return "unassigned-leads", f"lead {lead.uid}"


def failed_and_nobody_looked():
    lead = make_lead(routing_state="error", next_attempt_at=timezone.now() - timedelta(hours=3))
    return "unassigned-leads", f"lead {lead.uid}"


def left_waiting():
    ago = timezone.now() - timedelta(minutes=5)
    lead = make_lead(country="DE", routing_state="held", next_attempt_at=None)
    Hold.objects.create(lead=lead, code="nobody_available", since=ago, retry_at=ago)
    return "held-leads", f"lead {lead.uid}"


def never_tried_again():
    lead = make_lead(routing_state="unassigned", next_attempt_at=None)
    return "lost-leads", f"lead {lead.uid}"


def no_live_rules():
    RuleSet.objects.update(state="archived")
    return "live-rules", "rule sets"


def broken_live_rules():
    PoolMember.objects.filter(pool__name="Away").update(retired_at=timezone.now())
    return "live-rules", f"rule set {RuleSet.objects.get()}"


def trace_was_changed():
    trace = DecisionTrace.objects.select_related("decision__lead").earliest("pk")
    DecisionTrace.objects.filter(pk=trace.pk).update(data=trace.data | {"outcome": "kept"})
    return "digests", f"lead {trace.decision.lead.uid}"


def held_without_hold():
    lead = in_state("held")
    Hold.objects.filter(lead=lead).update(released_at=timezone.now())
    return "waiting-leads", f"lead {lead.uid}"


def claimable_without_offer():
    lead = in_state("claimable")
    Offer.objects.filter(lead=lead).update(ended_at=timezone.now(), end="expired")
    return "waiting-leads", f"lead {lead.uid}"


def hold_of_an_assigned_lead():
    lead = assigned()
    Hold.objects.create(lead=lead, code="nobody_available", retry_at=timezone.now())
    return "waiting-leads", f"lead {lead.uid}"


def offer_of_an_assigned_lead():
    lead = assigned()
    Offer.objects.create(lead=lead, rep=Rep.objects.get(name="Bob"))
    return "waiting-leads", f"lead {lead.uid}"


def closed_in_an_open_stage():
    lead = Lead.objects.exclude(closed_at=None).get()
    Lead.objects.filter(pk=lead.pk).update(stage=stages()["open"])
    return "closed-leads", f"lead {lead.uid}"


def open_in_a_won_stage():
    lead = assigned()
    Lead.objects.filter(pk=lead.pk).update(stage=stages()["won"])
    return "closed-leads", f"lead {lead.uid}"


def running_clock(kind="contact"):
    return SLAClock.objects.filter(stopped_at=None, kind=kind).earliest("pk")


def planted(code, clock, **wrong):
    SLAClock.objects.filter(pk=clock.pk).update(**wrong)
    return code, f"lead {clock.lead.uid}"


def clock_of_a_closed_lead():
    lead = Lead.objects.exclude(closed_at=None).get()
    return planted("running-clocks", SLAClock.objects.filter(lead=lead, kind="lead").get(), stopped_at=None, outcome="")


def clock_of_an_ended_assignment():
    ended = Assignment.objects.filter(lead__closed_at=None, lead__routing_state="assigned").exclude(ended_at=None)
    return planted("running-clocks", running_clock(), assignment=ended.earliest("pk"))


def own_clock_of_somebody_else():
    clock = SLAClock.objects.filter(stopped_at=None, kind="lead", lead__owner__isnull=False).earliest("pk")
    return planted("running-clocks", clock, rep=Rep.objects.get(name="Dan"))


def accepted_and_still_waited_for():
    clock = running_clock("accept")
    Lead.objects.filter(pk=clock.lead_id).update(accepted_at=timezone.now())
    return "accepted-clocks", f"lead {clock.lead.uid}"


def kept_but_late():
    clock = running_clock()
    return planted("kept-clocks", clock, outcome="kept", stopped_at=clock.due_at + timedelta(seconds=1))


def due_and_no_sweep():
    return planted("due-clocks", running_clock(), next_at=timezone.now() - timedelta(seconds=31))


def step_that_fails():
    return planted("failing-clocks", running_clock(), failures=3, error="ValueError: no pager")


def worker_that_stopped():
    every = IntervalSchedule.objects.create(every=15, period="seconds")
    last = timezone.now() - timedelta(minutes=2)
    PeriodicTask.objects.create(name="Escalate", task="x", interval=every, last_run_at=timezone.now())
    note_done("x", last)
    return "periodic-tasks", "task Escalate"


def email_without_an_address():
    make_sequence(0)
    return ("postal-address", "guard policy Everywhere else")


PLANTED = [
    no_assignment,
    assignment_of_a_closed_lead,
    assignment_with_someone_else,
    rep_counts_one_more,
    rep_counts_without_any,
    member_counts_one_less,
    counter_one_more,
    counter_gone,
    counter_without_leads,
    credit_out_of_nothing,
    half_a_correction,
    due_and_nobody_looked,
    failed_and_nobody_looked,
    left_waiting,
    never_tried_again,
    no_live_rules,
    broken_live_rules,
    trace_was_changed,
    held_without_hold,
    claimable_without_offer,
    hold_of_an_assigned_lead,
    offer_of_an_assigned_lead,
    closed_in_an_open_stage,
    open_in_a_won_stage,
    clock_of_a_closed_lead,
    clock_of_an_ended_assignment,
    own_clock_of_somebody_else,
    accepted_and_still_waited_for,
    kept_but_late,
    due_and_no_sweep,
    step_that_fails,
    worker_that_stopped,
    email_without_an_address,
]


def test_finds_exactly_what_is_wrong(company, subtests):
    for plant in PLANTED:
        with subtests.test(plant.__name__), transaction.atomic():
            wrong = plant()
            assert found() == [wrong]
            transaction.set_rollback(True)


def test_every_check_finds_something_above(company):
    planted = {
        "open-assignments", "rep-open-leads", "member-open-leads", "rep-counters", "credit-sums", "unassigned-leads",
        "held-leads",
        "live-rules", "digests", "waiting-leads", "closed-leads", "lost-leads", "running-clocks", "accepted-clocks",
        "kept-clocks", "due-clocks", "failing-clocks", "periodic-tasks", "postal-address",
    }  # fmt: skip
    assert set(checks.all()) == planted


def test_a_lead_that_nobody_could_take_is_no_violation(company):
    Rep.objects.update(status="away")
    make_lead(next_attempt_at=timezone.now() - timedelta(minutes=3))
    assert found() == []


def test_a_rule_set_that_is_only_a_draft_is_told_once():
    make_rule_set()
    assert found() == [("live-rules", "rule sets")]


def test_the_command_prints_a_line_per_violation_and_fails(company, capsys):
    rep_counts_one_more()
    with pytest.raises(CommandError, match=r"Found 1 violation"):
        call_command("doctor")
    assert "rep-open-leads: rep Bob" in capsys.readouterr().out


@pytest.mark.parametrize("leads", [3, 12])
def test_the_number_of_queries_does_not_grow_with_the_leads(django_assert_max_num_queries, leads):
    pool = make_pool("Sales", "Ann", "Bob")
    publish(make_rule_set(pool=pool))
    for _ in range(leads):
        services.assign_lead(make_lead().pk)
    list(violations())
    with django_assert_max_num_queries(50):
        assert found() == []


def test_every_check_is_documented_and_no_other(settings):
    page = (settings.BASE_DIR / "docs" / "doctor.md").read_text()
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)) == set(checks.all())
