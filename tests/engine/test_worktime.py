from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from distribution.engine.worktime import (
    HORIZON,
    Hours,
    Shift,
    add,
    between,
    intervals,
    is_open,
    next_closing,
    next_opening,
)

BERLIN = ZoneInfo("Europe/Berlin")
MON, TUE, WED, THU, FRI, SAT, SUN = range(1, 8)
WEEK = range(MON, SUN + 1)


def at(text, zone="UTC", fold=0):
    """An instant from its local time: "2026-03-02 09:30", with or without seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def spans(text):
    """ "09:00-12:00 13:00-18:00" as local times."""
    return tuple(tuple(time.fromisoformat(end) for end in span.split("-")) for span in text.split())


def works(text, days=range(MON, SAT), zone="Europe/Berlin", **more):
    """Somebody who works at these local times on these days."""
    shifts = tuple(Shift(day, start, end) for day in days for start, end in spans(text))
    return Hours(ZoneInfo(zone), shifts, **more)


def listed(hours, start, end):
    """The working time between two instants, as text in UTC."""
    return [f"{a:%d %H:%M:%S}-{b:%d %H:%M:%S}" for a, b in intervals(hours, start, end)]


OFFICE = works("09:00-18:00")
NIGHTS = works("22:00-06:00", WEEK)
AROUND = works("00:00-00:00", WEEK)
LUNCH = works("09:00-12:00 13:00-18:00")
NEVER = Hours(BERLIN)
ALWAYS = Hours(BERLIN, always=True)


# Scenario 37. 2 March 2026 is a Monday.
@pytest.mark.parametrize(
    ("hours", "moment", "working"),
    [
        (OFFICE, "2026-03-02 08:59:59.999999", False),
        (OFFICE, "2026-03-02 09:00", True),
        (OFFICE, "2026-03-02 17:59:59", True),
        (OFFICE, "2026-03-02 17:59:59.999999", True),
        (OFFICE, "2026-03-02 18:00", False),
        (OFFICE, "2026-03-01 12:00", False),
        (LUNCH, "2026-03-02 11:59:59", True),
        (LUNCH, "2026-03-02 12:00", False),
        (LUNCH, "2026-03-02 12:59:59", False),
        (LUNCH, "2026-03-02 13:00", True),
        (NIGHTS, "2026-03-02 21:59:59", False),
        (NIGHTS, "2026-03-02 22:00", True),
        (NIGHTS, "2026-03-03 00:00", True),
        (NIGHTS, "2026-03-03 05:59:59", True),
        (NIGHTS, "2026-03-03 06:00", False),
        # Monday's night shift ends on Tuesday; the night before Monday is Sunday's.
        (works("22:00-06:00", [MON]), "2026-03-03 03:00", True),
        (works("22:00-06:00", [MON]), "2026-03-02 03:00", False),
        (works("22:00-06:00", [SUN]), "2026-03-02 03:00", True),
        (works("09:00-18:00", [MON]), "2026-03-03 08:00", False),
        (works("00:00-00:00", [MON]), "2026-03-01 23:59:59", False),
        (works("00:00-00:00", [MON]), "2026-03-02 00:00", True),
        (works("00:00-00:00", [MON]), "2026-03-02 23:59:59", True),
        (works("00:00-00:00", [MON]), "2026-03-03 00:00", False),
        # An end equal to the start is a whole day from there.
        (works("09:00-09:00", [MON]), "2026-03-03 08:59:59", True),
        (works("09:00-09:00", [MON]), "2026-03-03 09:00", False),
        (works("09:00-00:00", [MON]), "2026-03-02 23:59:59", True),
        (works("09:00-00:00", [MON]), "2026-03-03 00:00", False),
        # The leap day is a Tuesday.
        (works("09:00-18:00", [TUE]), "2028-02-29 17:59:59", True),
        (works("09:00-18:00", [WED]), "2028-02-29 12:00", False),
        (works("22:00-06:00", [TUE]), "2028-03-01 05:59:59", True),
        (NEVER, "2026-03-02 12:00", False),
        (ALWAYS, "2026-03-01 03:00", True),
    ],
)
def test_working_time_to_the_second(hours, moment, working):
    assert is_open(hours, at(moment, "Europe/Berlin")) is working


HOLIDAY = {date(2026, 3, 3): "Carnival"}
CLOSED, OTHER, LATE = {date(2026, 3, 3): ()}, {date(2026, 3, 3): spans("10:00-12:00")}, spans("20:00-02:00")
WHOLE_DAY = ((at("2026-03-03 00:00", "Europe/Berlin"), at("2026-03-04 00:00", "Europe/Berlin")),)
DENTIST = ((at("2026-03-03 10:00", "Europe/Berlin"), at("2026-03-03 11:30", "Europe/Berlin")),)


@pytest.mark.parametrize(
    ("hours", "found"),
    [
        (works("09:00-18:00", holidays=HOLIDAY), []),
        # The night shift that began the evening before runs on into the holiday; the holiday's own does not begin.
        (works("22:00-06:00", WEEK, holidays=HOLIDAY), ["02 23:00:00-03 05:00:00"]),
        (works("09:00-18:00", exceptions=CLOSED), []),
        (works("09:00-18:00", exceptions=OTHER), ["03 09:00:00-03 11:00:00"]),
        (works("09:00-18:00", exceptions=OTHER, holidays=HOLIDAY), ["03 09:00:00-03 11:00:00"]),
        (works("22:00-06:00", WEEK, exceptions=CLOSED), ["02 23:00:00-03 05:00:00"]),
        (works("09:00-18:00", exceptions={date(2026, 3, 3): LATE}), ["03 19:00:00-03 23:00:00"]),
        # What an exception begins the evening before runs on into the day, beside the day's own shifts.
        (
            works("09:00-18:00", exceptions={date(2026, 3, 2): LATE}),
            ["02 23:00:00-03 01:00:00", "03 08:00:00-03 17:00:00"],
        ),
        (Hours(BERLIN, exceptions=OTHER), ["03 09:00:00-03 11:00:00"]),
        (works("09:00-18:00", exceptions={date(2026, 3, 3): spans("14:00-15:00 10:00-11:00")}),
         ["03 09:00:00-03 10:00:00", "03 13:00:00-03 14:00:00"]),
        (works("09:00-18:00", leave=WHOLE_DAY), []),
        (works("09:00-18:00", leave=DENTIST), ["03 08:00:00-03 09:00:00", "03 10:30:00-03 17:00:00"]),
        (works("09:00-18:00", leave=DENTIST + WHOLE_DAY), []),
        # Leave that begins at closing or ends at opening takes nothing away.
        (works("09:00-10:00 11:30-18:00", leave=DENTIST), ["03 08:00:00-03 09:00:00", "03 10:30:00-03 17:00:00"]),
        (works("09:00-18:00", leave=DENTIST * 2), ["03 08:00:00-03 09:00:00", "03 10:30:00-03 17:00:00"]),
        (Hours(BERLIN, always=True, leave=DENTIST), ["02 23:00:00-03 09:00:00", "03 10:30:00-03 23:00:00"]),
        (Hours(BERLIN, always=True, holidays=HOLIDAY, exceptions=CLOSED), ["02 23:00:00-03 23:00:00"]),
        (works("09:00-12:00 11:00-14:00 14:00-15:00 08:00-09:00"), ["03 07:00:00-03 14:00:00"]),
        (works("09:00-18:00 10:00-12:00"), ["03 08:00:00-03 17:00:00"]),
    ],
)  # fmt: skip
def test_tuesday_in_carnival(hours, found):
    """The working time of Tuesday, 3 March 2026, in Berlin; UTC is an hour behind."""
    day = at("2026-03-03 00:00", "Europe/Berlin"), at("2026-03-04 00:00", "Europe/Berlin")
    assert listed(hours, *day) == found
    assert between(hours, *day) == sum((b - a for a, b in intervals(hours, *day)), timedelta(0))


# Zone, a local date whose night has a change of clocks, and how long the night shift of the evening before lasts.
CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29), 7),
    ("Europe/Berlin", date(2026, 10, 25), 9),
    ("America/New_York", date(2026, 3, 8), 7),
    ("America/New_York", date(2026, 11, 1), 9),
    ("America/Sao_Paulo", date(2018, 11, 4), 7),  # at midnight
    ("America/Sao_Paulo", date(2018, 2, 18), 9),  # at midnight, back to 23:00
    ("America/Sao_Paulo", date(2026, 2, 15), 8),  # abolished
    ("America/Santiago", date(2026, 9, 6), 7),
    ("America/Santiago", date(2026, 4, 5), 9),
    ("Australia/Lord_Howe", date(2026, 10, 4), 7.5),
    ("Australia/Lord_Howe", date(2026, 4, 5), 8.5),
    ("Australia/Sydney", date(2026, 10, 4), 7),
    ("Australia/Sydney", date(2026, 4, 5), 9),
    ("Pacific/Chatham", date(2026, 9, 27), 7),
    ("Pacific/Chatham", date(2026, 4, 5), 9),
    ("America/St_Johns", date(2007, 3, 11), 7),  # at 00:01
    ("America/St_Johns", date(2007, 11, 4), 9),  # at 00:01, back to 23:01
    ("Africa/Casablanca", date(2026, 2, 15), 9),  # back for Ramadan
    ("Asia/Kolkata", date(2026, 3, 29), 8),
    ("Asia/Kathmandu", date(2026, 3, 29), 8),
]


@pytest.mark.parametrize(("zone", "day", "hours"), CHANGES)
def test_a_night_shift_over_a_change_of_clocks_lasts_as_long_as_it_lasts(zone, day, hours):
    nights = works("22:00-06:00", WEEK, zone)
    start, end = (at(f"{day - timedelta(1)} 22:00", zone), at(f"{day} 06:00", zone))
    assert list(intervals(nights, start, end + timedelta(hours=1))) == [(start, end)]
    assert between(nights, start, end) == end - start == timedelta(hours=hours)
    assert add(nights, start, timedelta(hours=hours)) == next_closing(nights, start) == end
    second = timedelta(seconds=1)
    looks = [start - second, start, end - second, end]
    assert [is_open(nights, moment) for moment in looks] == [False, True, True, False]


@pytest.mark.parametrize(("zone", "day", "_hours"), CHANGES)
def test_the_day_shift_after_a_change_of_clocks_begins_by_the_new_clock(zone, day, _hours):
    days = works("09:00-17:00", WEEK, zone)
    night = at(f"{day - timedelta(1)} 20:00", zone)
    assert next_opening(days, night) == at(f"{day} 09:00", zone)
    assert next_closing(days, night) == at(f"{day} 17:00", zone)


# Berlin: at 01:00 UTC on 29 March the clock jumps from 02:00 to 03:00; on 25 October it goes back from 03:00 to 02:00.
@pytest.mark.parametrize(
    ("shifts", "day", "found"),
    [
        # A skipped time is the instant of the change: who should begin at 02:30 is there when the clock shows 03:00.
        ("02:30-10:00", "2026-03-29", ["29 01:00:00-29 08:00:00"]),
        ("02:00-10:00", "2026-03-29", ["29 01:00:00-29 08:00:00"]),
        ("02:59-03:15", "2026-03-29", ["29 01:00:00-29 01:15:00"]),
        ("00:30-02:30", "2026-03-29", ["28 23:30:00-29 01:00:00"]),
        ("00:30-02:30:30.5", "2026-03-29", ["28 23:30:00-29 01:00:00"]),
        ("02:15-02:45", "2026-03-29", []),
        ("01:59:59-03:00:01", "2026-03-29", ["29 00:59:59-29 01:00:01"]),
        # A repeated time is the first of the two: who ends at 02:30 goes home then, and who begins then takes over.
        ("02:30-10:00", "2026-10-25", ["25 00:30:00-25 09:00:00"]),
        ("00:30-02:30", "2026-10-25", ["24 22:30:00-25 00:30:00"]),
        ("02:15-02:45", "2026-10-25", ["25 00:15:00-25 00:45:00"]),
        ("00:30-03:00", "2026-10-25", ["24 22:30:00-25 02:00:00"]),
        ("00:30-02:30 02:30-10:00", "2026-10-25", ["24 22:30:00-25 09:00:00"]),
        ("01:59:59-02:00:01", "2026-10-25", ["24 23:59:59-25 00:00:01"]),
    ],
)
def test_shifts_that_begin_or_end_within_a_change_of_clocks(shifts, day, found):
    hours = works(shifts, [SUN])
    start, end = at(f"{day} 00:00", "Europe/Berlin"), at(f"{day} 12:00", "Europe/Berlin")
    assert listed(hours, start, end) == found
    worked = list(intervals(hours, start, end))
    for moment in (start + timedelta(minutes=minute) for minute in range(12 * 60)):
        assert is_open(hours, moment) == any(opens <= moment < closes for opens, closes in worked)


def test_tomorrow_that_the_clock_has_already_shown_has_begun():
    """Newfoundland: at 00:01 on Sunday, 4 November 2007, the clock went back to 23:01 on Saturday."""
    sundays = works("00:00-06:00", [SUN], "America/St_Johns")
    opening, again = at("2007-11-04 00:00", "America/St_Johns"), at("2007-11-03 23:30", "America/St_Johns", fold=1)
    assert again - opening == timedelta(minutes=30)
    assert next_opening(sundays, opening - timedelta(hours=1)) == opening
    assert is_open(sundays, again)
    assert not is_open(sundays, again - timedelta(hours=1))
    assert next_opening(sundays, again) == again
    assert between(sundays, opening, again) == timedelta(minutes=30)


def test_a_date_that_a_zone_left_out_has_no_work():
    """Samoa went from Thursday, 29 December 2011, to Saturday the 31st."""
    apia = "Pacific/Apia"
    start, end = at("2011-12-29 00:00", apia), at("2012-01-01 00:00", apia)
    assert end - start == timedelta(days=2)
    assert listed(works("09:00-17:00", [THU, FRI, SAT], apia), start, end) == [
        "29 19:00:00-30 03:00:00",
        "30 19:00:00-31 03:00:00",
    ]
    assert listed(works("09:00-17:00", [FRI], apia), start, end) == []
    assert listed(works("00:00-00:00", WEEK, apia), start, end) == ["29 10:00:00-31 10:00:00"]


@pytest.mark.parametrize(
    ("zone", "found"),
    [
        ("Pacific/Kiritimati", "2026-03-01 19:00"),  # +14
        ("Pacific/Chatham", "2026-03-01 19:15"),  # +13:45
        ("Pacific/Apia", "2026-03-01 20:00"),
        ("Australia/Lord_Howe", "2026-03-01 22:00"),
        ("Asia/Kathmandu", "2026-03-02 03:15"),  # +5:45
        ("Asia/Kolkata", "2026-03-02 03:30"),
        ("Europe/Berlin", "2026-03-02 08:00"),
        ("America/Sao_Paulo", "2026-03-02 12:00"),
        ("America/New_York", "2026-03-02 14:00"),
        ("Pacific/Honolulu", "2026-03-02 19:00"),
    ],
)
def test_monday_nine_in_the_morning_around_the_world(zone, found):
    hours = works("09:00-18:00", [MON], zone)
    assert next_opening(hours, at("2026-03-01 12:00")) == at(found)
    assert next_opening(hours, at(found).astimezone(ZoneInfo("Asia/Tokyo"))) == at(found)
    assert next_opening(hours, at(found)).tzinfo is UTC


# Scenario 55. 2 March 2026 is a Monday; Good Friday is 3 April, Easter Monday the 6th.
EASTER = {date(2026, 4, 3): "Good Friday", date(2026, 4, 6): "Easter Monday"}


@pytest.mark.parametrize(
    ("created", "due"),
    [
        ("2026-03-02 08:00", "2026-03-02 11:00"),
        ("2026-03-02 20:00", "2026-03-03 11:00"),
        ("2026-03-06 17:30", "2026-03-09 10:30"),
        ("2026-03-07 12:00", "2026-03-09 11:00"),
        ("2026-03-06 17:00", "2026-03-06 18:00"),  # spent exactly at closing, not at the next opening
        ("2026-03-06 17:00:01", "2026-03-09 10:00:01"),
        ("2026-04-02 17:30", "2026-04-07 10:30"),  # four closed days in a row
        ("2026-04-03 12:00", "2026-04-07 11:00"),
        ("2026-03-27 17:30", "2026-03-30 10:30"),  # the clocks change in between
    ],
)
def test_a_promise_of_an_hour_within_ten_to_six(created, due):
    hours = works("10:00-18:00", holidays=EASTER)
    assert add(hours, at(created, "Europe/Berlin"), timedelta(hours=1)) == at(due, "Europe/Berlin")


@pytest.mark.parametrize("hours", [ALWAYS, AROUND], ids=["always", "seven whole days"])
@pytest.mark.parametrize("change", ["2026-03-29 01:00", "2026-10-25 01:00"])
def test_two_hours_round_the_clock_are_two_hours_over_a_change_of_clocks(hours, change):
    """Scenario 56."""
    two = timedelta(hours=2)
    for minutes in range(0, 180, 15):
        start = at(change) - timedelta(minutes=minutes)
        assert add(hours, start, two) == start + two
        assert between(hours, start, start + two) == two
    whole = at(change) - timedelta(days=30), at(change) + timedelta(days=30)
    assert list(intervals(hours, *whole)) == [whole]


AWAY = ((at("2026-01-01 00:00"), at("2030-01-01 00:00")),)


@pytest.mark.parametrize(
    "hours",
    [
        NEVER,
        Hours(BERLIN, exceptions={date(2026, 2, 27): spans("09:00-18:00")}),
        works("09:00-18:00", leave=AWAY),
        Hours(BERLIN, always=True, leave=AWAY),
        works("02:15-02:45", [SUN], exceptions={date(2027, 3, 28): spans("02:15-02:45")}, holidays={
            date(2026, 3, 1) + timedelta(days=day): "closed" for day in range(500)
        }),
    ],
    ids=["no shifts", "only in the past", "on leave", "always, on leave", "only while the clock is skipped"],
)  # fmt: skip
def test_no_working_time_at_all_is_a_clear_answer(hours):
    """Scenario 57."""
    now = at("2026-03-02 12:00")
    assert not is_open(hours, now)
    assert next_opening(hours, now) is None
    assert next_closing(hours, now) is None
    assert add(hours, now, timedelta(0)) is None
    assert add(hours, now, timedelta(minutes=15)) is None
    assert between(hours, now, now + HORIZON) == timedelta(0)


@pytest.mark.parametrize(
    ("created", "minutes", "due"),
    [
        ("2026-03-02 11:30", 30, "2026-03-02 12:00"),
        ("2026-03-02 11:30", 60, "2026-03-02 13:30"),
        ("2026-03-02 12:30", 60, "2026-03-02 14:00"),
        ("2026-03-02 12:00", 0, "2026-03-02 13:00"),
        ("2026-03-02 17:30", 60, "2026-03-03 09:30"),
        ("2026-03-02 09:00", 480 + 180, "2026-03-03 12:00"),
    ],
)
def test_lunch_does_not_count(created, minutes, due):
    """Scenario 58."""
    start, end = at(created, "Europe/Berlin"), at(due, "Europe/Berlin")
    assert add(LUNCH, start, timedelta(minutes=minutes)) == end
    assert between(LUNCH, start, end) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("hours", "after", "opening", "closing"),
    [
        (OFFICE, "2026-03-02 08:00", "2026-03-02 09:00", "2026-03-02 18:00"),
        (OFFICE, "2026-03-02 12:00", "2026-03-02 12:00", "2026-03-02 18:00"),
        (OFFICE, "2026-03-02 18:00", "2026-03-03 09:00", "2026-03-03 18:00"),
        (OFFICE, "2026-03-06 18:00", "2026-03-09 09:00", "2026-03-09 18:00"),
        (LUNCH, "2026-03-02 10:00", "2026-03-02 10:00", "2026-03-02 12:00"),
        # Shifts that touch are one opening, also over midnight.
        (works("18:00-00:00 00:00-06:00", WEEK), "2026-03-02 20:00", "2026-03-02 20:00", "2026-03-03 06:00"),
        (works("09:00-18:00", leave=DENTIST), "2026-03-03 10:30", "2026-03-03 11:30", "2026-03-03 18:00"),
        (works("09:00-18:00", leave=DENTIST), "2026-03-03 09:30", "2026-03-03 09:30", "2026-03-03 10:00"),
        (Hours(BERLIN, always=True, leave=DENTIST), "2026-03-03 09:30", "2026-03-03 09:30", "2026-03-03 10:00"),
        (works("09:00-18:00", [MON], holidays=HOLIDAY), "2026-03-02 18:00", "2026-03-09 09:00", "2026-03-09 18:00"),
    ],
)
def test_when_it_opens_and_closes(hours, after, opening, closing):
    after = at(after, "Europe/Berlin")
    assert next_opening(hours, after) == at(opening, "Europe/Berlin")
    assert next_closing(hours, after) == at(closing, "Europe/Berlin")


@pytest.mark.parametrize(
    ("moment", "working"), [("09:59:59", True), ("10:00", False), ("11:29:59", False), ("11:30", True)]
)
@pytest.mark.parametrize("hours", [works("09:00-18:00", leave=DENTIST), Hours(BERLIN, always=True, leave=DENTIST)])
def test_leave_of_hours_to_the_second(hours, moment, working):
    assert is_open(hours, at(f"2026-03-03 {moment}", "Europe/Berlin")) is working


@pytest.mark.parametrize("hours", [ALWAYS, AROUND, works("09:00-21:00 21:00-09:00", WEEK)])
def test_round_the_clock_never_closes(hours):
    now = at("2026-03-02 12:00")
    assert next_opening(hours, now) == now
    assert next_closing(hours, now) is None


def test_what_happens_once_a_year_is_found_and_what_lies_further_off_is_not():
    now = at("2026-03-02 12:00")
    sale = Hours(BERLIN, exceptions={date(2027, 3, 20): spans("09:00-18:00")})
    assert next_opening(sale, now) == at("2027-03-20 09:00", "Europe/Berlin")
    assert next_opening(sale, now - timedelta(days=30)) is None
    assert add(sale, now, timedelta(hours=9)) == at("2027-03-20 18:00", "Europe/Berlin")
    assert add(sale, now, timedelta(hours=9, seconds=1)) is None


def test_a_long_promise_is_counted_beyond_the_horizon():
    start = at("2026-03-02 09:00", "Europe/Berlin")
    assert add(ALWAYS, start, HORIZON * 2) == start + HORIZON * 2
    assert add(works("00:00-12:00", WEEK, "UTC"), at("2026-03-02 00:00"), HORIZON) is not None


def test_no_time_between_instants_that_do_not_follow_each_other():
    noon = at("2026-03-02 12:00")
    for hours in (OFFICE, ALWAYS):
        assert between(hours, noon, noon) == between(hours, noon, noon - timedelta(hours=1)) == timedelta(0)
        assert list(intervals(hours, noon, noon - timedelta(hours=1))) == []


def test_instants_of_any_zone_are_read_as_instants():
    """02:30 in Berlin on 25 October 2026 comes twice, an hour apart."""
    first, second = (datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=fold) for fold in (0, 1))
    assert between(AROUND, first, second) == timedelta(hours=1)
    assert add(AROUND, first, timedelta(hours=1)) == second.astimezone(UTC)


def test_a_time_without_a_zone_is_no_instant():
    with pytest.raises(ValueError, match="no time zone"):
        is_open(ALWAYS, datetime(2026, 3, 2, 12))  # noqa: DTZ001


def test_a_negative_span_is_refused():
    with pytest.raises(ValueError, match="cannot be negative"):
        add(ALWAYS, at("2026-03-02 12:00"), timedelta(seconds=-1))
