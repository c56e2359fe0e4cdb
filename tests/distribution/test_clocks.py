"""When promises start, stop, pause and go on; by whose hours they count."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import Q

from distribution import services
from distribution.models import Assignment, Rep, SLAClock, TeamHours, WorkingHours, WorkShift
from distribution.services import recounting, stepping
from pipeline.models import Lead, Stage, Team
from pipeline.services.activity import add_note, record_contact, snooze_lead, wake_due
from pipeline.services.leads import edit_lead, move_lead, reopen_lead
from pipeline.signals import lead_merged
from tests.distribution.promises import MONDAY, after, clock, make_hours, make_policy, outcomes, running
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, make_leads, stages, win, world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_ten(time_machine):
    time_machine.move_to(MONDAY, tick=False)


@pytest.fixture
def promised():
    """Accept in 15 minutes, contact in an hour, answer any lead in two; idle after half an hour."""
    world("Ann", "Ben")
    return make_policy(accept_minutes=15, contact_minutes=60, lead_minutes=120, idle_minutes=30)


def routed(now=MONDAY, **fields) -> Lead:
    lead = make_lead(**{"created_at": now, **fields})
    services.assign_lead(lead.pk, now=now)
    lead.refresh_from_db()
    return lead


def owner(lead) -> Rep:
    return Rep.objects.get(user=Lead.objects.get(pk=lead.pk).owner_id)


def respond_by(lead):
    return Lead.objects.values_list("respond_by", flat=True).get(pk=lead.pk)


def test_clocks_start_with_the_assignment_and_the_lead_carries_the_first_deadline(promised):
    lead = routed()
    assert running(lead) == {"accept": after(15), "contact": after(60), "lead": after(120)}
    assert respond_by(lead) == after(15)


def test_a_lead_routed_late_has_its_own_clock_from_when_it_came_in(promised):
    lead = make_lead(created_at=after(-30))
    services.assign_lead(lead.pk, now=MONDAY)
    assert running(lead) == {"accept": after(15), "contact": after(60), "lead": after(90)}


def test_an_import_counts_from_the_import(promised):
    leads = make_leads(3, created_at=after(hours=-1000))
    services.assign_leads([lead.pk for lead in leads], now=MONDAY)
    for lead in leads:
        assert running(lead) == {"accept": after(15), "contact": after(60), "lead": after(120)}
        assert respond_by(lead) == after(15)
    assert not SLAClock.objects.exclude(kind="lead").filter(assignment=None).exists()


def test_without_a_policy_there_are_no_clocks():
    world("Ann")
    lead = routed()
    services.accept_lead(lead.pk, rep=owner(lead), now=after(1))
    assert not SLAClock.objects.exists()
    assert respond_by(lead) is None


def test_the_rule_names_the_policy_then_the_priority_then_the_default():
    gold, hot = make_policy(name="Gold", is_default=False, accept_minutes=1), None
    hot = make_policy(name="Hot", is_default=False, min_priority=5, accept_minutes=2)
    make_policy(accept_minutes=3)
    rules = make_rule_set(pool=make_pool("Sales", "Ann"))
    make_rule(rules, "Gold", ("country", "is", "DE"), pool=rules.catch_all_pool, sla_policy=gold)
    publish(rules)
    got = [clock(routed(**fields), "accept").policy for fields in ({"country": "DE"}, {"priority": 7}, {})]
    assert [policy.name for policy in got] == ["Gold", hot.name, "Standard"]


def test_a_clock_keeps_the_terms_under_which_it_started(promised):
    lead = routed()
    promised.steps.create(clock="accept", after_minutes=1, action="remind")
    promised.accept_minutes = 1
    promised.save()
    started = clock(lead, "accept")
    assert (started.span, len(started.ladder)) == (timedelta(minutes=15), 1)


def test_accepting_keeps_the_promise_and_starts_idleness(promised):
    lead = routed()
    services.accept_lead(lead.pk, rep=owner(lead), now=after(14, seconds=59))
    assert outcomes(lead) == {"accept": "kept"}
    assert running(lead) == {"contact": after(60), "lead": after(120), "idle": after(44, seconds=59)}
    assert respond_by(lead) == after(44, seconds=59)


def test_accepting_after_the_deadline_is_late_although_no_sweep_had_run(promised):
    lead = routed()
    services.accept_lead(lead.pk, rep=owner(lead), now=after(15, seconds=1))
    late = clock(lead, "accept")
    assert (late.outcome, late.broken_at) == ("late", after(15))


def test_accepting_twice_changes_nothing_the_second_time(promised):
    lead = routed()
    for minute in (5, 20):
        services.accept_lead(lead.pk, rep=owner(lead), now=after(minute))
    assert clock(lead, "accept").stopped_at == after(5)
    assert SLAClock.objects.filter(kind="idle").count() == 1


def test_a_closed_lead_promises_nothing_more(promised, time_machine):
    lead = routed()
    time_machine.move_to(after(10))
    win(lead)
    assert outcomes(lead) == {"accept": "ended", "contact": "ended", "lead": "ended"}
    assert respond_by(lead) is None


def test_a_lead_opened_again_is_promised_to_be_contacted_by_its_owner(promised, time_machine):
    lead = routed()
    win(lead)
    time_machine.move_to(after(30))
    reopen_lead(lead, stages()["open"], actor=None)
    assert running(lead) == {"accept": after(45), "contact": after(90)}


def test_a_new_owner_gets_new_clocks_and_the_leads_own_runs_on(promised):
    lead = routed()
    ben = Rep.objects.get(name="Ben")
    services.reassign_lead(lead.pk, to=ben, now=after(10))
    assert running(lead) == {"accept": after(25), "contact": after(70), "lead": after(120)}
    assert set(SLAClock.objects.filter(stopped_at=None).values_list("rep", flat=True)) == {ben.pk}
    assert outcomes(lead) == {"accept": "ended", "contact": "ended"}


def test_a_lead_given_back_goes_to_the_next_with_new_clocks(promised):
    lead = routed()
    services.release_lead(lead.pk, actor=None, now=after(20))
    assert outcomes(lead) == {"accept": "late", "contact": "ended"}
    assert running(lead) == {"accept": after(35), "contact": after(80), "lead": after(120)}
    assert owner(lead).name == "Ben"


def test_a_lead_that_nobody_has_keeps_its_own_clock(promised):
    Rep.objects.update(status="away")
    lead = routed()
    assert running(lead) == {"lead": after(120)}
    assert respond_by(lead) == after(120)
    Rep.objects.update(status="available")
    services.assign_lead(lead.pk, now=after(30))
    assert running(lead) == {"accept": after(45), "contact": after(90), "lead": after(120)}


def test_a_lead_that_was_there_before_the_policy_gets_no_clock_of_its_own():
    world("Ann", "Ben")
    lead = routed()
    make_policy(accept_minutes=15, lead_minutes=120)
    services.release_lead(lead.pk, actor=None, now=after(hours=100))
    assert running(lead) == {"accept": after(15, hours=100)}


def test_a_lead_returned_as_invalid_or_kept_out_promises_nothing(promised):
    lead = routed()
    services.return_lead(lead.pk, actor=None, reason="spam", now=after(3))
    assert (running(lead), respond_by(lead)) == ({}, None)
    Rep.objects.update(status="away")
    waiting = routed()
    services.exclude_lead(waiting.pk, actor=None, reason="test", now=after(3))
    assert (running(waiting), respond_by(waiting)) == ({}, None)


def test_who_takes_a_lead_has_accepted_it():
    pool = world("Ann", "Ben", method="claim")
    make_policy(accept_minutes=15, contact_minutes=60, idle_minutes=30)
    lead = routed()
    services.claim_lead(lead.pk, rep=pool.members.first().rep, now=after(5))
    assert running(lead) == {"contact": after(65), "idle": after(35)}


# --- Working time ----------------------------------------------------------------------------------


@pytest.fixture
def office():
    """Ann works from 10 to 18, Ben from 14 to 22; promises count working time; the default hours are 8 to 12."""
    make_hours("Default", 8, 12, is_default=True)
    world(make_rep("Ann", hours=make_hours("Day")), make_rep("Ben", hours=make_hours("Late", 14, 22)))
    return make_policy(time="working", accept_minutes=60, lead_minutes=240)


def of_ben() -> Lead:
    lead = routed()
    services.reassign_lead(lead.pk, to=Rep.objects.get(name="Ben"), now=MONDAY)
    return lead


def test_promises_count_the_owners_working_time(office):
    assert running(routed(after(hours=7.5))) == {"accept": after(hours=24.5), "lead": after(hours=27.5)}


def test_the_leads_own_clock_counts_by_the_hours_of_whoever_has_it(office):
    lead = routed()
    assert running(lead)["lead"] == after(hours=4)
    services.reassign_lead(lead.pk, to=Rep.objects.get(name="Ben"), now=after(hours=1))
    assert running(lead)["lead"] == after(hours=4 + 3)  # one hour was counted; Ben begins at 14
    services.reassign_lead(lead.pk, to=Rep.objects.get(name="Ann"), now=after(hours=5))
    assert running(lead)["lead"] == after(hours=7)


def test_while_nobody_has_it_the_leads_own_clock_counts_the_default_hours(office):
    Rep.objects.update(status="away")
    lead = routed()
    assert running(lead)["lead"] == after(hours=24)  # 10 to 12, and 8 to 10 on Tuesday


def test_leave_is_no_working_time(office):
    ann = Rep.objects.get(name="Ann")
    ann.leaves.create(starts_at=after(30), ends_at=after(hours=3))
    assert running(routed())["accept"] == after(hours=3.5)


def test_changed_hours_are_seen_when_a_promise_is_stopped_before_they_were_worked_out_again(office):
    lead = routed()
    owner(lead).leaves.create(starts_at=after(1), ends_at=after(hours=4))
    services.accept_lead(lead.pk, rep=owner(lead), now=after(hours=2))
    assert outcomes(lead)["accept"] == "kept"


def test_clocks_are_marked_by_whom_they_count_and_only_those_in_working_time(office):
    lead, other = routed(), of_ben()
    recounting.mark_stale(Q(rep=owner(lead)))
    assert set(SLAClock.objects.filter(stale=True).values_list("lead", flat=True)) == {lead.pk}
    SLAClock.objects.update(stale=False, working=False)
    assert recounting.mark_stale(Q()) == 0
    assert running(other)


def test_the_assignment_is_the_one_that_promised(promised):
    lead = routed()
    assert clock(lead, "accept").assignment == Assignment.objects.get(lead=lead)
    assert clock(lead, "lead").assignment is None


CHANGES = {
    "a shift": lambda ann: ann.hours.shifts.first().delete(),
    "an exception": lambda ann: ann.hours.exceptions.create(date=MONDAY.date(), name="fair"),
    "the hours themselves": lambda ann: ann.hours.save(),
    "leave": lambda ann: ann.leaves.create(starts_at=after(30), ends_at=after(90)),
    "the time zone": lambda ann: ann.save(),
    "the team": lambda ann: ann.user.lead_teams.create(name="North"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_calendars_marks_the_clocks_that_count_by_them(office, change):
    lead, other = routed(), of_ben()
    CHANGES[change](owner(lead))
    stale = SLAClock.objects.filter(stale=True)
    assert set(stale.values_list("lead", flat=True)) == {lead.pk}
    assert stale.count() == 2
    assert running(other)


LOSSES = {
    "the team's hours": lambda team: team.hours.delete(),
    "the team": lambda team: team.delete(),
    "the default hours": lambda team: WorkingHours.objects.get(is_default=True).delete(),
}


@pytest.mark.parametrize(("loss", "stale"), [*zip(LOSSES, ("north", "north", "all"), strict=True)])
def test_hours_that_are_lost_mark_the_clocks_that_counted_by_them(loss, stale):
    """Ann has the hours of her team; Ben the default ones, which are without shifts."""
    team, other = Team.objects.create(name="North"), Team.objects.create(name="South")
    world("Ann", "Ben", team=other)
    Rep.objects.get(name="Ann").user.lead_teams.set([team])
    TeamHours.objects.create(team=team, hours=make_hours())
    WorkingHours.objects.create(name="Always", always=True, is_default=True)
    make_policy(time="working", accept_minutes=60)
    leads = {owner(lead).name: lead.pk for lead in (routed(), of_ben())}
    SLAClock.objects.update(stale=False)
    LOSSES[loss](team)
    wanted = {"north": {leads["Ann"]}, "all": set(leads.values())}[stale]
    assert set(SLAClock.objects.filter(stale=True).values_list("lead", flat=True)) == wanted


def test_other_default_hours_mark_the_leads_that_nobody_has(office):
    Rep.objects.update(status="away")
    lead = routed()
    WorkShift.objects.filter(hours__is_default=True).first().delete()
    assert clock(lead, "lead").stale


# --- Contact, idleness and snoozing ------------------------------------------------------------------


def call(lead, actor=None, at=None):
    lead.refresh_from_db()
    record_contact(lead, channel="phone", outbound=True, automatic=False, actor=actor, at=at)


def test_the_first_real_contact_keeps_every_promise(promised, time_machine):
    lead = routed()
    time_machine.move_to(after(10))
    call(lead)
    assert outcomes(lead) == {"accept": "kept", "contact": "kept", "lead": "kept"}
    assert respond_by(lead) is None


def test_an_owner_who_calls_has_accepted(promised):
    lead = routed()
    ann = owner(lead)
    call(lead, ann.user)
    lead.refresh_from_db()
    assert lead.accepted_at == MONDAY
    assert running(lead) == {}


@pytest.mark.parametrize(("outbound", "automatic"), [(False, False), (True, True)])
def test_neither_a_reply_nor_an_automatic_message_keeps_a_promise(promised, outbound, automatic):
    lead = routed()
    record_contact(lead, channel="email", outbound=outbound, automatic=automatic, actor=None)
    add_note(lead, "Will call", actor=owner(lead).user)
    assert set(running(lead)) == {"accept", "contact", "lead"}


def test_a_contact_noted_late_keeps_the_promise_if_it_was_made_in_time(promised, time_machine):
    lead = routed()
    time_machine.move_to(after(70))
    call(lead, at=after(50))
    assert outcomes(lead) == {"accept": "late", "contact": "kept", "lead": "kept"}


def test_a_contact_made_in_time_keeps_the_promise_although_a_sweep_took_it_for_broken(promised, time_machine):
    lead = routed()
    services.sweep_clocks(now=after(61))
    assert clock(lead, "contact").broken_at == after(60)
    time_machine.move_to(after(70))
    call(lead, at=after(50))
    assert outcomes(lead) == {"accept": "late", "contact": "kept", "lead": "kept"}
    assert clock(lead, "contact").broken_at is None


def test_a_new_owner_must_reach_out_to_a_lead_that_was_contacted_before(promised):
    lead = routed()
    call(lead, owner(lead).user)
    ben = Rep.objects.get(name="Ben")
    services.reassign_lead(lead.pk, to=ben, now=after(10))
    assert set(running(lead)) == {"accept", "contact"}
    call(lead, ben.user)
    assert running(lead) == {}


def move(lead, actor):
    lead.refresh_from_db()
    other, _ = Stage.objects.get_or_create(pipeline=lead.stage.pipeline, slug="talks", name="Talks", kind="open")
    move_lead(lead, other, actor=actor)


def test_a_merge_stops_every_promise_and_frees_the_owner(promised):
    lead, kept = routed(), routed()
    ann = owner(lead)
    with transaction.atomic():
        lead_merged.send(Lead, lead=lead, into=kept, actor=None)
    assert outcomes(lead) == {"accept": "ended", "contact": "ended", "lead": "ended"}
    assert set(running(kept)) == {"accept", "contact", "lead"}
    assert respond_by(lead) is None
    assert not lead.assignments.filter(ended_at=None).exists()
    ann.refresh_from_db()
    assert ann.open_leads == 0


DEEDS = {
    "a note": lambda lead, actor: add_note(lead, "Sent an offer", actor=actor),
    "a move": move,
    "an edit": lambda lead, actor: edit_lead(lead, {"city": "Oslo"}, actor=actor),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_what_the_owner_does_counts_against_idleness(promised, time_machine, deed):
    lead = routed()
    services.accept_lead(lead.pk, rep=owner(lead), now=MONDAY)
    time_machine.move_to(after(20))
    lead.refresh_from_db()
    DEEDS[deed](lead, owner(lead).user)
    assert running(lead)["idle"] == after(50)


def test_what_others_do_does_not_count_against_the_owners_idleness(promised, time_machine):
    lead = routed()
    services.accept_lead(lead.pk, rep=owner(lead), now=MONDAY)
    time_machine.move_to(after(20))
    lead.refresh_from_db()
    add_note(lead, "Asked her", actor=Rep.objects.get(name="Ben").user)
    assert running(lead)["idle"] == after(30)


def test_a_snoozed_lead_has_no_deadline_and_goes_on_where_it_stopped(promised):
    lead = routed()
    snooze_lead(lead, after(45), "On holiday", None, now=after(5))
    assert (respond_by(lead), set(running(lead).values())) == (None, {None})
    wake_due(now=after(45))
    assert running(lead) == {"accept": after(55), "contact": after(100), "lead": after(160)}
    assert respond_by(lead) == after(55)


def test_a_lead_that_rests_when_it_changes_hands_goes_on_resting(promised):
    lead = routed()
    snooze_lead(lead, after(45), "On holiday", None, now=after(5))
    services.reassign_lead(lead.pk, to=Rep.objects.get(name="Ben"), now=after(10))
    assert (respond_by(lead), set(running(lead).values())) == (None, {None})
    wake_due(now=after(45))
    assert running(lead) == {"accept": after(60), "contact": after(105), "lead": after(160)}


def test_a_contact_while_it_rests_keeps_the_promise(promised):
    lead = routed()
    snooze_lead(lead, after(45), "On holiday", None, now=after(5))
    call(lead)
    assert outcomes(lead) == {"accept": "kept", "contact": "kept", "lead": "kept"}


def test_one_clock_that_cannot_be_worked_out_holds_back_no_other_and_is_tried_later(office, monkeypatch):
    leads, real = [routed() for _ in range(3)], recounting.clock_of
    bad = SLAClock.objects.get(lead=leads[0], kind="accept").pk

    def poisoned(row, hours):
        if row.pk == bad:
            raise ValueError("no such hour")
        return real(row, hours)

    monkeypatch.setattr(recounting, "clock_of", poisoned)
    recounting.mark_stale(Q())
    now = after(1)
    assert recounting.recompute_stale(now=now) > 0
    stuck = SLAClock.objects.get(pk=bad)
    assert (stuck.failures, stuck.error, stuck.leased_until) == (1, "ValueError: no such hour", after(2))
    assert set(SLAClock.objects.filter(stale=True).values_list("lead", flat=True)) == {leads[0].pk}
    assert recounting.recompute_stale(now=now) == 0
    assert SLAClock.objects.get(pk=bad).failures == 1
    assert leads[0].events.filter(kind="sla.failed").exists()
    monkeypatch.undo()
    recounting.mark_stale(Q())
    recounting.recompute_stale(now=now)
    assert not SLAClock.objects.filter(Q(stale=True) | Q(failures__gt=0)).exists()


def test_a_clock_that_failed_is_tried_again_at_once_when_somebody_asks(office):
    lead = routed()
    later = after(60)
    SLAClock.objects.filter(lead=lead).update(failures=3, error="boom", leased_until=later)
    assert stepping.try_again(Q(lead=lead)) == SLAClock.objects.filter(lead=lead).count()
    assert set(SLAClock.objects.values_list("failures", "error", "leased_until", "stale")) == {(0, "", None, True)}
    assert stepping.try_again(Q(lead=lead)) == 0
