"""What happens when a promise is not kept: each step once, in its order, to the right people."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from distribution import services
from distribution.engine.sla import ACTIONS
from distribution.models import Assignment, Offer, PoolMember, Rep, SLAClock, StepTaken
from distribution.services import availability, escalation, ladders
from leadcrm.lib.doctor import violations
from pipeline.models import Event, Lead, Team
from pipeline.services.activity import record_contact, snooze_lead
from pipeline.services.leads import close_lead
from tests.distribution.promises import MONDAY, after, clock, make_hours, make_policy, outcomes, running, told
from tests.distribution.setups import make_rep, make_user
from tests.distribution.world import credits, make_lead, stages, world

pytestmark = pytest.mark.django_db

LADDER = (
    ("accept", 5, "remind", "Please accept"),
    ("accept", 10, "backup"),
    ("accept", "80%", "manager"),
    ("accept", 15, "reassign"),
)


@pytest.fixture(autouse=True)
def _at_ten(time_machine):
    time_machine.move_to(MONDAY, tick=False)


@pytest.fixture
def team():
    return Team.objects.create(name="North", manager=make_user("max", first_name="Max", last_name="Moritz"))


@pytest.fixture
def pool(team):
    return world("Ann", "Ben", "Cleo", team=team)


@pytest.fixture
def policy(pool):
    return make_policy(*LADDER, accept_minutes=15, max_hops=2)


def routed(now=MONDAY, **fields) -> Lead:
    lead = make_lead(**{"created_at": now, **fields})
    services.assign_lead(lead.pk, now=now)
    lead.refresh_from_db()
    return lead


def owner(lead) -> str:
    return Assignment.objects.get(lead=lead, ended_at=None).rep.name


def rep(name) -> Rep:
    return Rep.objects.get(name=name)


def sweep(minutes, seconds=0):
    services.sweep_clocks(now=after(minutes, seconds=seconds))


def event(lead, kind):
    return Event.objects.filter(lead=lead, kind=f"sla.{kind}").latest("pk")


def test_the_ladder_is_climbed_to_the_second(policy):
    lead, seen = routed(), []
    for minute in (5, 10, 12, 15):
        sweep(minute, seconds=-1)
        seen.append(len(told(lead)))
        sweep(minute)
    assert seen == [0, 1, 2, 3]
    assert told(lead) == ["reminded", "backup", "escalated", "broken", "moved_on"]
    assert owner(lead) == "Ben"


def test_a_reminder_says_to_whom_of_what_and_what_goes_with_it(policy):
    lead = routed()
    sweep(5, seconds=7)
    line = event(lead, "reminded")
    assert line.data["tell"] == [rep("Ann").user_id]
    assert line.data["sentence"] == "Reminder to Ann: to accept within 15 min by 2026-03-02 10:15 UTC."
    assert (line.data["notes"], line.data["bundled"], line.data["late_seconds"]) == (["Please accept"], 1, 7)
    assert line.data["due_at"] == after(15).isoformat()


def test_a_broken_promise_is_told_to_the_owner_and_the_manager(policy, team):
    lead = routed()
    sweep(15)
    assert event(lead, "broken").data["tell"] == [rep("Ann").user_id, team.manager_id]
    assert clock(lead, "accept").rep.name == "Ben"
    assert outcomes(lead) == {"accept": "late"}


def test_a_second_sweep_finds_nothing_to_do(policy):
    lead = routed()
    for _ in range(3):
        sweep(15)
    assert StepTaken.objects.count() == 5
    assert Assignment.objects.filter(lead=lead).count() == 2


def test_a_warning_at_80_percent_comes_once_and_not_after_an_answer(policy):
    lead, other = routed(), routed()
    services.accept_lead(other.pk, rep=rep("Ben"), now=after(11, seconds=59))
    for minute in (12, 13):
        sweep(minute)
    assert told(lead).count("escalated") == 1
    assert "escalated" not in told(other)


def test_a_lead_accepted_a_second_before_is_not_broken(policy):
    lead = routed()
    services.accept_lead(lead.pk, rep=rep("Ann"), now=after(14, seconds=59))
    sweep(15, seconds=1)
    assert told(lead) == []
    assert outcomes(lead) == {"accept": "kept"}


def test_a_lead_closed_in_time_is_not_broken(policy, time_machine):
    lead = routed()
    time_machine.move_to(after(14))
    close_lead(lead, stages()["lost"], actor=None, lost_reason="wrong number")
    sweep(60)
    assert told(lead) == []


@pytest.mark.parametrize("answer", ["accept", "contact"])
def test_who_answers_between_choice_and_lock_keeps_the_lead(policy, monkeypatch, answer, time_machine):
    """The rival's answer comes while the sweep works out who would be next."""
    lead, real = routed(), ladders._draft
    time_machine.move_to(after(16))

    def overtaken(lead_id, *more):
        if answer == "accept":
            services.accept_lead(lead_id, rep=rep("Ann"), now=after(16))
        else:
            record_contact(Lead.objects.get(), channel="phone", outbound=True, automatic=False, actor=None)
        return real(lead_id, *more)

    monkeypatch.setattr(ladders, "_draft", overtaken)
    sweep(16)
    assert owner(lead) == "Ann"
    assert not StepTaken.objects.filter(action="reassign").exists()
    assert clock(lead, "accept").outcome == "late"


