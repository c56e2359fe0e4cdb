"""What holds for working time of any kind, held against an oracle that looks at a clock once a minute."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from distribution.engine.worktime import Hours, Shift, add, between, intervals, is_open, next_closing, next_opening

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
LEAD_IN = timedelta(hours=3)  # more than any of these zones sets its clocks back

# UTC dates next to which the zone changes its clocks, or leaves out a date; and one where nothing happens.
ZONES = {
    "Europe/Berlin": [date(2026, 3, 29), date(2026, 10, 25), date(2028, 2, 29)],
    "America/New_York": [date(2026, 3, 8), date(2026, 11, 1)],
    "Australia/Lord_Howe": [date(2026, 4, 4), date(2026, 10, 3)],
    "America/Sao_Paulo": [date(2018, 2, 18), date(2018, 11, 4), date(2026, 2, 15)],
    "America/Santiago": [date(2026, 4, 5), date(2026, 9, 6)],
    "America/St_Johns": [date(2007, 3, 11), date(2007, 11, 4)],
    "Asia/Kolkata": [date(2026, 3, 29)],
    "Asia/Kathmandu": [date(2026, 3, 29)],
    "Pacific/Apia": [date(2011, 12, 30), date(2026, 4, 5)],
    "Pacific/Kiritimati": [date(1994, 12, 31), date(2026, 3, 29)],
    "Pacific/Chatham": [date(2026, 4, 4), date(2026, 9, 26)],
    "UTC": [date(2026, 12, 31)],
}

# Few different times, so that shifts touch and overlap often; those around the changes of clocks among them.
TIMES = st.one_of(
    st.sampled_from([time(0), time(0, 1), time(1, 45), time(2), time(2, 30), time(3), time(9), time(22), time(23, 30)]),
    st.times().map(lambda clock: clock.replace(second=0, microsecond=0)),
)


@st.composite
def cases(draw):
    """Somebody's hours, and an instant (a whole minute) near a change of clocks of the zone."""
    name = draw(st.sampled_from(sorted(ZONES)))
    centre = draw(st.sampled_from(ZONES[name]))
    start = datetime.combine(centre, time(0), UTC) + MINUTE * draw(st.integers(-2 * 1440, 2 * 1440))
    days = st.integers(-3, 4).map(lambda offset: centre + offset * DAY)
    leave = st.tuples(st.integers(-3000, 3000), st.integers(1, 3000)).map(
        lambda drawn: (start + drawn[0] * MINUTE, start + sum(drawn) * MINUTE)
    )
    hours = Hours(
        ZoneInfo(name),
        shifts=tuple(draw(st.lists(st.builds(Shift, st.integers(1, 7), TIMES, TIMES), max_size=8))),
        always=draw(st.sampled_from([False] * 9 + [True])),
        holidays=draw(st.dictionaries(days, st.just("holiday"), max_size=2)),
        exceptions=draw(st.dictionaries(days, st.lists(st.tuples(TIMES, TIMES), max_size=2).map(tuple), max_size=2)),
        leave=tuple(draw(st.lists(leave, max_size=2))),
    )
    return hours, start


SPANS = st.integers(0, 2 * 1440).map(lambda minutes: minutes * MINUTE)
SECONDS = st.integers(0, 3 * 86400).map(lambda seconds: timedelta(seconds=seconds))


def minutes_worked(hours: Hours, start: datetime, end: datetime) -> Iterator[datetime]:
    """The minutes of [start, end) that are working time, found by looking at the clock on the wall every minute.

    Somebody comes when the clock first shows the beginning of a shift or more, and goes when it first shows the end
    or more, so the furthest that the clock has been counts.
    """
    furthest = (start - LEAD_IN).astimezone(hours.zone).replace(tzinfo=None)
    plan = list(planned(hours, furthest.date() - 3 * DAY, (end - start).days + 9))
    minute = start - LEAD_IN
    while minute < end:
        furthest = max(furthest, minute.astimezone(hours.zone).replace(tzinfo=None))
        present = hours.always or any(comes <= furthest < goes for comes, goes in plan)
        if minute >= start and present and not any(gone <= minute < back for gone, back in hours.leave):
            yield minute
        minute += MINUTE


