"""Leave that follows a calendar: planned first, safe to read again, never undone by a calendar that is out of order."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from distribution.leavecalendars import (
    Origin,
    apply_leave,
    fetch,
    plan_leave,
    read_calendar,
    read_calendars,
    read_leave,
    read_one,
)
from distribution.models import Leave, LeaveCalendar, Rep
from leadcrm.lib.text import Unreadable
from tests.distribution.setups import make_rep
from tests.distribution.test_icsfile import calendar_of
from tests.support.web import serve

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EASTER, SUMMER = "DTSTART;VALUE=DATE:20260403\nDTEND;VALUE=DATE:20260407", "DTSTART;VALUE=DATE:20260706\nDURATION:P5D"
AUTUMN = "UID:autumn\nDTSTART;VALUE=DATE:20261012"


@pytest.fixture
def ada(db: None) -> Rep:
    return make_rep("Ada", time_zone="Europe/Berlin")


@pytest.fixture
def web(settings: Any) -> Iterator[Any]:
    settings.OUTGOING_LOCAL_HOSTS = ["127.0.0.1"]
    with serve() as server:
        yield server


def take_in(rep: Rep, *entries: str, origin: Origin = Origin.FILE, now: datetime = NOW) -> Any:
    return apply_leave(rep, read_leave(calendar_of(*entries), rep, now), now, origin)


def spans(rep: Rep) -> list[tuple[str, str]]:
    holding = rep.leaves.filter(cancelled_at=None)
    return [(f"{row.starts_at:%m-%dT%H}", f"{row.ends_at:%m-%dT%H}") for row in holding]


def test_days_are_those_of_the_rep_on_both_sides_of_a_change_of_clocks(ada: Rep):
    take_in(ada, "DTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260331")
    assert spans(ada) == [("03-27T23", "03-30T22")]


def test_a_file_taken_in_twice_changes_nothing_the_second_time(ada: Rep):
    first, second = take_in(ada, EASTER, SUMMER), take_in(ada, EASTER, SUMMER)
    assert (len(first.new), len(second.new), second.same, second.has_work) == (2, 0, 2, False)
    assert Leave.objects.count() == 2
    assert Leave.history.count() == 2


def test_a_plan_writes_nothing(ada: Rep):
    plan = plan_leave(ada, read_leave(calendar_of(EASTER), ada, NOW), NOW, Origin.FILE)
    assert plan.has_work
    assert not Leave.objects.exists()


def test_an_entry_that_moved_moves_its_leave_and_keeps_the_rest(ada: Rep):
    take_in(ada, EASTER)
    Leave.objects.update(cover=make_rep("Bo"))
    plan = take_in(ada, "DTSTART;VALUE=DATE:20260410")
    assert (len(plan.new), len(plan.changed)) == (0, 1)
    leave = Leave.objects.get()
    assert (spans(ada), leave.cover.name) == ([("04-09T22", "04-10T22")], "Bo")


def test_what_is_past_stays_out(ada: Rep):
    assert not take_in(ada, "DTSTART;VALUE=DATE:20260301").has_work
    assert take_in(ada, "DTSTART;VALUE=DATE:20260301\nDURATION:P2D").has_work


def test_the_title_of_an_entry_is_not_stored(ada: Rep):
    take_in(ada, f"{EASTER}\nSUMMARY:Clinic")
    assert Leave.objects.get().reason == "on leave"


def test_what_left_a_calendar_on_the_web_is_cancelled_when_it_lies_ahead(ada: Rep):
    take_in(ada, EASTER, SUMMER, origin=Origin.CALENDAR)
    during_easter = datetime(2026, 4, 4, 12, tzinfo=UTC)
    plan = take_in(ada, AUTUMN, origin=Origin.CALENDAR, now=during_easter)
    assert [leave.starts_at.month for leave in plan.gone] == [7]
    assert [start[:2] for start, _ in spans(ada)] == ["04", "10"]


def test_an_entry_that_comes_back_is_leave_again(ada: Rep):
    for entries in ((EASTER, SUMMER), (EASTER,), (EASTER, SUMMER)):
        take_in(ada, *entries, origin=Origin.CALENDAR)
    assert len(spans(ada)) == 2


@pytest.mark.parametrize("made", [Origin.FILE, Origin.TYPED])
def test_a_calendar_on_the_web_cancels_only_what_it_made(ada: Rep, made: Origin):
    take_in(ada, SUMMER, origin=made)
    take_in(ada, AUTUMN, origin=Origin.CALENDAR)
    assert Leave.objects.filter(cancelled_at=None).exists()


def test_a_file_cancels_nothing(ada: Rep):
    take_in(ada, EASTER, SUMMER, origin=Origin.CALENDAR)
    assert not take_in(ada, EASTER).gone


def test_leave_that_was_cancelled_here_stays_cancelled(ada: Rep):
    take_in(ada, EASTER, origin=Origin.CALENDAR)
    Leave.objects.update(cancelled_at=NOW)
    plan = take_in(ada, EASTER, origin=Origin.CALENDAR)
    assert (len(plan.kept), plan.has_work) == (1, False)
    assert spans(ada) == []


def test_an_entry_that_cannot_be_read_has_not_left_the_calendar(ada: Rep):
    take_in(ada, "DTSTART;VALUE=DATE:20260601\nRRULE:FREQ=WEEKLY;COUNT=2", origin=Origin.CALENDAR)
    plan = take_in(ada, "DTSTART;VALUE=DATE:20260601\nRRULE:FREQ=OFTEN", origin=Origin.CALENDAR)
    assert plan.gone == ()
    assert len(spans(ada)) == 2


# --- Calendars on the web ------------------------------------------------------------------------------


def calendar_at(rep: Rep, url: str) -> LeaveCalendar:
    return LeaveCalendar.objects.create(rep=rep, url=url)


def test_a_calendar_on_the_web_is_read_every_hour(ada: Rep, web: Any):
    web.pages["/ada.ics"] = (calendar_of(EASTER), "")
    calendar_at(ada, f"{web.url}/ada.ics")
    assert read_calendars(NOW) == (1, 0)
    assert read_calendars(NOW + timedelta(minutes=30)) == (0, 0)
    web.pages["/ada.ics"] = (calendar_of(EASTER, SUMMER), "")
    assert read_calendars(NOW + timedelta(hours=1)) == (1, 0)
    assert len(spans(ada)) == 2


def test_what_has_not_changed_is_not_sent_again_on_the_same_day(ada: Rep, web: Any):
    web.pages["/ada.ics"] = (calendar_of(EASTER), '"1"')
    calendar = calendar_at(ada, f"{web.url}/ada.ics")
    for now in (NOW, NOW + timedelta(hours=1), NOW + timedelta(days=1)):
        assert read_one(calendar.pk, now)
    assert [headers.get("If-None-Match") for _, headers in web.seen] == [None, '"1"', None]
    calendar.refresh_from_db()
    assert (calendar.etag, calendar.error, len(spans(ada))) == ('"1"', "", 1)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing", "answered 404 (not found"),
        ("huge", "begins with BEGIN:VCALENDAR"),
        ("garbage", "could not be reached"),
        ("to/http://localhost/", "must be asked by https"),
        ("to/https://10.0.0.1/x", "private network"),
        ("fine", "begins with BEGIN:VCALENDAR"),
    ],
)
def test_a_calendar_out_of_order_says_why_and_leaves_the_leave_alone(ada: Rep, web: Any, path: str, words: str):
    take_in(ada, SUMMER, origin=Origin.CALENDAR)
    calendar = calendar_at(ada, f"{web.url}/{path}")
    assert read_calendars(NOW) == (1, 1)
    calendar.refresh_from_db()
    assert words in calendar.error
    assert (calendar.read_at, len(spans(ada))) == (NOW, 1)


def test_a_calendar_that_cannot_be_worked_out_stops_no_other(ada: Rep, web: Any):
    web.pages["/all.ics"] = (calendar_of(EASTER), "")
    lost, well = (calendar_at(rep, f"{web.url}/all.ics") for rep in (ada, make_rep("Bo")))
    Rep.objects.filter(pk=ada.pk).update(time_zone="Mars/Base")
    assert read_calendars(NOW) == (2, 1)
    lost.refresh_from_db()
    assert (lost.error[:30], lost.read_at) == ("Something in it could not be w", NOW)
    assert [leave.rep for leave in Leave.objects.all()] == [well.rep]


def test_leave_of_all_times_is_taken_over(ada: Rep):
    take_in(ada, "DTSTART;VALUE=DATE:00010101\nDTEND;VALUE=DATE:99991231")
    leave = Leave.objects.get()
    assert (leave.starts_at.year, leave.ends_at.year) == (1999, 2099)


def test_a_fault_is_forgotten_when_the_calendar_answers_again(ada: Rep, web: Any):
    calendar = calendar_at(ada, f"{web.url}/ada.ics")
    read_calendar(calendar, NOW)
    assert calendar.error
    web.pages["/ada.ics"] = (calendar_of(EASTER), "")
    read_calendar(calendar, NOW)
    calendar.refresh_from_db()
    assert calendar.error == ""


def test_an_address_by_http_is_not_asked(ada: Rep):
    with pytest.raises(Unreadable, match="must be asked by https"):
        fetch(calendar_at(ada, "http://example.com/ada.ics"), NOW)


@time_machine.travel(NOW, tick=False)
def test_who_is_not_active_any_more_is_not_read(ada: Rep, web: Any):
    calendar_at(ada, f"{web.url}/ada.ics")
    Rep.objects.update(active=False)
    assert read_calendars() == (0, 0)
    assert web.seen == []


def test_a_year_ahead_is_read(ada: Rep):
    take_in(ada, "DTSTART;VALUE=DATE:20260101\nRRULE:FREQ=MONTHLY")
    starts = [leave.starts_at.date() for leave in ada.leaves.all()]
    assert len(starts) == 12
    assert max(starts) > date(2027, 1, 30)
