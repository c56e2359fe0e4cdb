"""The plan ahead of a lead says what will happen, to whom, and when."""

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from distribution import services
from distribution.models import Assignment, AwayReason, Hold, Rep, StepTaken
from distribution.plan import any_of, plan_of
from distribution.services import availability
from pipeline.models import Lead, Team
from pipeline.services.activity import snooze_lead
from tests.distribution.promises import MONDAY, after, make_hours, make_policy
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, make_user, publish
from tests.distribution.world import make_lead, world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _at_ten(time_machine):
    time_machine.move_to(MONDAY, tick=False)


@pytest.fixture
def pool():
    team = Team.objects.create(name="North", manager=make_user("max", first_name="Max"))
    return world("Ann", "Ben", "Cleo", team=team)


def routed() -> Lead:
    lead = make_lead(created_at=MONDAY)
    services.assign_lead(lead.pk, now=MONDAY)
    lead.refresh_from_db()
    return lead


def told(lead, now=MONDAY):
    return [f"{line.at:%H:%M} {line.words}" if line.at else line.words for line in plan_of(lead, now)]


def test_the_plan_names_every_step_and_whom_it_meets(pool):
    make_policy(
        ("accept", 5, "remind"), ("accept", 15, "reassign"), ("lead", 30, "manager"), accept_minutes=15, lead_minutes=60
    )
    assert told(routed()) == [
        "10:05 reminder to Ann",
        "10:15 the promise to accept it is broken",
        "10:15 to Ben or Cleo",
        "10:30 the manager Max is told",
        "11:00 the promise to answer the lead is broken",
    ]


def test_the_plan_is_what_happens(pool):
    make_policy(("accept", 15, "reassign"), accept_minutes=15)
    lead = routed()
    named = told(lead)[-1].removeprefix("10:15 to ").split(" or ")
    services.sweep_clocks(now=after(15))
    lead.refresh_from_db()
    assert lead.owner.rep.name == named[0]


def test_steps_taken_are_no_longer_to_come(pool):
    make_policy(("accept", 5, "remind"), accept_minutes=15)
    lead = routed()
    services.sweep_clocks(now=after(5))
    assert told(lead) == ["10:15 the promise to accept it is broken"]


def test_after_moving_on_the_last_owners_other_promises_are_gone(pool):
    make_policy(("accept", 15, "reassign"), ("contact", 40, "remind"), accept_minutes=15, contact_minutes=50)
    assert told(routed())[-1] == "10:15 to Ben or Cleo"


@pytest.fixture
def lonely(pool):
    """Nobody but Ann can take a lead."""
    Rep.objects.exclude(name="Ann").update(status="away")


def test_with_nobody_left_the_plan_says_that_the_manager_gets_it(pool, lonely):
    make_policy(("accept", 5, "reassign"), ("accept", 10, "remind"), accept_minutes=15)
    Rep.objects.create(user=pool.team.manager, name="Max", status="away")
    assert told(routed()) == ["10:05 to the manager Max"]


def test_a_manager_who_cannot_own_leads_is_only_told_and_the_plan_goes_on(lonely):
    make_policy(("accept", 5, "reassign"), ("accept", 10, "remind"), accept_minutes=15)
    assert told(routed()) == [
        "10:05 the manager Max is told",
        "10:10 reminder to Ann",
        "10:15 the promise to accept it is broken",
    ]


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("queue", "to the queue of the team North"),
        ("offer_team", "offered to the team North"),
        ("reassign", "to Ben or Cleo"),
    ],
)
def test_a_move_is_planned_as_far_as_the_policy_allows(pool, action, words):
    pool.team.members.set(User.objects.filter(rep__isnull=False))
    make_policy(("lead", 5, action), ("lead", 10, action), lead_minutes=15, max_hops=1)
    Rep.objects.create(user=pool.team.manager, name="Max", status="away")
    assert told(routed())[:2] == [f"10:05 {words}", "10:10 to the manager Max"]


@pytest.fixture
def busy(pool):
    """A ladder that sets owners away twice, of the promise that goes from owner to owner."""
    return make_policy(("lead", 10, "set_away"), ("lead", 20, "set_away"), lead_minutes=30)


