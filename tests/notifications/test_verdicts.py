"""The rules of the guard: nothing leaves that a rule forbids, and nothing is lost that will be legal later."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications.verdicts import DAY, Facts, Limit, Outcome, first_minute, judge

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
MINUTE = timedelta(minutes=1)
# Half hours, quarter hours, the far ends of the day, clocks that go forward by half an hour and by two.
ZONES = [
    ZoneInfo(name)
    for name in (
        "Europe/Berlin America/New_York Asia/Kathmandu Australia/Lord_Howe Antarctica/Troll Pacific/Chatham "
        "America/St_Johns Pacific/Honolulu Pacific/Kiritimati Africa/Casablanca UTC"
    ).split()
]
NIGHTS_OF_CHANGE = ("2025-03-30", "2025-10-26", "2026-03-08", "2026-11-01", "2026-04-04", "2026-10-03")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def facts(**more) -> Facts:
    return Facts(**{"consent": True, "zones": (BERLIN,), "opens": time(8), "closes": time(21)} | more)


# --- Properties ----------------------------------------------------------------------------------


def awake(rules: Facts, moment: datetime) -> bool:
    if rules.opens is None:
        return True
    return all(rules.opens <= moment.astimezone(zone).time() < rules.closes for zone in rules.zones)


def legal(rules: Facts, moment: datetime) -> bool:
    """The rules once more, read off the issue and not off the code; for a moment when nothing more was sent or came."""
    window = not rules.needs_window or (
        rules.last_inbound is not None and moment - rules.last_inbound < timedelta(hours=24)
    )
    room = all(len([sent for sent in limit.sent if sent > moment - DAY]) < limit.most for limit in rules.limits)
    return bool(rules.consent) and not rules.stopped and not rules.never and window and room and awake(rules, moment)


whole_minutes = st.builds(time, st.integers(0, 23), st.integers(0, 59))
moments = st.one_of(
    st.datetimes(datetime.fromisoformat("2024-01-01"), datetime.fromisoformat("2028-01-01")),
    st.builds(
        lambda day, seconds: datetime.fromisoformat(day) + timedelta(seconds=seconds),
        st.sampled_from(NIGHTS_OF_CHANGE),
        st.integers(-DAY.total_seconds(), DAY.total_seconds()),
    ),
).map(lambda naive: naive.replace(tzinfo=UTC))


@st.composite
def situations(draw) -> tuple[Facts, datetime]:
    now = draw(moments)
    hours = draw(st.none() | st.tuples(whole_minutes, whole_minutes).filter(lambda pair: pair[0] < pair[1]))
    ages = st.lists(st.integers(0, 24 * 60 * 60), max_size=4)
    limits = [
        Limit(whom, draw(st.integers(0, 4)), tuple(sorted(now - timedelta(seconds=age) for age in draw(ages))))
        for whom in ("for one lead", "for one address")
    ]
    inbound = draw(st.none() | st.integers(0, 30 * 60 * 60))
    rules = Facts(
        consent=draw(st.sampled_from([True, True, True, False, None])),
        stopped=draw(st.sampled_from(["", "", "", "The receiver said STOP."])),
        never=draw(st.sampled_from(["", "", "", "The lead is closed."])),
        zones=tuple(draw(st.lists(st.sampled_from(ZONES), min_size=1, max_size=3))),
        opens=hours[0] if hours else None,
        closes=hours[1] if hours else None,
        limits=tuple(limits),
        needs_window=draw(st.booleans()),
        last_inbound=None if inbound is None else now - timedelta(seconds=inbound),
    )
    return rules, now


@settings(max_examples=400)
@given(situations())
def test_no_message_leaves_that_a_rule_forbids(situation):
    rules, now = situation
    verdict = judge(rules, now)
    assert verdict.allowed == legal(rules, now)
    assert (verdict.reason == "") == verdict.allowed


@settings(max_examples=400)
@given(situations())
def test_a_delayed_message_waits_for_the_first_legal_moment_and_that_moment_is_legal(situation):
    rules, now = situation
    verdict = judge(rules, now)
    if verdict.outcome != Outcome.DELAYED:
        assert verdict.until is None
        return
    assert verdict.until > now
    assert legal(rules, verdict.until)
    assert judge(rules, verdict.until).allowed
    moment = now.replace(second=0, microsecond=0) + MINUTE
    while moment < verdict.until:
        assert not legal(rules, moment)
        moment += MINUTE


@settings(max_examples=400)
@given(situations())
def test_nothing_is_suppressed_that_will_be_legal_later(situation):
    rules, now = situation
    if judge(rules, now).outcome == Outcome.SUPPRESSED:
        assert not any(legal(rules, now + minutes * MINUTE) for minutes in range(0, 3 * 24 * 60, 7))


@settings(max_examples=200)
@given(situations())
def test_an_emergency_stop_lets_nothing_go_and_loses_nothing(situation):
    rules, now = situation
    stopped = judge(Facts(**{name: getattr(rules, name) for name in Facts.__slots__} | {"emergency": "Fire"}), now)
    assert not stopped.allowed
    if legal(rules, now):
        assert stopped.outcome == Outcome.DELAYED
        assert stopped.until > now


# --- Edges ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-01-15 07:00:00", None),  # 08:00 in Berlin
        ("2026-01-15 06:59:59", "2026-01-15 07:00:00"),
        ("2026-01-15 19:59:59", None),  # a second before 21:00
        ("2026-01-15 20:00:00", "2026-01-16 07:00:00"),
        ("2026-07-15 06:00:00", None),  # in summer an hour sooner
        ("2026-03-28 22:00:00", "2026-03-29 06:00:00"),  # the night has an hour less
        ("2026-10-24 22:00:00", "2026-10-25 07:00:00"),  # and one more
    ],
)
def test_quiet_hours_end_when_the_clock_there_says_so(now, until):
    verdict = judge(facts(), at(now))
    assert verdict.until == (at(until) if until else None)
    assert verdict.allowed == (until is None)


def test_an_opening_that_the_change_of_clocks_skips_is_the_moment_of_the_change():
    assert first_minute(facts(opens=time(2, 30)), at("2026-03-29 00:00")) == at("2026-03-29 01:00")


def test_in_an_hour_that_comes_twice_the_clock_on_the_wall_decides_each_time():
    night = facts(opens=time(2, 30), closes=time(3))
    assert [judge(night, at(f"2026-10-25 {clock}")).allowed for clock in ("00:30", "01:00", "01:30")] == [
        True,
        False,
        True,
    ]


def test_in_several_zones_it_must_be_day_in_all_of_them():
    both = facts(zones=(BERLIN, NEW_YORK))
    assert judge(both, at("2026-01-15 09:00")).until == at("2026-01-15 13:00")
    assert judge(both, at("2026-01-15 20:00")).until == at("2026-01-16 13:00")


def test_when_no_minute_suits_all_zones_the_message_is_suppressed_and_says_what_would_help():
    ends = facts(zones=(ZoneInfo("Pacific/Honolulu"), ZoneInfo("Asia/Kathmandu")), opens=time(9), closes=time(12))
    verdict = judge(ends, at("2026-01-15 09:00"))
    assert verdict.outcome == Outcome.SUPPRESSED
    assert "Give the lead a country, a region or a time zone." in verdict.reason


@pytest.mark.parametrize(
    ("passed", "allowed"), [("23:59:59", True), ("23:59:59.999999", True), ("24:00:00", False), ("24:00:01", False)]
)
def test_the_window_of_whatsapp_is_shut_when_24_hours_are_full(passed, allowed):
    hours, minutes, seconds = passed.split(":")
    since = timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
    now = at("2026-01-15 12:00")
    assert judge(facts(needs_window=True, last_inbound=now - since), now).allowed == allowed


def test_a_message_whose_window_shuts_before_it_is_day_is_suppressed():
    now = at("2026-01-15 22:00")
    late = facts(needs_window=True, last_inbound=at("2026-01-15 06:59"))
    assert "approved templates" in judge(late, now).reason
    soon_enough = facts(needs_window=True, last_inbound=at("2026-01-15 07:01"))
    assert judge(soon_enough, now).until == at("2026-01-16 07:00")


def test_a_full_day_waits_until_the_oldest_message_is_a_day_old():
    now = at("2026-01-15 12:00")
    sent = (at("2026-01-14 13:30:10"), at("2026-01-15 09:00"))
    verdict = judge(facts(limits=(Limit("for one lead", 2, sent),)), now)
    assert verdict.until == at("2026-01-15 13:30:10")
    assert verdict.reason == "Daily limit for one lead: 2 in 24 hours."


def test_a_limit_that_ends_at_night_waits_until_the_morning():
    sent = (at("2026-01-14 21:30"),)
    verdict = judge(facts(limits=(Limit("for one lead", 1, sent),)), at("2026-01-15 12:00"))
    assert verdict.until == at("2026-01-16 07:00")