def test_reassigning_goes_round_everybody_who_did_not_have_it_and_starts_anew(policy):
    lead = routed()
    sweep(15)
    assert running(lead) == {"accept": after(30)}
    assert event(lead, "moved_on").data["tell"] == [rep("Ann").user_id]
    sweep(30)
    assert [row.rep.name for row in Assignment.objects.filter(lead=lead).order_by("pk")] == ["Ann", "Ben", "Cleo"]
    assert list(Assignment.objects.order_by("pk").values_list("trigger", flat=True)) == [
        "created",
        "escalated",
        "escalated",
    ]


def test_a_reassignment_takes_a_turn_and_refunds_none(policy, pool):
    routed()
    before = credits(pool)
    sweep(15)
    ann, ben, cleo = (now - then for now, then in zip(credits(pool), before, strict=True))
    assert ann == 0  # had the lead, so this turn is not hers
    assert (ben, cleo) == (-500_000_000, 500_000_000)
    assert list(PoolMember.objects.order_by("pk").values_list("open_leads", flat=True)) == [0, 1, 0]


def test_after_so_many_hops_the_manager_is_told_and_nobody_gets_it_again(policy, team):
    lead = routed()
    for minute in (15, 30, 45, 60):
        sweep(minute)
    assert owner(lead) == "Cleo"
    assert event(lead, "escalated").data["tell"] == [team.manager_id]
    assert "it moved on 2 times" in StepTaken.objects.filter(action="reassign").latest("pk").result
    assert list(violations()) == []


def test_a_manager_who_can_own_leads_gets_it_and_keeps_it(policy, team):
    Rep.objects.create(user=team.manager, name="Max")
    lead = routed()
    for minute in (15, 30, 45):
        sweep(minute)
    assert owner(lead) == "Max"
    assert running(lead) == {"accept": after(60)}
    for minute in (60, 75, 90):
        sweep(minute)
    assert owner(lead) == "Max"
    assert StepTaken.objects.latest("pk").result == "stays with the manager"
    assert list(violations()) == []


def test_an_owner_loses_no_lead_to_nobody(policy, team):
    Rep.objects.exclude(name="Ann").update(status="away")
    lead = routed()
    sweep(15)
    assert owner(lead) == "Ann"
    assert StepTaken.objects.get(action="reassign").result == "manager Max Moritz told: nobody else can take it now"
    assert event(lead, "escalated").data["tell"] == [team.manager_id]


def test_without_a_manager_the_timeline_says_that_nobody_could_be_told():
    world("Ann")
    make_policy(("accept", 15, "reassign"), accept_minutes=15)
    lead = routed()
    sweep(15)
    assert owner(lead) == "Ann"
    assert "no team with a manager answers for it" in event(lead, "escalated").data["sentence"]


def test_a_policy_edited_meanwhile_does_not_change_a_ladder_that_runs(policy):
    lead = routed()
    policy.steps.all().delete()
    policy.steps.create(clock="accept", after_minutes=1, action="set_away")
    sweep(6)
    assert told(lead) == ["reminded"]


