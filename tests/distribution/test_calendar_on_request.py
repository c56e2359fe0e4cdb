"""A calendar on the web that somebody wants read now: a task reads it, and the pages say how it stands."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from distribution import leavecalendars
from distribution.leavecalendars import NOT_NOW, ask, read_calendars, read_one
from distribution.models import Leave, LeaveCalendar, Rep
from tests.distribution.test_icsfile import calendar_of
from tests.pipeline.people import make_people, signed_in
from tests.support.deadbroker import dead_broker
from tests.support.web import serve

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _monday(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def rep(people):
    return Rep.objects.get(user=people.owner)


@pytest.fixture
def web(settings):
    settings.OUTGOING_LOCAL_HOSTS = ["127.0.0.1"]
    with serve() as server:
        server.pages["/ann.ics"] = (calendar_of("DTSTART;VALUE=DATE:20260403"), "")
        yield server


@pytest.fixture
def calendar(rep, web):
    return LeaveCalendar.objects.create(rep=rep, url=f"{web.url}/ann.ics", read_at=NOW, result="as it was")


def press(people, rep, **fields):
    return signed_in(people.owner).post(f"/availability/{rep.pk}/calendar/", fields, follow=True).content.decode()


def state(people, rep):
    return signed_in(people.owner).get(f"/availability/{rep.pk}/calendar/reading/").content.decode()


def fresh():
    return LeaveCalendar.objects.get()


def test_the_address_is_kept_never_shown_again_and_asked_by_a_task(people, rep, web):
    shown = press(people, rep, url=f"{web.url}/ann.ics")
    assert "It is being read." in shown
    assert (web.seen, Leave.objects.count()) == ([], 0)
    read_one(fresh().pk, NOW)
    shown = state(people, rep)
    assert "1 new, 0 changed, 0 gone" in shown
    assert "3 Apr 2026" in shown
    assert urlsplit(web.url).hostname in shown
    assert "ann.ics" not in shown
    press(people, rep, wish="forget")
    assert not LeaveCalendar.objects.exists()


def test_the_page_asks_again_until_the_reading_is_over(people, rep, calendar):
    asks = 'hx-trigger="every 2s"'
    assert asks not in state(people, rep)
    assert asks in press(people, rep, wish="read")
    assert asks in state(people, rep)
    read_one(calendar.pk, NOW)
    assert asks not in state(people, rep)


def test_a_worker_reads_what_was_asked_for(people, rep, calendar, eager_tasks):
    assert "1 new, 0 changed, 0 gone" in press(people, rep, wish="read")
    assert Leave.objects.get().origin == "calendar"


def test_a_fault_is_shown(people, rep, calendar, web, eager_tasks):
    web.pages.clear()
    assert (
        "The last reading failed: <bdi>The calendar answered 404 (not found: was the address reset?).</bdi>"
        in press(people, rep, wish="read")
    )


def test_an_address_of_the_own_network_is_not_asked_by_the_task_either(people, rep, web, settings, eager_tasks):
    settings.OUTGOING_LOCAL_HOSTS = []
    LeaveCalendar.objects.create(rep=rep, url=web.url.replace("http", "https"))
    assert "private network" in press(people, rep, wish="read")
    assert web.seen == []


def test_without_a_broker_the_page_says_so_and_a_sweep_reads_it_later(people, rep, calendar):
    with dead_broker():
        assert NOT_NOW in press(people, rep, wish="read")
    assert read_calendars(NOW) == (0, 0)
    assert read_calendars(NOW + MINUTE) == (1, 0)
    assert (fresh().asked_at, fresh().result) == (None, "1 new, 0 changed, 0 gone")


def test_what_nobody_reads_is_told(people, rep, calendar, time_machine):
    ask(calendar.pk)
    time_machine.move_to(NOW + 2 * MINUTE, tick=False)
    assert "seems to be stopped" in state(people, rep)


def test_who_asks_while_it_is_read_is_served_once_more(calendar, web, monkeypatch):
    real = leavecalendars.fetch

    def slow(row, now):
        ask(row.pk, NOW + 2 * MINUTE)
        return real(row, now)

    ask(calendar.pk, NOW)
    monkeypatch.setattr(leavecalendars, "fetch", slow)
    read_one(calendar.pk, NOW + MINUTE)
    assert fresh().asked_at == NOW + 2 * MINUTE


CHANGES = {
    "given up": lambda row: row.delete(),
    "other address": lambda row: LeaveCalendar.objects.update(url="https://other.example/a.ics", read_at=None),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_calendar_that_is_no_longer_followed_when_it_was_fetched_changes_nothing(calendar, monkeypatch, change):
    real = leavecalendars.fetch

    def slow(row, now):
        change(LeaveCalendar.objects.get(pk=row.pk))
        return real(row, now)

    monkeypatch.setattr(leavecalendars, "fetch", slow)
    read_calendars(NOW + timedelta(hours=1))
    assert not Leave.objects.exists()
    assert list(LeaveCalendar.objects.values_list("read_at", "result")) in ([], [(None, "as it was")])
