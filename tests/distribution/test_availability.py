"""What reps and managers say about who is there."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from distribution.errors import WrongState, WrongValue
from distribution.models import AwayReason, Leave, PoolMember, PoolWake, Rep
from distribution.selectors import manageable_reps, may_manage
from distribution.services import availability
from tests.distribution.setups import make_pool, make_rep, make_user
from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def woken():
    return set(PoolWake.objects.values_list("pool__name", flat=True))


def test_setting_oneself_away_says_why_until_when_and_by_whom():
    ann = make_rep("Ann")
    availability.set_away(ann, reason="  Lunch ", until=NOW + DAY, actor=ann.user, now=NOW)
    ann.refresh_from_db()
    assert (ann.status, ann.away_reason, ann.away_until) == ("away", "Lunch", NOW + DAY)
    assert ann.history.first().history_user == ann.user


def test_a_usual_reason_brings_its_own_end():
    ann = make_rep("Ann")
    AwayReason.objects.create(name="Lunch", minutes=45)
    availability.set_away(ann, reason="lunch", actor=None, now=NOW)
    assert Rep.objects.get().away_until == NOW + timedelta(minutes=45)


@pytest.mark.parametrize(("terms", "field"), [({"until": NOW}, "until"), ({"reason": "x" * 101}, "reason")])
def test_a_wrong_value_is_named_and_changes_nothing(terms, field):
    ann = make_rep("Ann")
    with pytest.raises(WrongValue) as caught:
        availability.set_away(ann, **terms, actor=None, now=NOW)
    assert caught.value.field == field
    assert Rep.objects.get().status == "available"


def test_doing_it_twice_leaves_one_line_of_history():
    ann = make_rep("Ann")
    before = ann.history.count()
    for _ in range(2):
        availability.set_away(ann, reason="Lunch", actor=None, now=NOW)
    assert ann.history.count() == before + 1


def test_coming_back_wakes_every_pool_of_the_rep():
    ann = make_rep("Ann", status="away")
    make_pool("North", ann)
    make_pool("South", ann)
    make_pool("East", "Ben")
    PoolWake.objects.all().delete()
    availability.set_available(ann, actor=None)
    assert woken() == {"North", "South"}


def test_a_pause_in_one_pool_is_ended_with_a_wake_of_that_pool():
    ann = make_rep("Ann")
    make_pool("North", ann)
    make_pool("South", ann)
    member = PoolMember.objects.get(pool__name="North")
    availability.pause_member(member, actor=ann.user)
    PoolWake.objects.all().delete()
    availability.resume_member(member, actor=ann.user)
    assert woken() == {"North"}
    assert [row.paused for row in member.history.all()] == [False, True, False]


# --- Leave ---


def plan(rep, start=NOW + DAY, end=NOW + 3 * DAY, **more):
    return availability.plan_leave(rep, starts_at=start, ends_at=end, actor=rep.user, now=NOW, **more)


def test_leave_is_planned_with_who_stands_in():
    ann, ben = make_rep("Ann"), make_rep("Ben")
    leave = plan(ann, reason="Holiday", cover=ben, lend_leads=True, whole_days=True)
    stored = Leave.objects.get()
    assert (stored, stored.cover, stored.lend_leads, stored.created_by) == (leave, ben, True, ann.user)
    assert stored.history.get().history_user == ann.user


WRONG = [
    ({"end": NOW + DAY}, "ends_at"),
    ({"start": NOW - 2 * DAY, "end": NOW}, "ends_at"),
    ({"lend_leads": True}, "cover"),
    ({"cover": "Ann"}, "cover"),
    ({"cover": "Gone"}, "cover"),
    ({"reason": "x" * 101}, "reason"),
]


@pytest.mark.parametrize(("terms", "field"), WRONG)
def test_leave_that_cannot_be_is_refused_with_the_field(terms, field):
    people = {"Ann": make_rep("Ann"), "Gone": make_rep("Gone", active=False)}
    if "cover" in terms:
        terms = {**terms, "cover": people[terms["cover"]]}
    with pytest.raises(WrongValue) as caught:
        plan(people["Ann"], **terms)
    assert caught.value.field == field
    assert not Leave.objects.exists()


def test_leave_does_not_overlap_other_leave_unless_it_comes_from_a_calendar():
    ann = make_rep("Ann")
    plan(ann)
    with pytest.raises(WrongValue, match="already"):
        plan(ann, start=NOW + 2 * DAY, end=NOW + 4 * DAY)
    plan(ann, start=NOW + 3 * DAY, end=NOW + 4 * DAY)
    plan(ann, start=NOW + 2 * DAY, end=NOW + 4 * DAY, calendar_uid="entry-1")
    assert Leave.objects.count() == 3


@pytest.mark.parametrize(
    ("whole_days", "words"),
    [
        (True, r"There is leave already: Thu 10 Dec 2026 to Sat 12 Dec 2026\."),
        (False, r"Thu 10 Dec 2026, 00:00 to Sun 13 Dec 2026, 00:00\."),
    ],
)
def test_leave_that_is_in_the_way_is_told_by_the_clock_of_the_rep(whole_days, words):
    ann = make_rep("Ann", time_zone="Europe/Berlin")
    terms = {"starts_at": datetime(2026, 12, 9, 23, tzinfo=UTC), "ends_at": datetime(2026, 12, 12, 23, tzinfo=UTC)}
    availability.plan_leave(ann, actor=None, now=NOW, whole_days=whole_days, **terms)
    with pytest.raises(WrongValue, match=words):
        availability.plan_leave(ann, actor=None, now=NOW, **terms)


def test_leave_may_be_changed_until_it_is_over():
    ann = make_rep("Ann")
    make_pool("North", ann)
    leave = plan(ann)
    PoolWake.objects.all().delete()
    availability.change_leave(leave, ends_at=NOW + 2 * DAY, actor=ann.user, now=NOW)
    assert (Leave.objects.get().ends_at, woken()) == (NOW + 2 * DAY, {"North"})
    with pytest.raises(WrongValue, match="begun"):
        availability.change_leave(leave, starts_at=NOW + 1.9 * DAY, actor=None, now=NOW + 1.5 * DAY)
    with pytest.raises(WrongState):
        availability.change_leave(leave, reason="x", actor=None, now=NOW + 2 * DAY)


def test_cancelling_leave_wakes_the_pools_and_happens_once():
    ann = make_rep("Ann")
    make_pool("North", ann)
    leave = plan(ann)
    PoolWake.objects.all().delete()
    for hours in (1, 2):
        availability.cancel_leave(leave, actor=ann.user, now=NOW + timedelta(hours=hours))
    assert Leave.objects.get().cancelled_at == NOW + timedelta(hours=1)
    assert woken() == {"North"}


def test_leave_that_is_over_is_not_cancelled():
    ann = make_rep("Ann")
    leave = plan(ann)
    with pytest.raises(WrongState):
        availability.cancel_leave(leave, actor=None, now=NOW + 3 * DAY)


# --- Who may ---


def test_people_manage_themselves_managers_their_team_and_admins_everybody():
    people = make_people()
    admin = make_user("admin")
    admin.user_permissions.add(Permission.objects.get(codename="change_rep"))
    reps = {rep.user: rep for rep in Rep.objects.select_related("user")}
    may = {
        user.username: {rep.name.split()[0] for rep in reps.values() if may_manage(user, rep)}
        for user in (people.owner, people.stranger, people.manager, admin)
    }
    assert may == {
        "owner": {"Owner"},
        "stranger": {"Stranger"},
        "manager": {"Owner", "Teammate"},
        "admin": {"Owner", "Teammate", "Stranger"},
    }
    for user in (people.owner, people.stranger, people.manager, admin):
        assert {rep.name.split()[0] for rep in manageable_reps(user)} == may[user.username]


def test_a_user_who_is_switched_off_manages_nobody():
    ann = make_rep("Ann")
    ann.user.is_active = False
    assert not may_manage(ann.user, ann)


# --- Last seen ---


def test_being_seen_is_noted_once_a_minute():
    ann = make_rep("Ann")
    for seconds, noted in ((0, 0), (59, 0), (60, 60)):
        availability.note_seen(ann.user, NOW + timedelta(seconds=seconds))
        assert Rep.objects.get().last_seen_at == NOW + timedelta(seconds=noted)


@pytest.mark.parametrize(("seconds", "more"), [(59, 0), (61, 1)])
def test_a_page_asks_one_query_more_once_a_minute(monkeypatch, seconds, more):
    monkeypatch.setattr("distribution.middleware.SEEN_EVERY", availability.SEEN_EVERY)
    assert queries_after(seconds) == more


def test_in_tests_pages_cost_the_same_however_long_they_take():
    assert queries_after(61) == 0


def queries_after(seconds):
    """How many queries more than the second time a page costs so much later."""
    with time_machine.travel(NOW, tick=False) as clock:
        client = signed_in(make_rep("Ann").user)
        client.get("/my/availability/")
        with CaptureQueriesContext(connection) as before:
            client.get("/my/availability/")
        clock.shift(seconds)
        with CaptureQueriesContext(connection) as later:
            client.get("/my/availability/")
    return len(later) - len(before)


def test_a_signed_in_rep_who_opens_a_page_is_seen():
    ann = make_rep("Ann")
    with time_machine.travel(NOW, tick=False):
        signed_in(ann.user).get(reverse("board"))
    assert Rep.objects.get().last_seen_at == NOW
