"""Working hours, leave and status decide who may take a lead: scenarios 33, 34, 37, 39 to 42."""

from datetime import UTC, date, datetime, timedelta

import pytest

from distribution import services
from distribution.models import Rep, TeamHours
from distribution.services import availability
from pipeline.models import Team
from tests.distribution.calendars import make_exception, make_hours, make_leave
from tests.distribution.setups import make_rep
from tests.distribution.world import credits, make_lead, owners, world

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)  # Berlin is an hour ahead


def berlin(clock, day=MONDAY):
    hour, minute, second = map(int, clock.split(":"))
    return day + timedelta(hours=hour - 1, minutes=minute, seconds=second)


def refused(now, name="Ann", **lead):
    """The refusals of a decision at this moment, by name: code and phrase; nothing for who could take the lead."""
    decision = services.assign_lead(make_lead(**lead).pk, now=now)
    rows = decision.trace.data["attempts"][-1]["candidates"]
    return next((row["code"], row["why"], row.get("until")) for row in rows if row["name"] == name and "code" in row)


def takes(now):
    return services.assign_lead(make_lead().pk, now=now).outcome == "assigned"


@pytest.mark.parametrize(
    ("moment", "open_now"),
    [
        (berlin("08:59:59"), False),
        (berlin("09:00:00"), True),
        (berlin("17:59:59"), True),
        (berlin("18:00:00"), False),
        (berlin("12:00:00", MONDAY - timedelta(days=1)), False),
        (berlin("12:00:00", datetime(2026, 5, 1, tzinfo=UTC)) - timedelta(hours=1), False),  # a holiday, in summer time
        (berlin("12:00:00", datetime(2026, 3, 3, tzinfo=UTC)), False),  # closed on that date
        (berlin("20:30:00", datetime(2026, 3, 4, tzinfo=UTC)), True),  # other hours on that date
        (berlin("12:00:00", datetime(2026, 3, 4, tzinfo=UTC)), False),
    ],
)
def test_leads_go_to_people_in_their_working_hours_to_the_second(moment, open_now):
    hours = make_hours(holiday_country="DE")
    make_exception(hours, date(2026, 3, 3))
    make_exception(hours, date(2026, 3, 4), "20:00", "22:00")
    world(make_rep("Ann", time_zone="Europe/Berlin", hours=hours))
    assert takes(moment) is open_now


@pytest.mark.parametrize(
    ("clock", "open_now"),
    [("21:59:59", False), ("22:00:00", True), ("05:59:59", True), ("06:00:00", False)],
)
def test_a_shift_over_midnight_belongs_to_the_day_on_which_it_begins(clock, open_now):
    world(make_rep("Ann", time_zone="Europe/Berlin", hours=make_hours(start="22:00", end="06:00", days="1")))
    day = MONDAY if clock > "12" else MONDAY + timedelta(days=1)
    assert takes(berlin(clock, day)) is open_now


def test_a_refusal_outside_working_hours_says_until_when():
    world(make_rep("Ann", time_zone="Europe/Berlin", hours=make_hours()))
    code, why, until = refused(berlin("18:00:00", datetime(2026, 3, 6, tzinfo=UTC)))
    assert (code, why) == ("off_hours", "outside working hours until 2026-03-09 08:00 UTC")
    assert until == "2026-03-09T08:00:00+00:00"


def test_who_has_no_working_hours_is_always_there():
    world("Ann")
    assert takes(MONDAY - timedelta(days=1))


def test_own_hours_come_before_the_teams_and_those_before_the_default():
    night = make_hours("Night", start="22:00", end="06:00", days="1234567")
    own = make_rep("Own", hours=make_hours("Early", start="04:00", end="12:00"))
    teams, default = make_rep("Teams"), make_rep("Default")
    team = Team.objects.create(name="Night shift")
    team.members.add(own.user, teams.user)
    TeamHours.objects.create(team=team, hours=night)
    make_hours("Office", is_default=True)
    world(own, teams, default, method="least_loaded")
    for hour, name in ((5, "Own"), (23, "Teams"), (15, "Default")):
        decision = services.assign_lead(make_lead().pk, now=MONDAY + timedelta(hours=hour))
        assert decision.winner.name == name
        Rep.objects.update(open_leads=0)


def test_a_rep_on_leave_gets_no_leads_until_the_moment_of_return():
    ann = make_rep("Ann")
    make_leave(ann, MONDAY, MONDAY + timedelta(days=5), reason="parental leave")
    world(ann)
    assert refused(MONDAY)[:2] == ("on_leave", "parental leave until 2026-03-07 00:00 UTC")
    assert takes(MONDAY - timedelta(seconds=1))
    assert takes(MONDAY + timedelta(days=5))


