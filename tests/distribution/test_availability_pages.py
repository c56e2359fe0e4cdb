"""The pages on which reps and their managers say who is there."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from distribution import services
from distribution.models import AwayReason, Leave, LeaveCalendar, PoolMember, Rep
from distribution.services.availability import cancel_leave, set_away
from leadcrm.lib import access
from tests.distribution.calendars import make_hours, make_leave
from tests.distribution.promises import make_policy
from tests.distribution.setups import make_pool, make_rep
from tests.distribution.world import make_lead, stages, world
from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)  # a Monday
DAYS = {"first_day": "2026-03-09", "last_day": "2026-03-13"}


@pytest.fixture(autouse=True)
def _monday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def rep(people):
    rep = Rep.objects.get(user=people.owner)
    Rep.objects.filter(pk=rep.pk).update(time_zone="Europe/Berlin")
    return Rep.objects.get(pk=rep.pk)


def page(user, path="/my/availability/"):
    response = signed_in(user).get(path)
    assert response.status_code == 200
    return response.content.decode()


def send(user, rep, act, **fields):
    return signed_in(user).post(f"/availability/{rep.pk}/{act}/", fields)


def fresh(rep):
    return Rep.objects.get(pk=rep.pk)


# --- Status -------------------------------------------------------------------------------------


def test_one_tap_sets_a_rep_away_for_as_long_as_the_reason_usually_takes_and_one_brings_back(people, rep):
    AwayReason.objects.create(name="Lunch", minutes=45)
    assert 'name="reason" value="Lunch"' in page(people.owner)
    assert send(people.owner, rep, "status", reason="Lunch").headers["Location"] == "/my/availability/"
    assert (fresh(rep).status, fresh(rep).away_until) == ("away", NOW + timedelta(minutes=45))
    shown = page(people.owner)
    assert "Away: Lunch until 10:45" in shown
    assert "I am back" in shown
    send(people.owner, rep, "status", status="available")
    assert fresh(rep).status == "available"


def test_own_words_and_an_end_in_the_time_of_the_reader(people, rep):
    client = signed_in(people.owner)
    client.cookies["time_zone"] = "Europe/Berlin"
    client.post(f"/availability/{rep.pk}/status/", {"reason": "dentist", "until": "2026-03-02T15:00"})
    assert (fresh(rep).away_reason, fresh(rep).away_until) == ("dentist", NOW.replace(hour=14))


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"until": "2026-03-02T09:00"}, "until", "This moment has passed"),
        ({"until": "tomorrow"}, "until", "Enter a valid date/time"),
        ({"reason": "x" * 101}, "reason", "at most 100 characters"),
    ],
)
def test_a_status_that_cannot_be_is_said_at_its_field_and_changes_nothing(people, rep, fields, field, words):
    response = send(people.owner, rep, "status", **fields)
    assert response.status_code == 422
    assert words in str(response.context["forms"]["away"].errors[field])
    assert fresh(rep).status == "available"


def test_the_head_of_every_page_says_how_i_am_and_leads_to_my_availability(people, rep):
    set_away(rep, reason="dentist", actor=None)
    stages()
    shown = page(people.owner, "/board/")
    assert 'href="/my/availability/"' in shown
    assert 'title="Away: dentist"' in shown


def test_who_cannot_own_leads_has_no_status_and_is_told_why(people):
    shown = page(people.manager)
    assert "You have no rep profile" in shown
    assert "Your status" not in shown


# --- Hours --------------------------------------------------------------------------------------


def test_who_has_no_working_hours_is_always_there(people, rep):
    assert "You have no working hours: you are always there." in page(people.owner)


def test_the_hours_of_the_week_are_told_in_the_zone_of_the_rep_with_leave(people, rep):
    make_hours("Office", is_default=True, time_zone="UTC", holiday_country="")
    make_leave(rep, NOW + timedelta(days=1), NOW + timedelta(days=1, hours=2))
    shown = page(people.owner)
    assert "by the clock in Europe/Berlin" in shown
    assert "10:00–19:00" in shown
    assert "10:00–11:00, 13:00–19:00" in strip_tags(shown)
    assert "On leave" in shown


def test_outside_working_hours_the_status_says_until_when(people, rep):
    make_hours("Late", start="18:00", end="22:00", is_default=True, time_zone="UTC")
    shown = page(people.owner)
    assert "Outside working hours until 18:00" in shown
    assert '<bdi class="words">Off until 18:00</bdi>' in shown


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("on leave", "On leave until 12:00"),
        ("On Leave", "On leave until 12:00"),
        ("on annual leave", "On leave: annual leave until 12:00"),
        ("Rome", "On leave: Rome until 12:00"),
    ],
)
def test_leave_is_told_once_with_its_reason(people, rep, reason, words):
    make_leave(rep, NOW - timedelta(hours=1), NOW + timedelta(hours=2), reason=reason)
    assert words in strip_tags(page(people.owner))


# --- Leave --------------------------------------------------------------------------------------


def test_whole_days_of_leave_are_by_the_clock_of_the_rep(people, rep):
    cover = Rep.objects.get(user=people.teammate)
    send(people.owner, rep, "leave", **DAYS, reason="holiday", cover=cover.pk, lend_leads="on")
    leave = Leave.objects.get()
    assert (leave.starts_at, leave.ends_at) == (
        datetime(2026, 3, 8, 23, tzinfo=UTC),
        datetime(2026, 3, 13, 23, tzinfo=UTC),
    )
    assert (leave.whole_days, leave.cover, leave.lend_leads, leave.created_by) == (True, cover, True, people.owner)
    assert "Mon 9 Mar 2026 to Fri 13 Mar 2026" in page(people.owner)


def test_hours_of_leave_are_changed_and_cancelled(people, rep):
    send(people.owner, rep, "leave", first_day="2026-03-09", from_time="14:00", to_time="16:00")
    leave = Leave.objects.get()
    assert not leave.whole_days
    shown = page(people.owner, f"/availability/{rep.pk}/leave/{leave.pk}/")
    assert 'value="14:00"' in shown
    send(people.owner, rep, f"leave/{leave.pk}", first_day="2026-03-09", from_time="14:00", to_time="17:30")
    assert "Mon 9 Mar 2026, 14:00 to 17:30" in page(people.owner)
    send(people.owner, rep, f"leave/{leave.pk}/cancel")
    leave.refresh_from_db()
    assert leave.cancelled_at == NOW


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"first_day": ""}, "first_day", "Give the first day."),
        ({"last_day": "2026-03-01"}, "last_day", "first day or a later one"),
        ({"first_day": "2026-02-01", "last_day": "2026-02-03"}, "last_day", "would be over already"),
        (
            {"first_day": "2026-03-09", "last_day": "", "from_time": "16:00", "to_time": "14:00"},
            "to_time",
            "ends before",
        ),
        ({"first_day": "9999-12-31", "last_day": "9999-12-31"}, "first_day", "of this century"),
        ({"lend_leads": "on"}, "cover", "who has the open leads"),
        ({"first_day": "2026-03-20", "last_day": "2026-03-21"}, "first_day", "There is leave already: "),
        ({"cover": "999999"}, "cover", "not one of the available choices"),
    ],
)
def test_leave_that_cannot_be_is_said_at_its_field_and_changes_nothing(people, rep, fields, field, words):
    make_leave(rep, datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 3, 22, tzinfo=UTC))
    response = send(people.owner, rep, "leave", **{**DAYS, **fields})
    assert response.status_code == 422
    assert words in str(response.context["forms"]["leave"].errors[field])
    assert Leave.objects.count() == 1


def test_leave_that_is_over_or_cancelled_is_not_changed(people, rep):
    leave = make_leave(rep, NOW + timedelta(days=7), NOW + timedelta(days=8))
    cancel_leave(leave, actor=None)
    response = signed_in(people.owner).post(f"/availability/{rep.pk}/leave/{leave.pk}/", DAYS, follow=True)
    assert "This leave was cancelled" in response.content.decode()


def test_a_stranger_does_not_stand_in(people, rep):
    stranger = Rep.objects.get(user=people.stranger)
    response = send(people.owner, rep, "leave", **DAYS, cover=stranger.pk)
    assert response.status_code == 422
    assert "Stranger Person" not in page(people.owner)


# --- Calendar -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["", "calendar", "http://calendar.example/a.ics", "https://me:pw@calendar.example/a.ics"]
)
def test_an_address_that_cannot_be_is_refused(people, rep, url):
    response = send(people.owner, rep, "calendar", url=url)
    assert response.status_code == 422
    assert response.context["forms"]["calendar"].errors["url"]
    assert not LeaveCalendar.objects.exists()


# --- Managers and strangers ----------------------------------------------------------------------


def test_a_manager_sees_who_is_here_with_load_and_running_promises(people, rep):
    make_policy(accept_minutes=10)
    world(rep)
    services.assign_lead(make_lead(last_name="One").pk)
    set_away(Rep.objects.get(user=people.teammate), reason="lunch", actor=None)
    lines = {line.name: line for line in signed_in(people.manager).get("/team/availability/").context["team"].lines}
    assert set(lines) == {"Owner Person", "Teammate Person"}
    assert (lines["Owner Person"].state.words, lines["Owner Person"].load) == ("Available", "1")
    assert lines["Owner Person"].clocks == 1
    assert lines["Teammate Person"].state.words == "Away: lunch"


def test_a_manager_sets_somebody_away_and_plans_leave_for_them(people, rep):
    send(people.manager, rep, "status", reason="ill")
    assert send(people.manager, rep, "leave", **DAYS).headers["Location"] == f"/availability/{rep.pk}/"
    assert fresh(rep).away_reason == "ill"
    assert Leave.objects.get().created_by == people.manager
    assert rep.history.latest().history_user == people.manager
    assert "Owner Person" in page(people.manager, f"/availability/{rep.pk}/")


def test_who_is_trusted_with_a_pool_looks_after_its_people_and_no_others(people, rep):
    pool = make_pool("DACH", rep)
    trusted = Group.objects.create(name="Leads of pools")
    trusted.user_set.add(people.stranger)
    access.grant(trusted, "look_after_pool", pool)
    team = signed_in(people.stranger).get("/team/availability/").context["team"]
    assert {line.name for line in team.lines} == {"Stranger Person", rep.name}
    send(people.stranger, rep, "status", reason="ill")
    rep.refresh_from_db()
    assert rep.status == "away"
    PoolMember.objects.update(retired_at=timezone.now())
    assert signed_in(people.stranger).get(f"/availability/{rep.pk}/").status_code == 404


def test_an_admin_manages_everybody(people, rep, admin_user):
    lines = signed_in(admin_user).get("/team/availability/").context["team"].lines
    assert len(lines) == 3
    assert send(admin_user, rep, "status", reason="ill").status_code == 302


def test_strangers_and_teammates_find_no_such_pages(people, rep):
    leave = make_leave(rep, NOW + timedelta(days=7), NOW + timedelta(days=8))
    for user in (people.stranger, people.teammate):
        client = signed_in(user)
        assert client.get("/team/availability/").status_code == 404
        assert client.get(f"/availability/{rep.pk}/").status_code == 404
        for act in ("status", "leave", "calendar", f"leave/{leave.pk}", f"leave/{leave.pk}/cancel"):
            assert send(user, rep, act, reason="x", **DAYS).status_code == 404
    assert fresh(rep).status == "available"
    own = Rep.objects.get(user=people.teammate)
    assert send(people.teammate, own, f"leave/{leave.pk}/cancel").status_code == 404


def test_the_team_costs_as_many_queries_with_forty_people_as_with_two(people, rep):
    make_hours("Office", is_default=True, time_zone="UTC")
    client = signed_in(people.manager)
    client.get("/team/availability/")
    counts = []
    for more in (0, 38):
        for number in range(more):
            people.team.members.add(make_rep(f"Rep {number}", cap_per_day=3).user)
        with CaptureQueriesContext(connection) as queries:
            client.get("/team/availability/")
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_visitor_signs_in_first(people, rep):
    for path in ("/my/availability/", "/team/availability/", f"/availability/{rep.pk}/"):
        assert Client().get(path).headers["Location"] == f"/login/?next={path}"
