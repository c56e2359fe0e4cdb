"""Many leads that move on at once: the same as one by one, in few statements, and none stops the others."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from distribution import services
from distribution.models import Assignment, PoolMember, Rep, SLAClock, StepTaken
from distribution.services import ladders, moving
from leadcrm.lib.doctor import violations
from pipeline.models import Event, Lead, Team
from tests.distribution.promises import MONDAY, after, make_hours, make_policy, outcomes, running, told
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, make_user, publish
from tests.distribution.world import make_lead, world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_ten(time_machine):
    time_machine.move_to(MONDAY, tick=False)


@pytest.fixture
def promised():
    return make_policy(("accept", 15, "reassign"), accept_minutes=15, lead_minutes=120, max_hops=2)


@pytest.fixture
def pool():
    return world("Ann", "Ben", "Cleo", "Dan", team=Team.objects.create(name="North", manager=make_user("max")))


def given_out(count, **fields) -> list[Lead]:
    leads = [make_lead(created_at=MONDAY, **fields) for _ in range(count)]
    services.assign_leads([lead.pk for lead in leads], now=MONDAY)
    return leads


def owners(leads) -> list[str]:
    held = Assignment.objects.filter(lead__in=leads, ended_at=None).order_by("lead")
    return list(held.values_list("rep__name", flat=True))


def one_by_one(monkeypatch):
    monkeypatch.setattr(ladders, "reassign_together", lambda ids, now: list(ids))


def alone(monkeypatch):
    """Fail the test when a step is taken by itself."""
    monkeypatch.setattr(ladders, "_act_safely", lambda pk, now: pytest.fail("a step was taken by itself"))


def written(leads):
    """Everything that reassigning leaves, without ids that differ from run to run."""
    return {
        "assignments": list(
            Assignment.objects.order_by("lead", "pk").values_list(
                "lead", "rep__name", "member", "trigger", "end", "ended_at", "reason"
            )
        ),
        "leads": list(
            Lead.objects.order_by("pk").values_list("pk", "owner", "routing_sentence", "respond_by", "assigned_at")
        ),
        "reps": list(Rep.objects.order_by("pk").values_list("name", "open_leads", "last_assigned_at")),
        "members": list(PoolMember.objects.order_by("pk").values_list("pk", "credit", "open_leads")),
        "clocks": sorted(
            SLAClock.objects.values_list(
                "lead", "kind", "rep__name", "due_at", "next_step", "stopped_at", "outcome", "counted_from", "used"
            ),
            key=str,
        ),
        "steps": sorted(StepTaken.objects.values_list("clock__lead", "action", "due_at", "at", "result"), key=str),
        "events": {lead.pk: told(lead, "") for lead in leads},
        "words": sorted(Event.objects.filter(kind="sla.moved_on").values_list("lead", "data__sentence", "data__tell")),
    }


def rolled_back(minutes, leads):
    with transaction.atomic():
        services.sweep_clocks(now=after(minutes))
        found = written(leads)
        transaction.set_rollback(True)
    return found


def uneven_world():
    """Weights, a capacity that is nearly reached, a cap, working hours, and a pool that gives by load."""
    office = make_hours(is_default=True)
    reps = [make_rep(name) for name in ("Ann", "Ben", "Cleo")]
    reps += [make_rep("Dan", capacity=4), make_rep("Eve", cap_per_day=3, hours=office)]
    sales = make_pool("Sales", *reps, method="weighted")
    least = make_pool("Least", *reps[1:], method="least_loaded")
    for member in sales.members.filter(rep__name__in=("Ann", "Dan")):
        member.weight = 3
        member.save()
    rules = make_rule_set(pool=sales)
    make_rule(rules, "Germany", ("country", "is", "DE"), pool=least)
    publish(rules)


@pytest.mark.parametrize("time", ["clock", "working"])
def test_leads_that_move_on_together_go_where_they_would_one_by_one(monkeypatch, time):
    uneven_world()
    make_policy(("accept", 15, "reassign"), accept_minutes=15, lead_minutes=90, time=time, max_hops=2)
    leads = given_out(9) + given_out(9, country="DE")
    together = rolled_back(16, leads)
    one_by_one(monkeypatch)
    single = rolled_back(16, leads)
    assert len(together["steps"]) == 36  # each promise broke, each lead moved
    for what in single:
        assert together[what] == single[what], what


def test_many_move_on_with_few_statements(pool, promised, monkeypatch):
    leads = given_out(50)
    alone(monkeypatch)
    services.sweep_clocks(now=after(14))
    with CaptureQueriesContext(connection) as captured:
        services.sweep_clocks(now=after(15))
    assert Assignment.objects.filter(lead__in=leads, trigger="escalated").count() == 50
    assert len(captured) <= 2 * 30 + 30  # two chunks, and what the sweep asks once
    assert list(violations()) == []


def test_one_poisoned_lead_stops_nobody_is_delayed_counted_and_told(pool, promised, monkeypatch):
    leads, real = given_out(6), moving.note_taken
    bad = leads[2].pk

    def poisoned(taken, now):
        if any(step.lead.pk == bad for step, _ in taken):
            raise ValueError("cannot be written")
        return real(taken, now)

    monkeypatch.setattr(moving, "note_taken", poisoned)
    monkeypatch.setattr(ladders, "note_taken", poisoned)
    services.sweep_clocks(now=after(15))
    hops = {lead.pk: lead.assignments.filter(trigger="escalated").count() for lead in leads}
    assert hops == {lead.pk: int(lead.pk != bad) for lead in leads}
    stuck = SLAClock.objects.get(lead=bad, kind="accept")
    assert (stuck.failures, stuck.error, stuck.stopped_at) == (1, "ValueError: cannot be written", None)
    assert stuck.leased_until == after(16)
    assert told(leads[2]) == ["broken", "failed"]
    assert [row.code for row in violations()] == ["failing-clocks"]


@pytest.mark.parametrize("answer", ["accept", "edit", "pass_on"])
def test_who_acts_between_choice_and_lock_keeps_the_lead_while_the_others_move_on(pool, promised, monkeypatch, answer):
    leads, real = given_out(4), moving._lock
    first = Assignment.objects.select_related("rep").get(lead=leads[0])
    other = Rep.objects.exclude(pk=first.rep_id).latest("pk")

    def overtaken(*args):
        if answer == "accept":
            services.accept_lead(leads[0].pk, rep=first.rep, now=after(16))
        elif answer == "edit":
            Lead.objects.filter(pk=leads[0].pk).update(version=99)
        else:
            services.reassign_lead(leads[0].pk, to=other, now=after(16))
        return real(*args)

    monkeypatch.setattr(moving, "_lock", overtaken)
    monkeypatch.setattr(ladders, "_act_safely", lambda pk, now: None)
    services.sweep_clocks(now=after(16))
    assert not leads[0].assignments.filter(trigger="escalated").exists()
    assert Assignment.objects.filter(lead__in=leads[1:], trigger="escalated").count() == 3


def test_leads_of_one_person_stay_with_one_rep(pool, promised):
    leads = given_out(2, email="ada@people.example")
    services.sweep_clocks(now=after(15))
    assert len(set(owners(leads))) == 1
    assert Assignment.objects.filter(trigger="escalated").count() == 2


def test_who_had_the_lead_does_not_get_it_again_and_after_the_last_hop_the_manager_is_told(pool, promised):
    leads = given_out(8)
    for minutes in (15, 30, 45):
        services.sweep_clocks(now=after(minutes))
    for lead in leads:
        had = list(lead.assignments.order_by("pk").values_list("rep", flat=True))
        assert len(had) == len(set(had)) == 3
        assert told(lead).count("escalated") == 1
    assert list(violations()) == []


def test_the_leads_own_clock_moves_with_it_and_its_step_is_taken_once(pool):
    make_policy(("lead", 15, "reassign"), ("lead", 30, "reassign"), lead_minutes=120)
    leads = given_out(4)
    for _ in range(2):
        services.sweep_clocks(now=after(15))
    assert StepTaken.objects.filter(action="reassign").count() == 4
    services.sweep_clocks(now=after(30))
    assert [len(set(lead.assignments.values_list("rep", flat=True))) for lead in leads] == [3] * 4
    for lead in leads:
        own = SLAClock.objects.get(lead=lead)
        assert own.rep.user_id == Lead.objects.get(pk=lead.pk).owner_id
        assert running(lead) == {"lead": after(120)}
    assert list(violations()) == []


def test_the_promises_of_the_last_owner_end_late_and_the_next_one_has_new_ones(pool, promised):
    leads = given_out(4)
    services.sweep_clocks(now=after(17))
    for lead in leads:
        assert outcomes(lead) == {"accept": "late"}
        assert running(lead) == {"accept": after(32), "lead": after(120)}
        assert Lead.objects.get(pk=lead.pk).respond_by == after(32)
