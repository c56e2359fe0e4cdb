"""Leave in the admin: days by the rep's clock, who stands in, the team's weeks, and plans from calendars."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from django.urls import reverse

from distribution.admin.reps import RepAdmin
from distribution.admin.repstate import state_of
from distribution.hours import load_timetable
from distribution.leavecalendars import NOT_NOW, keep_preview, read_one
from distribution.leavetimeline import team_timeline
from distribution.models import AwayReason, Leave, LeaveCalendar, Rep, WorkingHours, WorkShift
from pipeline.models import Team
from tests.distribution.setups import make_rep
from tests.distribution.test_icsfile import calendar_of
from tests.support.deadbroker import dead_broker
from tests.support.web import serve

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ADD = "/admin/distribution/leave/add/"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def frozen() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


@pytest.fixture
def ada(db: None) -> Rep:
    return make_rep("Ada", time_zone="Europe/Berlin")


def form(rep: Rep, **fields: Any) -> dict[str, Any]:
    return {"rep": rep.pk, "first_day": "2026-03-28", "last_day": "2026-03-30", **fields}


def make_leave(rep: Rep, first: date, days: int = 1, **more: Any) -> Leave:
    start = datetime.combine(first, time(), UTC)
    return Leave.objects.create(rep=rep, starts_at=start, ends_at=start + timedelta(days=days), **more)


# --- The form ---


def test_days_are_those_of_the_rep_over_a_change_of_clocks(boss: Client, ada: Rep):
    assert boss.post(ADD, form(ada)).status_code == 302
    leave = Leave.objects.get()
    assert (f"{leave.starts_at:%m-%d %H}", f"{leave.ends_at:%m-%d %H}") == ("03-27 23", "03-30 22")
    assert (leave.whole_days, leave.created_by.username) == (True, "boss")


def test_hours_of_a_day(boss: Client, ada: Rep):
    boss.post(ADD, form(ada, last_day="", from_time="12:00", to_time="18:00"))
    leave = Leave.objects.get()
    assert (f"{leave.starts_at:%d %H}", f"{leave.ends_at:%d %H}", leave.whole_days) == ("28 11", "28 17", False)


def test_saving_what_is_there_changes_nothing(boss: Client, ada: Rep):
    boss.post(ADD, form(ada))
    before = Leave.objects.values("starts_at", "ends_at", "whole_days").get()
    url = reverse("admin:distribution_leave_change", args=[Leave.objects.get().pk])
    shown = boss.get(url).context["adminform"].form
    sent = {name: shown[name].value() or "" for name in shown.fields}
    assert boss.post(url, {**sent, "reason": "holidays"}).status_code == 302
    assert Leave.objects.values("starts_at", "ends_at", "whole_days").get() == before


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"last_day": "2026-03-27"}, "last_day", "the first day or a later one"),
        ({"last_day": "", "from_time": "12:00", "to_time": "11:00"}, "to_time", "ends before it begins"),
        ({"first_day": "2026-02-01", "last_day": "2026-02-02"}, "last_day", "over already"),
        ({"first_day": "", "last_day": ""}, "first_day", "required"),
        ({"first_day": "9999-12-31", "last_day": "9999-12-31"}, "first_day", "this century"),
        ({"lend_leads": "on"}, "cover", "Choose who has the open leads"),
        ({"cover": "self"}, "cover", "stand in for themselves"),
        ({"cover": "gone"}, "cover", "is not active"),
    ],
)
def test_what_is_wrong_with_leave_stands_on_its_field(
    boss: Client, ada: Rep, fields: dict[str, str], field: str, words: str
):
    people = {"self": ada.pk, "gone": make_rep("Gone", active=False).pk}
    if fields.get("cover") in people:
        fields = {**fields, "cover": str(people[fields["cover"]])}
    response = boss.post(ADD, form(ada, **fields))
    assert response.status_code == 200, "it was saved"
    assert words in response.context["adminform"].form.errors[field][0]
    assert not Leave.objects.exists()


def test_leave_that_meets_other_leave_is_refused_as_on_the_pages(boss: Client, ada: Rep):
    make_leave(ada, date(2026, 3, 30))
    response = boss.post(ADD, form(ada))
    assert "Change that, or choose other dates." in response.context["adminform"].form.errors["first_day"][0]
    assert Leave.objects.count() == 1


def test_leave_that_meets_a_calendars_or_whose_cover_is_absent_is_saved_with_a_warning(boss: Client, ada: Rep):
    bo = make_rep("Bo")
    make_leave(bo, date(2026, 3, 29))
    make_leave(ada, date(2026, 3, 30), origin="calendar", calendar_uid="x")
    said = [str(message) for message in boss.post(ADD, form(ada, cover=bo.pk), follow=True).context["messages"]]
    assert any("Ada is on leave" in words for words in said)
    assert any("Bo stands in, but is on leave Sun 29 Mar 2026" in words for words in said)


def test_leave_from_a_calendar_keeps_its_days_and_takes_a_cover(boss: Client, ada: Rep):
    leave, bo = make_leave(ada, date(2026, 4, 1), origin="calendar", calendar_uid="x"), make_rep("Bo")
    url = reverse("admin:distribution_leave_change", args=[leave.pk])
    assert boss.post(url, {"first_day": "2026-05-01", "cover": bo.pk}).status_code == 302
    leave.refresh_from_db()
    assert (leave.cover, leave.starts_at.month) == (bo, 4)


def test_leave_is_cancelled_with_a_history_row_and_what_is_over_stays(boss: Client, ada: Rep):
    ahead, over = make_leave(ada, date(2026, 4, 1)), make_leave(ada, date(2026, 1, 1))
    wish = {"action": "cancel", "_selected_action": [ahead.pk, over.pk]}
    boss.post(reverse("admin:distribution_leave_changelist"), wish)
    assert list(Leave.objects.order_by("starts_at").values_list("cancelled_at", flat=True)) == [None, NOW]
    assert ahead.history.count() == 2


@pytest.mark.parametrize(("state", "count"), [("ahead", 1), ("now", 1), ("over", 1), ("cancelled", 1), ("", 4)])
def test_leave_is_filtered_by_its_state(boss: Client, ada: Rep, state: str, count: int):
    for day, more in ((1, {}), (2, {}), (3, {}), (3, {"cancelled_at": NOW})):
        make_leave(ada, date(2026, 3, day), **more)
    listed = boss.get(reverse("admin:distribution_leave_changelist"), {"state": state} if state else {})
    assert len(listed.context["cl"].result_list) == count


# --- Reps ---


def test_a_rep_on_leave_or_outside_hours_says_until_when(ada: Rep):
    hours = WorkingHours.objects.create(name="Late", is_default=True)
    WorkShift.objects.create(hours=hours, weekday=1, start=time(13), end=time(18))

    def state() -> str:
        rep = RepAdmin(Rep, admin.site).get_queryset(RequestFactory().get("/")).get(pk=ada.pk)
        return state_of(rep, NOW, load_timetable())[1]

    assert state() == "opens Mon 13:00"
    make_leave(ada, date(2026, 3, 2), 2)
    assert state() == "on leave until 4 Mar 2026, 01:00 CET"


def test_the_page_of_a_rep_says_whose_hours_hold_and_draws_the_week_with_leave(boss: Client, ada: Rep):
    url = reverse("admin:distribution_rep_change", args=[ada.pk])
    assert "Always there" in boss.get(url).content.decode()
    hours = WorkingHours.objects.create(name="Office", is_default=True)
    WorkShift.objects.create(hours=hours, weekday=3, start=time(9), end=time(18))
    make_leave(ada, date(2026, 3, 4))
    page = boss.get(url)
    assert "Office (the default)" in page.content.decode()
    wednesday = page.context["weeks"][0].lines[2]
    assert (wednesday.blocks, wednesday.notes, wednesday.away[0].words) == ((), ("On leave",), "01:00–24:00")


def test_a_usual_reason_brings_its_own_end(boss: Client, ada: Rep):
    lunch = AwayReason.objects.create(name="Lunch", minutes=45)
    wish = {"action": "set_away", "_selected_action": [ada.pk], "confirmed": 1, "usual": lunch.pk}
    boss.post(reverse("admin:distribution_rep_changelist"), wish)
    ada.refresh_from_db()
    assert (ada.status, ada.away_reason, ada.away_until) == ("away", "Lunch", NOW + timedelta(minutes=45))


def test_reps_on_leave_are_found(boss: Client, ada: Rep):
    make_leave(make_rep("Bo"), date(2026, 3, 2))
    found = boss.get(reverse("admin:distribution_rep_changelist"), {"state": "leave"}).context["cl"].result_list
    assert [rep.name for rep in found] == ["Bo"]


# --- The weeks of a team ---


def test_the_weeks_of_a_team_show_leave_cover_holidays_and_closed_days(boss: Client):
    hours = WorkingHours.objects.create(name="Office", is_default=True, holiday_country="DE")
    for weekday in range(1, 6):
        WorkShift.objects.create(hours=hours, weekday=weekday, start=time(9), end=time(18))
    ada, bo, team = make_rep("Ada"), make_rep("Bo"), Team.objects.create(name="Sales")
    team.members.add(ada.user, bo.user)
    make_leave(ada, date(2026, 3, 4), 2, cover=bo)
    Leave.objects.create(rep=ada, starts_at=NOW, ends_at=NOW + timedelta(hours=2))
    first, second = team_timeline(team, date(2026, 3, 2))
    assert "".join(cell.mark or "." for cell in first.cells[:7]) == "l.LL.––"
    assert "".join(cell.mark or "." for cell in second.cells[:7]) == "..CC.––"
    assert (first.cells[2].words, second.cells[2].words) == ("on leave, covered by Bo", "stands in for Ada")
    assert first.cells[32].words == "Good Friday"
    page = boss.get(reverse("admin:pipeline_team_leave", args=[team.pk]), {"week": "2026-03-02"})
    assert "on leave, covered by Bo" in page.content.decode()


def test_the_weeks_of_a_larger_team_cost_no_more(boss: Client, django_assert_max_num_queries: Any):
    team = Team.objects.create(name="Sales")
    for number in range(20):
        rep = make_rep(f"Rep {number}")
        team.members.add(rep.user)
        make_leave(rep, date(2026, 3, 3), 2)
    team_timeline(team, date(2026, 3, 2))
    with django_assert_max_num_queries(4):
        assert len(team_timeline(team, date(2026, 3, 2))) == 20


# --- From a calendar ---


def upload(client: Client, rep: Rep, content: bytes) -> Any:
    file = SimpleUploadedFile("leave.ics", content, "text/calendar")
    return client.post(reverse("admin:distribution_leave_import"), {"rep": rep.pk, "calendar": file})


def test_a_file_is_planned_first_and_taken_over_once(boss: Client, ada: Rep):
    content = calendar_of(
        "DTSTART;VALUE=DATE:20260403\nSUMMARY:Easter", "DTSTART:20260404T100000Z\nDTEND:20260404T110000Z\nSUMMARY:Call"
    )
    plan = upload(boss, ada, content)
    text = plan.content.decode()
    assert "3 Apr 2026: Easter" in text
    assert "Call, 4 Apr 2026: it is not a whole day" in text
    assert not Leave.objects.exists()
    confirm = {"ticket": plan.context["ticket"]}
    assert boss.post(reverse("admin:distribution_leave_import"), confirm).status_code == 302
    assert Leave.objects.get().origin == "file"
    boss.post(reverse("admin:distribution_leave_import"), confirm)
    assert "Nothing to do" in upload(boss, ada, content).content.decode()
    assert Leave.objects.count() == 1


def test_a_broken_file_is_refused_on_its_field(boss: Client, ada: Rep):
    response = upload(boss, ada, b"<html>")
    assert "a calendar begins with BEGIN:VCALENDAR" in response.context["form"].errors["calendar"][0]


@pytest.mark.parametrize("ticket", ["", "nonsense", "\0", "x" * 10_000])
def test_rubbish_for_a_ticket(boss: Client, ticket: str):
    assert boss.post(reverse("admin:distribution_leave_import"), {"ticket": ticket}).status_code == 302


def test_who_may_not_add_leave_may_not_take_it_over(client: Client, ada: Rep):
    client.force_login(User.objects.create_user("guest", is_staff=True))
    assert client.get(reverse("admin:distribution_leave_import")).status_code == 403
    calendar = LeaveCalendar.objects.create(rep=ada, url="https://calendar.example/x")
    assert client.get(reverse("admin:distribution_leavecalendar_plan", args=[calendar.pk])).status_code == 403


def test_a_calendar_on_the_web_is_planned_and_read(boss: Client, ada: Rep, settings: Any):
    settings.OUTGOING_LOCAL_HOSTS = ["127.0.0.1"]
    with serve() as web:
        web.pages["/ada.ics"] = (calendar_of("DTSTART;VALUE=DATE:20260403\nSUMMARY:Easter"), "")
        calendar = LeaveCalendar.objects.create(rep=ada, url=f"{web.url}/ada.ics")
        url = reverse("admin:distribution_leavecalendar_plan", args=[calendar.pk])
        waiting = boss.get(url)
        assert ("is being read" in waiting.content.decode(), waiting.headers["Refresh"]) == (True, "2")
        keep_preview(calendar.pk)
        planned = boss.get(url)
        assert "3 Apr 2026: Easter" in planned.content.decode()
        assert "Refresh" not in planned.headers
        assert not Leave.objects.exists()
        assert "is being read" in boss.post(url, follow=True).content.decode()
        read_one(calendar.pk)
        assert Leave.objects.get().origin == "calendar"
        assert "1 new, 0 changed, 0 gone" in boss.get("/admin/distribution/leavecalendar/").content.decode()


def test_a_plan_that_cannot_be_had_says_why(boss: Client, ada: Rep, settings: Any):
    settings.OUTGOING_LOCAL_HOSTS = ["127.0.0.1"]
    with serve() as web:
        calendar = LeaveCalendar.objects.create(rep=ada, url=f"{web.url}/ada.ics")
        keep_preview(calendar.pk)
    url = reverse("admin:distribution_leavecalendar_plan", args=[calendar.pk])
    assert "answered 404" in boss.get(url).content.decode()


def test_the_plan_of_another_address_is_not_shown(boss: Client, ada: Rep, settings: Any):
    settings.OUTGOING_LOCAL_HOSTS = ["127.0.0.1"]
    with serve() as web:
        calendar = LeaveCalendar.objects.create(rep=ada, url=f"{web.url}/ada.ics")
        keep_preview(calendar.pk)
    LeaveCalendar.objects.update(url="https://other.example/a.ics")
    url = reverse("admin:distribution_leavecalendar_plan", args=[calendar.pk])
    assert "is being read" in boss.get(url).content.decode()


def test_without_a_broker_the_admin_says_that_nothing_can_be_read_now(boss: Client, ada: Rep):
    calendar = LeaveCalendar.objects.create(rep=ada, url="https://calendar.example/a.ics")
    with dead_broker():
        waiting = boss.get(reverse("admin:distribution_leavecalendar_plan", args=[calendar.pk]))
        read = boss.post(
            "/admin/distribution/leavecalendar/",
            {"action": "read_now", ACTION_CHECKBOX_NAME: [calendar.pk]},
            follow=True,
        )
    assert "cannot be reached" in waiting.content.decode()
    assert NOT_NOW in read.content.decode()
    calendar.refresh_from_db()
    assert calendar.asked_at


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/a.ics", "must be asked by https"),
        ("https://me:secret@example.com/a", "user name or a password"),
        ("ftp://example.com/a", "no web address"),
        ("nonsense", "valid URL"),
    ],
)
def test_an_address_that_is_never_asked_is_refused_on_its_field(boss: Client, ada: Rep, url: str, words: str):
    response = boss.post("/admin/distribution/leavecalendar/add/", {"rep": ada.pk, "url": url})
    assert any(words in error for error in response.context["adminform"].form.errors["url"])


def test_a_webcal_address_is_an_https_one(boss: Client, ada: Rep):
    boss.post("/admin/distribution/leavecalendar/add/", {"rep": ada.pk, "url": "webcal://example.com/a.ics"})
    assert LeaveCalendar.objects.get().url == "https://example.com/a.ics"