def test_a_rep_who_is_gone_is_not_next(policy):
    lead = routed()
    Rep.objects.filter(name="Ben").update(active=False)
    sweep(15)
    assert owner(lead) == "Cleo"


def test_an_idle_owner_is_reminded_and_then_loses_the_lead(pool):
    make_policy(idle_minutes=30)
    lead = routed()
    services.accept_lead(lead.pk, rep=rep("Ann"), now=after(10))
    sweep(40)
    assert told(lead) == ["broken", "reminded"]
    sweep(70)
    assert owner(lead) == "Ben"


def test_a_promise_without_steps_is_only_noted_when_it_breaks(pool):
    make_policy(contact_minutes=60)
    lead = routed()
    for minute in (60, 600):
        sweep(minute)
    assert told(lead) == ["broken"]
    assert (clock(lead, "contact").broken_at, owner(lead)) == (after(60), "Ann")


def test_an_answer_that_comes_late_is_late_for_ever(pool, time_machine):
    make_policy(contact_minutes=60)
    lead = routed()
    sweep(60)
    time_machine.move_to(after(90))
    record_contact(lead, channel="phone", outbound=True, automatic=False, actor=None)
    assert outcomes(lead) == {"contact": "late"}


def test_the_leads_own_promise_outlives_its_owners(pool):
    make_policy(("accept", 15, "reassign"), ("lead", 40, "manager"), accept_minutes=15, lead_minutes=50, max_hops=1)
    lead = routed()
    for minute in (15, 30, 40, 50):
        sweep(minute)
    assert owner(lead) == "Ben"
    assert clock(lead, "lead").broken_at == after(50)
    assert [line.data["clock"] for line in Event.objects.filter(kind="sla.escalated")] == ["accept", "lead"]


def test_a_lead_that_nobody_has_breaks_its_promise_to_the_manager(pool, team):
    Rep.objects.update(status="away")
    make_policy(("lead", 20, "remind"), ("lead", 20, "reassign"), lead_minutes=30)
    lead = routed(team=team)
    for minute in (20, 30):
        sweep(minute)
    assert event(lead, "reminded").data["tell"] == []
    assert event(lead, "broken").data["tell"] == [team.manager_id]
    assert StepTaken.objects.get(action="reassign").result == "nobody has it; routing goes on"


# --- Offers, queues, people --------------------------------------------------------------------------


@pytest.mark.parametrize(("action", "to"), [("offer_team", "rep"), ("queue", "team")])
def test_a_lead_is_offered_to_the_others_of_the_team(pool, team, action, to):
    team.members.set(User.objects.filter(rep__isnull=False))
    make_policy(("accept", 15, action), accept_minutes=15)
    lead = routed()
    sweep(15)
    lead.refresh_from_db()
    assert (lead.routing_state, lead.owner) == ("claimable", None)
    wanted = {rep("Ben").pk, rep("Cleo").pk} if to == "rep" else {team.pk}
    assert set(Offer.objects.filter(ended_at=None).values_list(to, flat=True)) == wanted
    assert event(lead, "moved_on").data["tell"] == [rep("Ann").user_id]
    assert services.claim_lead(lead.pk, rep=rep("Ben"), now=after(16)).rep.name == "Ben"
    assert list(violations()) == []


def test_a_lead_that_goes_from_offer_to_offer_moves_on_as_often_as_the_policy_allows(pool, team):
    team.members.set(User.objects.filter(rep__isnull=False))
    make_policy(("accept", 10, "offer_team"), accept_minutes=15, max_hops=1)
    lead = routed()
    sweep(10)
    services.sweep_offers(now=after(25))
    services.sweep_unassigned(now=after(25))
    sweep(35)
    assert owner(lead) == "Ben"
    assert StepTaken.objects.latest("pk").result == "manager Max Moritz told: it moved on 1 times"
    assert event(lead, "escalated").data["tell"] == [team.manager_id]


