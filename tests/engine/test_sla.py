"""What happens to a clock, and when: tables, to the second."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distribution.engine import sla
from distribution.engine.sla import Clock, Count, Rung, apply, build_ladder, counted, due_at, next_at, take
from distribution.engine.worktime import Hours, Shift

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTES = [timedelta(minutes=n) for n in range(200)]


def weekdays(begins=10, ends=18, zone="UTC", **more):
    return Hours(ZoneInfo(zone), tuple(Shift(day, time(begins), time(ends)) for day in range(1, 6)), **more)


def clock(minutes=15, *rungs, start=MONDAY, hours=None, **more):
    """A clock with rungs (after minutes, action)."""
    span = MINUTES[minutes] if minutes < 200 else timedelta(minutes=minutes)
    steps = [Rung(key, timedelta(minutes=after), action) for key, (after, action) in enumerate(rungs, 1)]
    return Clock(span, build_ladder(span, steps), Count(start, timedelta(), hours), **more)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


EVENTS = (sla.PAUSE, sla.RESUME, sla.MOVE, sla.RESTART, sla.MEET, sla.END)
NEXT = {
    sla.RUNNING: ("paused", "running", "running", "running", "stopped", "stopped"),
    sla.PAUSED: ("paused", "running", "paused", "paused", "stopped", "stopped"),
    sla.STOPPED: ("stopped",) * 6,
}


@pytest.mark.parametrize(
    ("state", "event", "after"),
    [(state, event, after) for state, row in NEXT.items() for event, after in zip(EVENTS, row, strict=True)],
)
def test_every_state_knows_every_event(state, event, after):
    assert apply(clock(state=state), event, MONDAY).state == after


@pytest.mark.parametrize(("state", "event"), [("paused", "pause"), ("running", "resume"), ("stopped", "meet")])
def test_what_means_nothing_changes_nothing(state, event):
    before = clock(state=state)
    assert apply(before, event, MONDAY + MINUTES[5]) is before


@pytest.mark.parametrize(
    ("created", "due"),
    [  # hours 10 to 18, 60 minutes; the 7th of April 2026 follows a holiday on a Monday
        ("2026-03-02 08:00", "2026-03-02 11:00"),
        ("2026-03-02 20:00", "2026-03-03 11:00"),
        ("2026-03-06 17:30", "2026-03-09 10:30"),
        ("2026-03-07 12:00", "2026-03-09 11:00"),
        ("2026-04-03 12:00", "2026-04-07 11:00"),
    ],
)
def test_a_promise_in_working_hours_is_due_in_working_hours(created, due):
    free = {at(day).date(): "Easter" for day in ("2026-04-03", "2026-04-06")}
    assert due_at(clock(60, start=at(created), hours=weekdays(holidays=free))) == at(due)


@pytest.mark.parametrize(
    ("zone", "start", "due"),
    [  # two hours from half past one, over the change of clocks: forward and back, north and south
        ("Europe/Berlin", "2026-03-29 00:30", "2026-03-29 02:30"),
        ("Europe/Berlin", "2026-10-25 00:30", "2026-10-25 02:30"),
        ("Australia/Sydney", "2026-10-03 15:30", "2026-10-03 17:30"),
        ("Australia/Sydney", "2026-04-04 15:30", "2026-04-04 17:30"),
    ],
)
def test_two_hours_are_two_hours_over_a_change_of_clocks(zone, start, due):
    for hours in (None, Hours(ZoneInfo(zone), always=True)):
        assert due_at(clock(120, start=at(start), hours=hours)) == at(due)


@pytest.mark.parametrize(
    ("zone", "start", "due"),
    [  # an hour left on Friday and one on Monday at nine, local: the clocks change in between
        ("Europe/Berlin", "2026-03-27 16:00", "2026-03-30 08:00"),
        ("Europe/Berlin", "2026-10-23 15:00", "2026-10-26 09:00"),
        ("Australia/Sydney", "2026-10-02 07:00", "2026-10-04 23:00"),
        ("Australia/Sydney", "2026-04-03 06:00", "2026-04-06 00:00"),
    ],
)
def test_working_time_keeps_to_the_clock_on_the_wall_over_a_change(zone, start, due):
    assert due_at(clock(120, start=at(start), hours=weekdays(9, 18, zone))) == at(due)


def test_a_lunch_break_is_not_counted():
    shifts = tuple(Shift(1, time(a), time(b)) for a, b in ((9, 12), (13, 18)))
    assert due_at(clock(60, start=at("2026-03-02 11:30"), hours=Hours(UTC, shifts))) == at("2026-03-02 13:30")


def test_without_any_working_time_nothing_is_ever_due():
    never = clock(15, (5, "remind"), hours=Hours(UTC))
    assert (due_at(never), next_at(never)) == (None, None)


def test_a_pause_of_thirty_minutes_makes_it_due_thirty_minutes_later():
    paused = apply(clock(60), sla.PAUSE, MONDAY + MINUTES[10])
    assert due_at(paused) is None
    assert due_at(apply(paused, sla.RESUME, MONDAY + MINUTES[40])) == MONDAY + MINUTES[90]


def test_a_pause_over_the_weekend_adds_only_working_time():
    running = clock(60, start=at("2026-03-06 17:30"), hours=weekdays())
    resumed = apply(apply(running, sla.PAUSE, at("2026-03-06 17:45")), sla.RESUME, at("2026-03-09 10:10"))
    assert due_at(resumed) == at("2026-03-09 10:55")


def test_what_was_counted_by_one_owners_hours_stays_counted_under_anothers():
    moved = apply(clock(60, hours=weekdays(9, 10)), sla.MOVE, MONDAY + MINUTES[45], weekdays(14, 18))
    assert due_at(moved) == at("2026-03-02 14:15")


def test_hours_that_change_during_a_pause_keep_the_pause():
    paused = apply(clock(60, hours=weekdays()), sla.PAUSE, at("2026-03-02 10:20"))
    moved = apply(paused, sla.MOVE, at("2026-03-02 16:00"), weekdays(8, 12))
    assert (moved.state, due_at(moved)) == (sla.PAUSED, None)
    assert due_at(apply(moved, sla.RESUME, at("2026-03-03 08:00"))) == at("2026-03-03 08:40")


def test_a_restart_begins_at_nothing():
    assert due_at(apply(clock(60), sla.RESTART, MONDAY + MINUTES[50])) == MONDAY + MINUTES[110]


SECOND = timedelta(seconds=1)
DUE = MONDAY + MINUTES[15]


@pytest.mark.parametrize(
    ("event", "when", "outcome", "broken_at"),
    [
        (sla.MEET, DUE - SECOND, "kept", None),
        (sla.MEET, DUE, "kept", None),
        (sla.MEET, DUE + SECOND, "late", DUE),
        (sla.END, DUE - SECOND, "ended", None),
        (sla.END, DUE + SECOND, "late", DUE),
    ],
)
def test_a_promise_is_kept_until_it_is_due_whether_or_not_anybody_looked(event, when, outcome, broken_at):
    stopped = apply(clock(), event, when)
    assert (stopped.outcome, stopped.broken_at) == (outcome, broken_at)


@pytest.mark.parametrize(("paused_at", "outcome"), [(MINUTES[10], "kept"), (MINUTES[20], "late")])
def test_a_pause_hides_no_lateness_and_makes_none(paused_at, outcome):
    paused = apply(clock(), sla.PAUSE, MONDAY + paused_at)
    assert apply(paused, sla.MEET, MONDAY + MINUTES[100]).outcome == outcome


def test_late_stays_late_whatever_happens_afterwards():
    broken = take(clock(), DUE)
    assert broken.broken_at == DUE
    for event in (sla.PAUSE, sla.RESUME, sla.MOVE, sla.RESTART, sla.MEET):
        broken = apply(broken, event, DUE + MINUTES[10])
        assert broken.broken_at == DUE
    assert broken.outcome == "late"


@pytest.mark.parametrize(
    ("event", "when", "outcome", "broken_at"),
    [
        (sla.MEET, DUE, "kept", None),
        (sla.MEET, DUE + SECOND, "late", DUE),
        (sla.END, DUE, "late", DUE),
        (sla.END, DUE + SECOND, "late", DUE),
    ],
)
@pytest.mark.parametrize("paused", [False, True])
def test_what_was_done_in_time_keeps_a_promise_that_was_taken_for_broken(event, when, outcome, broken_at, paused):
    broken = take(clock(), DUE + MINUTES[1])
    broken = apply(broken, sla.PAUSE, DUE + MINUTES[2]) if paused else broken
    stopped = apply(broken, event, when)
    assert (stopped.outcome, stopped.broken_at) == (outcome, broken_at)


def test_the_ladder_is_taken_in_order_with_the_breaking_first_among_equals():
    walked, told = clock(15, (20, "reassign"), (15, "manager"), (5, "remind")), []
    while rung := sla.next_rung(walked):
        told.append((rung.action, next_at(walked)))
        walked = take(walked, next_at(walked))
    assert told == [
        ("remind", MONDAY + MINUTES[5]),
        ("break", DUE),
        ("manager", DUE),
        ("reassign", MONDAY + MINUTES[20]),
    ]
    assert next_at(walked) is None


def test_a_ladder_comes_back_from_json_as_it_was():
    ladder = clock(15, (5, "remind"), (20, "reassign")).ladder
    assert sla.load_ladder(sla.dump_ladder(ladder)) == ladder


# --- For any clock -------------------------------------------------------------------------------

spans = st.integers(1, 600).map(lambda n: timedelta(minutes=n))
instants = st.integers(0, 14 * 24 * 60).map(lambda n: MONDAY + timedelta(minutes=n))
some_hours = st.sampled_from([
    None, weekdays(), weekdays(22, 6), weekdays(9, 17, "America/New_York"), weekdays(0, 0, "Asia/Kolkata"),
])  # fmt: skip


@given(spans, some_hours, st.lists(st.tuples(instants, instants), max_size=4))
def test_pauses_take_away_exactly_the_working_time_that_they_last(span, hours, pauses):
    running, lost, ends = Clock(span, build_ladder(span, ()), Count(MONDAY, timedelta(), hours)), timedelta(), MONDAY
    for begins, stops in sorted((min(pair), max(pair)) for pair in pauses):
        if begins < ends:
            continue
        lost += counted(Count(begins, timedelta(), hours), stops)
        running, ends = apply(apply(running, sla.PAUSE, begins), sla.RESUME, stops), stops
    later = ends + timedelta(days=30)
    assert counted(running.count, later) == counted(Count(MONDAY, timedelta(), hours), later) - lost


@given(st.lists(st.integers(1, 900), max_size=6), some_hours, some_hours, instants)
def test_after_a_change_of_hours_no_rung_that_was_taken_comes_again(afters, before, after, change):
    walked = clock(60, *((minutes, "remind") for minutes in afters), hours=before)
    taken = []
    while (rung := sla.next_rung(walked)) and (next_at(walked) or change) < change:
        taken.append(rung.key)
        walked = take(walked, next_at(walked))
    walked = apply(walked, sla.MOVE, change, after)
    while rung := sla.next_rung(walked):
        assert (next_at(walked) or change) >= change
        taken.append(rung.key)
        walked = take(walked, change)
    assert sorted(taken) == list(range(len(afters) + 1))


@pytest.mark.parametrize("hours", [None, weekdays()])
def test_a_clock_that_is_paused_as_it_begins_has_spent_nothing(hours):
    start = at("2026-03-02 11:00")
    paused = apply(clock(60, start=start, hours=hours), sla.PAUSE, start)
    resumed = apply(paused, sla.RESUME, at("2026-03-02 12:00"))
    assert paused.count.used == timedelta()
    assert due_at(resumed) == at("2026-03-02 13:00")


def test_after_the_last_rung_there_is_none_to_take():
    promised = clock(15, (5, "remind"))
    for _ in promised.ladder:
        promised = take(promised, MONDAY)
    assert take(promised, MONDAY) is promised
