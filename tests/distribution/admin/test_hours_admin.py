"""Working hours in the admin: what cannot be is an error where it stands, and the week that results is drawn."""

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from distribution.models import HoursException, Rep, TeamHours, WorkingHours, WorkShift
from pipeline.models import Team
from tests.distribution.setups import make_rep

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 25, 9, 0, tzinfo=UTC)
ADD = "/admin/distribution/workinghours/add/"
Row = tuple[str, ...]


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


def form(shifts: list[Row] = [], exceptions: list[Row] = [], **fields: Any) -> dict[str, Any]:  # noqa: B006
    """What the page sends: shifts as (weekday, from, to), exceptions as (date, from, to)."""
    data = {"name": "Berlin", "time_zone": "Europe/Berlin", **fields}
    for prefix, names, rows in (
        ("shifts", ("weekday", "start", "end"), shifts),
        ("exceptions", ("date", "start", "end", "name"), exceptions),
    ):
        data |= {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
        for number, row in enumerate(rows):
            data |= {f"{prefix}-{number}-{name}": value for name, value in zip(names, row, strict=False)}
    return data


def row_errors(response: Any, formset: int) -> list[dict[str, Any]]:
    assert response.status_code == 200, "it was saved"
    found: list[dict[str, Any]] = response.context["inline_admin_formsets"][formset].formset.errors
    return found


def make_hours(*shifts: tuple[int, int, int], **more: Any) -> WorkingHours:
    hours = WorkingHours.objects.create(**{"name": "Berlin", "time_zone": "Europe/Berlin", **more})
    for weekday, start, end in shifts:
        WorkShift.objects.create(hours=hours, weekday=weekday, start=time(start), end=time(end % 24))
    return hours


def page(client: Client, hours: WorkingHours, **query: str) -> Any:
    return client.get(reverse("admin:distribution_workinghours_change", args=[hours.pk]), query)


def test_hours_are_added_with_shifts_exceptions_and_holidays(boss: Client):
    wish = form(
        [("1", "09:00", "12:00"), ("1", "13:00", "18:00"), ("5", "22:00", "06:00")],
        [("2026-12-24", "", ""), ("2026-12-31", "09:00", "12:00", "short day")],
        holiday_country="DE",
        holiday_region="DE-BY",
    )
    assert boss.post(ADD, wish).status_code == 302
    hours = WorkingHours.objects.get()
    assert (hours.holiday_country, hours.holiday_region) == ("DE", "BY")
    assert (hours.shifts.count(), hours.exceptions.count()) == (3, 2)


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"holiday_country": "FR", "holiday_region": "DE-BY"}, "holiday_region", "a region of Germany"),
        ({"holiday_region": "DE-BY"}, "holiday_region", "Choose its country above"),
        ({"holiday_country": "XX"}, "holiday_country", "valid choice"),
        ({"holiday_country": "DE", "holiday_region": "DE-ZZ"}, "holiday_region", "valid choice"),
        ({"time_zone": "Mars/Base"}, "time_zone", "valid choice"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_what_is_wrong_with_hours_stands_on_its_field(boss: Client, fields: dict[str, str], field: str, words: str):
    errors = boss.post(ADD, form(**fields)).context["adminform"].form.errors
    assert words in errors[field][0]
    assert not WorkingHours.objects.exists()


def test_there_is_one_default(boss: Client):
    make_hours(name="First", is_default=True)
    errors = boss.post(ADD, form(is_default="on")).context["adminform"].form.errors
    assert errors["is_default"] == ["“First” has this already. Take it away there first."]


@pytest.mark.parametrize(
    ("rows", "refused"),
    [
        ([("1", "09:00", "12:00"), ("1", "11:59", "18:00")], "Monday 09:00 to 12:00"),
        ([("1", "09:00", "12:00"), ("1", "12:00", "18:00")], ""),
        ([("1", "22:00", "06:00"), ("2", "05:00", "09:00")], "Monday 22:00 to 06:00"),
        ([("1", "22:00", "06:00"), ("2", "06:00", "09:00")], ""),
        ([("7", "22:00", "06:00"), ("1", "05:00", "09:00")], "Sunday 22:00 to 06:00"),
        ([("1", "05:00", "09:00"), ("7", "22:00", "06:00")], "Monday 05:00 to 09:00"),
        ([("1", "00:00", "00:00"), ("1", "08:00", "09:00")], "Monday 00:00 to 00:00"),
        ([("1", "00:00", "00:00"), ("2", "00:00", "00:00")], ""),
        ([("1", "09:00", "12:00"), ("1", "09:00", "12:00")], "Monday 09:00 to 12:00"),
    ],
)
def test_shifts_may_meet_but_not_overlap(boss: Client, rows: list[Row], refused: str):
    response = boss.post(ADD, form(rows))
    if not refused:
        assert response.status_code == 302
        return
    first, second = row_errors(response, 0)
    assert (first, second["start"]) == ({}, [f"It overlaps with {refused}."])


def test_a_shift_has_whole_minutes(boss: Client):
    response = boss.post(ADD, form([("1", "09:00:30", "09:00:40")]))
    assert row_errors(response, 0)[0]["start"] == ["Give whole minutes, such as 09:00."]


def test_times_of_a_zone_are_not_compared_with_the_clock_of_the_server(boss: Client):
    hours = make_hours((1, 9, 18))
    shown = page(boss, hours).content.decode()
    assert 'type="time" name="shifts-0-start" value="09:00"' in shown
    assert "DateTimeShortcuts" not in shown


@pytest.mark.parametrize(
    ("rows", "field", "words"),
    [
        ([("2026-05-04", "", ""), ("2026-05-04", "09:00", "10:00")], "date", "stands in another row too"),
        ([("2026-05-04", "", ""), ("2026-05-04", "", "")], "date", "stands in another row too"),
        ([("2026-05-04", "09:00", "12:00"), ("2026-05-04", "11:00", "13:00")], "start", "It overlaps with 2026-05-04"),
        ([("2026-05-05",), ("2026-05-04", "09:00", "")], "end", "Give both times, or none"),
        ([("2026-05-05",), ("2026-05-04", "", "09:00")], "start", "Give both times, or none"),
        ([("2026-05-05",), ("0001-05-04",)], "date", "Choose a date of this century."),
        ([("2026-05-05",), ("9999-12-31",)], "date", "Choose a date of this century."),
    ],
)
def test_exceptions_that_cannot_be_are_refused(boss: Client, rows: list[Row], field: str, words: str):
    assert words in str(row_errors(boss.post(ADD, form([], rows)), 1)[1][field])
    assert not HoursException.objects.exists()


@time_machine.travel(NOW, tick=False)
def test_who_has_no_profile_sees_the_week_by_the_clock_of_the_browser(boss: Client):
    url = reverse("admin:distribution_workinghours_change", args=[make_hours().pk])
    assert len(boss.get(url).context["weeks"]) == 1
    boss.cookies["time_zone"] = "Asia/Tokyo"
    assert [week.zone for week in boss.get(url).context["weeks"]] == ["Europe/Berlin", "Asia/Tokyo"]
    boss.cookies["time_zone"] = "Mars/Base"
    assert len(boss.get(url).context["weeks"]) == 1


def test_the_week_of_a_change_of_clocks_is_drawn_right_in_both_zones(boss: Client):
    hours = make_hours((5, 9, 18), (6, 22, 6), (7, 22, 6))
    Rep.objects.create(user=User.objects.get(username="boss"), name="Boss", time_zone="America/New_York")
    weeks = page(boss, hours, week="2026-03-27").context["weeks"]
    berlin, york = ([[block.words for block in line.blocks] for line in week.lines] for week in weeks)
    assert [week.zone for week in weeks] == ["Europe/Berlin", "America/New_York"]
    assert berlin[4:] == [["09:00–18:00"], ["22:00–24:00"], ["00:00–06:00", "22:00–24:00"]]
    assert york[4:] == [["04:00–13:00"], ["17:00–24:00"], ["16:00–24:00"]]
    sunday = weeks[0].lines[6]
    assert (sunday.worked, sunday.notes) == ("7 h", ("The clocks go forward: 23 h long",))


@time_machine.travel(NOW, tick=False)
def test_holidays_and_exceptions_are_named_in_the_week_and_the_holidays_of_two_years_listed(boss: Client):
    hours = make_hours((1, 9, 18), (2, 9, 18), (5, 9, 18), holiday_country="DE")
    HoursException.objects.create(hours=hours, date=date(2026, 4, 7), name="stocktaking")
    response = page(boss, hours, week="2026-04-06")
    notes = {line.day.day: line.notes for line in response.context["weeks"][0].lines if line.notes}
    assert notes == {6: ("Easter Monday",), 7: ("stocktaking",)}
    assert [words for line in response.context["weeks"][0].lines for words in line.blocks] != []
    years = dict(response.context["holiday_years"])
    assert list(years) == [2026, 2027]
    assert (date(2027, 1, 1), "New Year's Day") in years[2027]
    assert "Easter Monday" in response.content.decode()


@pytest.mark.parametrize("week", ["", "nonsense", "0001-01-01", "9999-12-31", "2026-02-30", "\0"])
def test_rubbish_in_the_week_shows_some_week(boss: Client, week: str):
    assert page(boss, make_hours(), week=week).status_code == 200


def test_a_page_names_whom_the_hours_hold_for(boss: Client):
    hours = make_hours(is_default=True)
    other = WorkingHours.objects.create(name="Other")
    own, through_team, by_default = (make_rep(name) for name in ("Own", "Team", "Default"))
    make_rep("Elsewhere", hours=other)
    own.hours = hours
    own.save()
    team = Team.objects.create(name="Sales")
    team.members.add(through_team.user)
    TeamHours.objects.create(team=team, hours=hours)
    context = page(boss, hours).context
    assert [rep.name for rep in context["reps"]] == ["Default", "Own", "Team"]
    assert context["teams"] == [team]
    assert by_default in context["reps"]


def test_hours_in_use_cannot_be_archived(boss: Client):
    hours = make_hours(is_default=True)
    url = reverse("admin:distribution_workinghours_changelist")
    boss.post(url, {"action": "archive", "_selected_action": [hours.pk]})
    assert WorkingHours.objects.filter(archived_at=None).exists()
    WorkingHours.objects.update(is_default=False)
    boss.post(url, {"action": "archive", "_selected_action": [hours.pk]})
    assert not WorkingHours.objects.filter(archived_at=None).exists()


def test_a_team_gets_its_hours_on_its_own_page(boss: Client):
    hours, team = make_hours(), Team.objects.create(name="Sales")
    data = {"name": "Sales", "hours-TOTAL_FORMS": 1, "hours-INITIAL_FORMS": 0, "hours-0-hours": hours.pk}
    assert boss.post(reverse("admin:pipeline_team_change", args=[team.pk]), data).status_code == 302
    assert TeamHours.objects.get().hours == hours


def test_the_list_tells_hours_in_words(boss: Client):
    make_hours((1, 9, 18), (2, 9, 18), (3, 9, 18), (6, 10, 14), holiday_country="DE", holiday_region="BY")
    text = boss.get(reverse("admin:distribution_workinghours_changelist")).content.decode()
    assert "Mon–Wed 09:00–18:00; Sat 10:00–14:00" in text
    assert "Germany, Bayern" in text


@pytest.mark.django_db(transaction=True)
def test_hours_are_archived_by_the_list_though_it_opens_no_transaction(boss: Client):
    hours = make_hours()
    boss.post(
        reverse("admin:distribution_workinghours_changelist"), {"action": "archive", "_selected_action": [hours.pk]}
    )
    assert WorkingHours.objects.exclude(archived_at=None).exists()