@pytest.mark.parametrize("action", ["offer_team", "queue"])
def test_a_lead_is_offered_to_no_empty_team(pool, team, action):
    team.members.add(rep("Ann").user)
    make_policy(("accept", 15, action), accept_minutes=15)
    lead = routed()
    sweep(15)
    assert owner(lead) == "Ann"
    assert StepTaken.objects.get(action=action).result == "manager Max Moritz told: nobody else is in the team"


def test_an_owner_who_does_not_answer_is_set_away_and_gets_no_more(pool):
    make_policy(("accept", 15, "set_away"), accept_minutes=15)
    lead = routed()
    sweep(15)
    ann = rep("Ann")
    assert (ann.status, ann.away_reason) == ("away", "did not answer")
    assert ann.history.latest().status == "away"
    assert told(lead) == ["broken", "set_away"]
    assert owner(routed(after(16))) == "Ben"


@pytest.mark.parametrize(
    ("ends", "away_until", "kinds"), [(14, None, ["broken", "set_away"]), (16, after(16), ["broken"])]
)
def test_a_break_that_is_over_keeps_nobody_from_being_set_away(pool, ends, away_until, kinds):
    make_policy(("accept", 15, "set_away"), accept_minutes=15)
    lead = routed()
    availability.set_away(rep("Ann"), reason="lunch", until=after(ends), actor=None, now=after(1))
    sweep(15)
    assert (rep("Ann").is_away(after(15)), rep("Ann").away_until, told(lead)) == (True, away_until, kinds)


@pytest.fixture
def custom():
    """Actions of an installation's own, for one test."""
    added = []

    def add(key, act):
        escalation.escalation(key, key.title())(act)
        added.append(key)

    yield add
    for key in added:
        ACTIONS.remove(key)
        del escalation.HANDLERS[key]


def test_an_installation_adds_an_action_of_its_own(pool, custom):
    custom("page", lambda step: f"paged for {step.lead.pk}: {step.rung.note}")
    make_policy(("accept", 5, "page", "on call"), accept_minutes=15)
    lead = routed()
    sweep(5)
    assert StepTaken.objects.get().result == f"paged for {lead.pk}: on call"


# --- When something fails ----------------------------------------------------------------------------


def fail(step):
    step.lead.events.create(kind="lead.noted")
    raise RuntimeError("the pager is broken")


def test_a_step_that_fails_stops_nobody_is_tried_again_and_told_once(pool, custom):
    custom("page", fail)
    make_policy(("accept", 5, "page"), ("accept", 5, "remind"), accept_minutes=60, is_default=False, min_priority=5)
    make_policy(("accept", 5, "remind"), accept_minutes=60, name="Plain")
    poisoned, healthy = routed(priority=5), routed()
    sweep(5)
    assert told(healthy) == ["reminded"]
    stuck = clock(poisoned, "accept")
    assert (stuck.failures, stuck.error, stuck.next_step) == (1, "RuntimeError: the pager is broken", 0)
    assert not poisoned.events.filter(kind="lead.noted").exists()
    sweep(5, seconds=59)
    assert clock(poisoned, "accept").failures == 1
    for minute in (6, 8, 12):
        sweep(minute)
    assert clock(poisoned, "accept").failures == 4
    assert told(poisoned) == ["failed"]


def test_a_step_that_works_again_forgets_its_failures(pool, custom):
    custom("page", fail)
    make_policy(("accept", 5, "page"), accept_minutes=60)
    lead = routed()
    sweep(5)
    escalation.HANDLERS["page"] = lambda step: "paged"
    sweep(6)
    healed = clock(lead, "accept")
    assert (healed.failures, healed.error, healed.next_step) == (0, "", 1)


def test_one_poisoned_reminder_does_not_stop_the_others(policy, monkeypatch):
    leads, real = [routed() for _ in range(4)], ladders.build_notices

    def poisoned(row, taken, now):
        if row.lead_id == leads[1].pk:
            raise ValueError("cannot be told")
        return real(row, taken, now)

    monkeypatch.setattr(ladders, "build_notices", poisoned)
    sweep(5)
    assert [told(lead) for lead in leads] == [["reminded"], ["failed"], ["reminded"], ["reminded"]]
    assert StepTaken.objects.filter(action="remind").count() == 3


