"""A pool whose people are asleep when its leads come in is told about, and only then."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from distribution.hours import load_timetable
from distribution.models import Decision, Pool, PoolMember, Rep, RuleSet, WorkingHours, WorkShift
from distribution.openhours import pool_hours_warnings
from distribution.rulechecks import check_rule_set
from pipeline.models import Lead
from tests.distribution.setups import make_pool, make_rep
from tests.distribution.world import make_lead, world

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


def office(start: int = 9, end: int = 17, **more: Any) -> WorkingHours:
    hours = WorkingHours.objects.create(**{"name": f"From {start}", "time_zone": "UTC", **more})
    for weekday in range(1, 6):
        WorkShift.objects.create(hours=hours, weekday=weekday, start=time(start), end=time(end))
    return hours


def came_in(pool: Pool, *hours_ago: int) -> None:
    for number in hours_ago:
        moment = NOW - timedelta(hours=number)
        lead = make_lead(email=f"lead{number}@people.example")
        Lead.objects.filter(pk=lead.pk).update(created_at=moment)
        Decision.objects.create(lead=lead, pool=pool, at=moment, outcome="assigned", trigger="created", duration_us=1)


def warning(pool: Pool) -> str:
    return pool_hours_warnings([pool], NOW, load_timetable()).get(pool.pk, "")


def test_leads_that_never_come_in_working_time():
    pool = make_pool("Sales", "Ada")
    Rep.objects.update(hours=office())
    came_in(pool, 14, 15, 38)  # 22:00, 21:00 and 22:00 the evening before
    assert warning(pool) == (
        "Nobody in pool “Sales” works when its leads come in: of 3 within 30 days, none came in working time. "
        "Most came at 21:00, 22:00 UTC; people work 09:00–17:00 UTC."
    )


def test_one_lead_in_working_time_is_enough():
    pool = make_pool("Sales", "Ada")
    Rep.objects.update(hours=office())
    came_in(pool, 14, 15, 3)
    assert warning(pool) == ""


def test_leads_of_long_ago_do_not_count():
    pool = make_pool("Sales", "Ada")
    Rep.objects.update(hours=office())
    came_in(pool, 14 + 24 * 40)
    assert warning(pool) == ""


def test_one_who_works_at_night_or_always_is_enough():
    pool = make_pool("Sales", "Ada", "Bo")
    Rep.objects.filter(name="Ada").update(hours=office())
    came_in(pool, 14)
    assert warning(pool) == ""  # Bo has no hours, so is always there
    Rep.objects.filter(name="Bo").update(hours=office(20, 23))
    assert warning(pool) == ""
    PoolMember.objects.filter(rep__name="Bo").update(paused=True)
    assert "Nobody in pool" in warning(pool)


def test_a_pool_in_which_nobody_works_at_all():
    pool = make_pool("Sales", "Ada")
    Rep.objects.update(hours=WorkingHours.objects.create(name="Never"))
    assert warning(pool) == "Nobody in pool “Sales” works in the coming week: see to their working hours."


def test_the_checks_of_rules_tell_it_once_as_a_warning():
    world(make_rep("Ada", hours=WorkingHours.objects.create(name="Never")))
    found = [problem for problem in check_rule_set(RuleSet.objects.get()) if "works in the coming week" in str(problem)]
    assert [(problem.severity, problem.rule) for problem in found] == [("warning", None)]


def test_many_pools_cost_no_more_than_one(django_assert_num_queries: Any):
    hours = office()
    pools = [make_pool(f"Pool {number}", make_rep(f"Rep {number}", hours=hours)) for number in range(5)]
    timetable = load_timetable()
    for few in (pools[:1], pools):
        with django_assert_num_queries(2):
            pool_hours_warnings(few, NOW, timetable)