def test_cancelled_leave_is_no_leave():
    ann = make_rep("Ann")
    make_leave(ann, MONDAY, MONDAY + timedelta(days=5), cancelled_at=MONDAY)
    world(ann)
    assert takes(MONDAY)


def test_of_leave_that_overlaps_the_last_day_counts():
    ann = make_rep("Ann")
    make_leave(ann, MONDAY, MONDAY + timedelta(days=5))
    make_leave(ann, MONDAY, MONDAY + timedelta(days=2))
    world(ann)
    assert refused(MONDAY)[2] == "2026-03-07T00:00:00+00:00"


@pytest.mark.parametrize("reason", ["", "Lunch"])
def test_away_with_any_reason_is_away(reason):
    world("Ann")
    availability.set_away(Rep.objects.get(name="Ann"), reason=reason, actor=None)
    assert refused(None)[:2] == ("away", reason or "away")


def test_a_rep_whose_login_is_off_is_never_chosen():
    ann = make_rep("Ann")
    world(ann)
    ann.user.is_active = False
    ann.user.save()
    assert refused(None)[:2] == ("inactive", "not active")


# --- Caps ---


def give(count, start, step):
    return [services.assign_lead(make_lead().pk, now=start + step * number).outcome for number in range(count)]


def test_a_rolling_cap_counts_the_time_just_past():
    world(make_rep("Ann", cap_per_hour=3, cap_window="rolling"))
    half_past = MONDAY + timedelta(minutes=30)
    assert give(4, half_past, timedelta(minutes=10)) == ["assigned"] * 3 + ["all_at_capacity"]
    code, why, until = refused(half_past + timedelta(minutes=59))
    assert (code, why) == ("at_cap", "at 3 of 3 in 60 minutes until 2026-03-02 01:30 UTC")
    assert until == (half_past + timedelta(hours=1)).isoformat()
    for minutes, given in ((59, 3), (60, 4), (69, 4), (70, 5)):
        services.sweep_holds(now=half_past + timedelta(minutes=minutes))
        assert len(owners()) == given


def test_a_fixed_cap_says_when_its_period_ends_on_the_reps_own_calendar():
    world(make_rep("Ann", cap_per_day=1, time_zone="America/Los_Angeles"))
    noon = MONDAY + timedelta(hours=20)
    assert give(2, noon, timedelta(minutes=1)) == ["assigned", "all_at_capacity"]
    assert refused(noon)[2] == "2026-03-03T08:00:00+00:00"
    services.sweep_holds(now=datetime(2026, 3, 3, 8, tzinfo=UTC))
    assert owners() == ["Ann", "Ann"]


def test_a_monthly_cap_gives_exactly_so_many_a_month():
    world(make_rep("Ann", cap_per_month=10))
    results = give(28, MONDAY, timedelta(days=1))
    assert results.count("assigned") == 10


@pytest.mark.parametrize("window", ["fixed", "rolling"])
def test_a_daily_cap_holds_when_leads_are_tried_each_minute(window):
    world(make_rep("Ann", cap_per_day=2, cap_window=window))
    assert give(60, MONDAY, timedelta(minutes=1)).count("assigned") == 2


@pytest.mark.parametrize("window", ["fixed", "rolling"])
def test_a_cap_is_one_over_all_pools_also_in_a_batch(window):
    ann = make_rep("Ann", cap_per_day=2, cap_window=window)
    world(ann)
    leads = [make_lead(email=f"p{n}@x.example") for n in range(5)]
    result = services.assign_leads([lead.pk for lead in leads], now=MONDAY)
    assert result.assigned == 2
    assert owners() == ["Ann", "Ann"]


def test_who_is_at_a_cap_keeps_the_turn():
    """Scenario 42: no credit moves while somebody is skipped."""
    pool = world(make_rep("Ann", cap_per_hour=1, cap_window="rolling"), "Ben")
    give(1, MONDAY, timedelta(0))
    before = credits(pool)
    give(3, MONDAY + timedelta(minutes=1), timedelta(minutes=1))
    assert (owners(), credits(pool)) == (["Ann", "Ben", "Ben", "Ben"], before)


def test_leads_that_came_with_an_owner_do_not_count_for_a_rolling_cap():
    ann = make_rep("Ann", cap_per_day=1, cap_window="rolling")
    world(ann)
    make_lead(owner=ann.user, routing_state="assigned", created_at=MONDAY)
    assert takes(MONDAY + timedelta(minutes=1))