def test_after_an_outage_the_steps_of_a_lead_come_in_order_and_its_reminders_as_one(pool):
    make_policy(*(("accept", minute, "remind") for minute in (5, 7, 9)), ("accept", 15, "reassign"), accept_minutes=15)
    lead = routed()
    sweep(14)
    reminder = event(lead, "reminded")
    assert (reminder.data["bundled"], len(reminder.data["steps"])) == (3, 3)
    assert reminder.data["late_seconds"] == 9 * 60
    sweep(180)
    assert told(lead) == ["reminded", "broken", "moved_on"]
    assert list(StepTaken.objects.order_by("pk").values_list("action", flat=True)) == [
        *["remind"] * 3,
        "break",
        "reassign",
    ]


def test_after_an_outage_the_longest_overdue_comes_first(policy):
    leads = [routed(after(minute)) for minute in (9, 3, 6)]
    services.sweep_clocks(1, now=after(100))
    assert [bool(told(lead)) for lead in leads] == [False, True, False]


def test_what_a_long_sweep_took_is_not_lost_to_the_next_owner(pool, custom, monkeypatch, time_machine):
    monkeypatch.setattr(ladders, "BATCH", 1)
    custom("page", lambda step: time_machine.move_to(after(55), tick=False) or "paged")
    make_policy(("accept", 15, "page"), accept_minutes=15, is_default=False, min_priority=5, name="Slow")
    make_policy(("accept", 15, "reassign"), accept_minutes=15)
    routed(priority=5)
    lead = routed()
    time_machine.move_to(after(15), tick=False)
    services.sweep_clocks()
    assert running(lead) == {"accept": after(70)}


def test_what_a_dead_worker_had_leased_comes_again_when_its_lease_is_over(policy):
    lead = routed()
    ladders._lease(10, after(5))
    sweep(5, seconds=30)
    assert told(lead) == []
    sweep(6)
    assert told(lead) == ["reminded"]


# --- Calendars ---------------------------------------------------------------------------------------


@pytest.fixture
def office(pool):
    hours = make_hours(is_default=True)
    make_policy(("accept", 30, "remind"), time="working", accept_minutes=60)
    return hours


def test_a_reminder_that_would_come_at_night_comes_after_the_next_opening(office):
    lead = routed(after(hours=7.75))  # a quarter of an hour before closing
    sweep(0)
    services.sweep_clocks(now=after(hours=24, minutes=14))
    assert told(lead) == []
    services.sweep_clocks(now=after(hours=24, minutes=15))
    assert told(lead) == ["reminded"]


def test_changed_hours_move_what_is_still_to_come_and_repeat_nothing(office):
    lead = routed()
    sweep(30)
    office.shifts.filter(weekday=1).update(start="10:40")
    office.shifts.first().save()
    assert clock(lead, "accept").stale
    sweep(31)
    moved = clock(lead, "accept")
    assert (moved.stale, moved.due_at, moved.next_at) == (False, after(100), after(100))
    assert Lead.objects.get().respond_by == after(100)
    sweep(99, seconds=59)
    sweep(100)
    assert told(lead) == ["reminded", "broken"]


def test_a_clock_whose_hours_changed_takes_no_step_before_it_is_worked_out_again(office):
    lead = routed()
    SLAClock.objects.update(stale=True)
    assert not ladders.due_clocks(after(hours=5)).exists()
    office.exceptions.create(date=MONDAY.date(), name="closed")
    services.sweep_clocks(now=after(hours=5))
    assert told(lead) == []


def test_a_snoozed_lead_takes_no_step(policy):
    lead = routed()
    snooze_lead(lead, after(120), "On holiday", None, now=after(4))
    sweep(100)
    assert told(lead) == []


def test_leave_of_the_owner_moves_a_promise_in_working_time(office):
    lead = routed()
    make_rep("Unrelated").leaves.create(starts_at=MONDAY, ends_at=after(60))
    rep("Ann").leaves.create(starts_at=after(20), ends_at=after(120))
    sweep(60)
    assert (told(lead), running(lead)) == ([], {"accept": after(160)})
    assert clock(lead, "accept").span == timedelta(hours=1)