def set_aways(lead):
    return [words for words in told(lead) if "away" in words]


def test_who_is_set_away_once_is_away_the_second_time(busy):
    assert set_aways(routed()) == ["10:10 Ann is set away", "10:20 Ann is away already"]


@pytest.mark.parametrize(
    ("until", "words"),
    [
        (None, ["10:10 Ann is away already", "10:20 Ann is away already"]),
        (15, ["10:10 Ann is away already", "10:20 Ann is set away"]),
        (5, ["10:10 Ann is set away", "10:20 Ann is away already"]),
    ],
    ids=["until changed", "between the two", "before both"],
)
def test_who_is_away_by_then_is_not_set_away(busy, until, words):
    lead = routed()
    availability.set_away(
        Rep.objects.get(name="Ann"), reason="lunch", until=until and after(until), actor=None, now=MONDAY
    )
    assert set_aways(lead) == words
    services.sweep_clocks(now=after(10))
    services.sweep_clocks(now=after(20))
    planned = [line.endswith("is set away") for line in words]
    assert [not taken.result.endswith("already") for taken in StepTaken.objects.order_by("at")] == planned


def test_a_reason_with_an_end_of_its_own_ends_before_the_second_time(busy):
    AwayReason.objects.create(name="Did not answer", minutes=5)
    assert set_aways(routed()) == ["10:10 Ann is set away", "10:20 Ann is set away"]


def test_without_an_owner_nobody_is_set_away(busy):
    lead = routed()
    Assignment.objects.update(ended_at=MONDAY, end="released")
    assert set_aways(lead)[0] == "10:10 nobody has it: nobody is set away"


def test_the_next_owner_is_set_away_once_and_the_manager_keeps_the_lead(pool):
    steps = [("lead", 5, "reassign"), ("lead", 10, "set_away"), ("lead", 12, "set_away")]
    steps += [("lead", 15, "reassign"), ("lead", 20, "set_away"), ("lead", 25, "reassign")]
    make_policy(*steps, lead_minutes=30, max_hops=1)
    Rep.objects.create(user=pool.team.manager, name="Max", status="away")
    assert told(routed())[:6] == [
        "10:05 to Ben or Cleo",
        "10:10 the next owner is set away",
        "10:12 the next owner is away already",
        "10:15 to the manager Max",
        "10:20 Max is away already",
        "10:25 stays with the manager",
    ]


def test_a_lead_that_rests_says_when_it_goes_on(pool):
    make_policy(("accept", 10, "remind"), accept_minutes=15)
    lead = routed()
    snooze_lead(lead, after(90), "On holiday", None, now=after(4))
    assert told(lead, after(4)) == [
        "11:30 its promises go on",
        "11:36 reminder to Ann",
        "11:41 the promise to accept it is broken",
    ]


def test_a_held_lead_says_when_and_with_whom_it_is_tried_again():
    late = make_pool("Late", make_rep("Ada", hours=make_hours("Late", 14, 22)))
    rules = make_rule_set()
    make_rule(rules, "All", pool=late, if_unavailable="hold")
    publish(rules)
    lead = routed()
    Hold.objects.update(retry_at=after(hours=4))
    assert told(lead) == ["14:00 tried again when Ada is there"]


def test_a_closed_lead_has_no_plan(pool):
    make_policy(accept_minutes=15)
    lead = routed()
    lead.closed_at = MONDAY
    assert plan_of(lead) == []


def test_the_command_prints_the_plan(pool):
    make_policy(("accept", 5, "remind"), accept_minutes=15)
    lead, out = routed(), io.StringIO()
    call_command("explain", str(lead.pk), stdout=out)
    assert "WHAT COMES NEXT\n  2 Mar 2026, 10:05 UTC: reminder to Ann\n" in out.getvalue()


@pytest.mark.parametrize(
    ("names", "words"), [(["A"], "A"), (["A", "B"], "A or B"), (["A", "B", "C"], "A, B or C"), ([], "")]
)
def test_names_are_joined_as_people_say_them(names, words):
    assert any_of(names) == words