def planned(hours: Hours, first: date, count: int) -> Iterator[tuple[datetime, datetime]]:
    for day in (first + number * DAY for number in range(count)):
        weekly = [
            (s.start, s.end) for s in hours.shifts if s.weekday == day.weekday() + 1 and day not in hours.holidays
        ]
        for begin, end in hours.exceptions.get(day, weekly):
            yield datetime.combine(day, begin), datetime.combine(day, end) + (DAY if end <= begin else timedelta(0))


@given(cases(), SPANS)
def test_intervals_are_what_the_oracle_sees(case, span):
    hours, start = case
    seen = set(minutes_worked(hours, start, start + span))
    found = list(intervals(hours, start, start + span))
    assert {a + n * MINUTE for a, b in found for n in range((b - a) // MINUTE)} == seen
    assert between(hours, start, start + span) == len(seen) * MINUTE


@given(cases(), st.integers(0, 1440))
def test_a_promise_is_due_when_the_oracle_has_seen_its_minutes(case, minutes):
    hours, start = case
    seen = list(minutes_worked(hours, start, start + DAY))
    due = add(hours, start, minutes * MINUTE)
    if len(seen) > minutes:
        assert due == (seen[minutes - 1] + MINUTE if minutes else seen[0])
    else:
        assert due is None or due > (seen[-1] if seen else start)


@given(cases(), SPANS)
def test_intervals_are_sorted_apart_and_inside(case, span):
    hours, start = case
    found = list(intervals(hours, start, start + span))
    assert all(start <= opens < closes <= start + span for opens, closes in found)
    assert all(closes < opens for (_, closes), (opens, _) in pairwise(found))


@given(cases(), SECONDS, SECONDS)
def test_open_is_to_lie_in_an_interval(case, early, late):
    hours, start = case
    moment, end = start + early, start + early + late + MINUTE
    inside = any(opens <= moment < closes for opens, closes in intervals(hours, start, end))
    assert is_open(hours, moment) == inside


@given(cases(), SECONDS)
def test_what_is_added_can_be_measured(case, span):
    hours, start = case
    due = add(hours, start, span)
    assume(due is not None)
    assert between(hours, start, due) == span
    # And at no earlier instant had it passed.
    assert span == timedelta(0) or between(hours, start, due - datetime.resolution) < span


@given(cases(), SECONDS, SECONDS)
def test_more_time_is_due_later_and_a_later_start_too(case, span, more):
    hours, start = case
    first, longer, later = add(hours, start, span), add(hours, start, span + more), add(hours, start + more, span)
    assert longer is None or (first is not None and first <= longer)
    assert first is None or later is None or first <= later


@given(cases(), SECONDS, SECONDS)
def test_time_adds_up(case, one, two):
    hours, start = case
    middle, end = start + one, start + one + two
    assert between(hours, start, middle) + between(hours, middle, end) == between(hours, start, end)


@given(cases(), SECONDS)
def test_nobody_works_before_the_next_opening_or_pauses_before_the_next_closing(case, wait):
    hours, start = case
    after = start + wait
    opening, closing = next_opening(hours, after), next_closing(hours, after)
    assert (opening == after) == is_open(hours, after)
    if opening is not None:
        assert is_open(hours, opening)
        assert between(hours, after, opening) == timedelta(0)
    if closing is not None:
        assert opening is not None
        assert not is_open(hours, closing)
        assert between(hours, opening, closing) == closing - opening


@given(cases(), SPANS)
def test_leave_takes_away_exactly_what_was_working_time(case, span):
    hours, start = case
    present = Hours(hours.zone, hours.shifts, hours.always, hours.holidays, hours.exceptions)
    taken = Hours(hours.zone, always=True, leave=hours.leave)
    absent = [(a, b) for a, b in pairwise(edges(taken, start, start + span)) if not is_open(taken, a)]
    gone = sum((between(present, *part) for part in absent), timedelta(0))
    assert between(hours, start, start + span) == between(present, start, start + span) - gone


def edges(hours: Hours, start: datetime, end: datetime) -> list[datetime]:
    return sorted({start, end, *(edge for span in intervals(hours, start, end) for edge in span)})
