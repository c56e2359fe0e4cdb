from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from distribution.engine.eligibility import FILTERS, Demand, screen
from distribution.engine.people import Cap, Leave, Relax
from tests.engine.worlds import member, pool, rep

UNTIL = datetime(2026, 3, 9, 8, tzinfo=UTC)
FITS = rep(1, "Ann", skills=frozenset({"crm", "voip"}), languages=frozenset({"de"}), territories=frozenset({4}))
FULL_DEMAND = Demand(
    skills=frozenset({"crm"}),
    language="de",
    territory_id=4,
    needs_territory=True,
    had=frozenset({8}),
    excluded=frozenset({9}),
    weights_count=True,
)
# What is wrong with the person or the place, the demand, and what is told.
BLOCKED = [
    ("inactive", {"active": False}, {}, {}, "not active"),
    ("already_had", {}, {}, {"had": frozenset({1})}, "already had this lead"),
    ("excluded", {}, {}, {"excluded": frozenset({1})}, "excluded for this lead"),
    ("skill", {"skills": frozenset({"voip"})}, {}, {"skills": frozenset({"crm", "voip", "erp"})}, "lacks crm, erp"),
    ("language", {"languages": frozenset({"en"})}, {}, {}, "does not speak the lead's language (de)"),
    ("territory", {"territories": frozenset({5})}, {}, {}, "not in the territory"),
    ("territory", {}, {}, {"territory_id": None}, "not in the territory"),
    ("no_weight", {}, {"weight": 0}, {}, "weight 0"),
    ("paused", {}, {"paused": True}, {}, "paused in this pool"),
    ("away", {"away": True}, {}, {}, "away"),
    ("away", {"away": True, "away_reason": "on leave"}, {}, {}, "on leave"),
    (
        "away",
        {"away": True, "away_reason": "on leave", "away_until": UNTIL},
        {},
        {},
        "on leave until 2026-03-09 08:00 UTC",
    ),
    ("on_leave", {"leave": Leave(UNTIL)}, {}, {}, "on leave until 2026-03-09 08:00 UTC"),
    ("on_leave", {"leave": Leave(UNTIL, "parental leave")}, {}, {}, "parental leave until 2026-03-09 08:00 UTC"),
    ("off_hours", {"off_hours": True}, {}, {}, "outside working hours"),
    ("off_hours", {"off_hours": True, "opens_at": UNTIL}, {}, {}, "outside working hours until 2026-03-09 08:00 UTC"),
    ("at_capacity", {"capacity": 5, "open_leads": 5}, {}, {}, "at 5 of 5 open"),
    ("at_capacity", {"capacity": 5, "open_leads": 6}, {}, {}, "at 6 of 5 open"),
    ("at_capacity", {"capacity": 0}, {}, {}, "at 0 of 0 open"),
    ("at_pool_cap", {}, {"max_open": 2, "open_leads": 2}, {}, "at 2 of 2 open in this pool"),
    ("at_pool_cap", {}, {"max_open": 0}, {}, "at 0 of 0 open in this pool"),
    ("at_cap", {"caps": (Cap("hour", 3, 2), Cap("day", 9, 9))}, {}, {}, "at 9 of 9 per day"),
    ("at_cap", {"caps": (Cap("day", 9, 9, rolling=True),)}, {}, {}, "at 9 of 9 in 24 hours"),
]
LATER = datetime(2026, 3, 16, 8, tzinfo=UTC)
# What is wrong with the person, and when that would change.
CHANGES = [
    ({"leave": Leave(UNTIL)}, UNTIL),
    ({"away": True}, None),
    ({"away": True, "away_until": UNTIL}, UNTIL),
    ({"off_hours": True}, None),
    ({"off_hours": True, "opens_at": UNTIL}, UNTIL),
    ({"capacity": 1, "open_leads": 1}, None),
    ({"caps": (Cap("hour", 1, 1, until=UNTIL), Cap("day", 2, 1, until=LATER))}, UNTIL),
    ({"caps": (Cap("hour", 1, 1, until=UNTIL), Cap("day", 1, 1, until=LATER))}, LATER),
    ({"caps": (Cap("hour", 1, 1, until=UNTIL), Cap("day", 0, 1))}, None),
]
ALLOWED = [
    {},
    {"capacity": 5, "open_leads": 4},
    {"caps": (Cap("hour", 3, 2),)},
    {"skills": frozenset({"crm", "voip", "erp"})},
]


@pytest.mark.parametrize(("code", "person", "place", "demand", "phrase"), BLOCKED)
def test_whoever_cannot_take_the_lead_is_refused_with_a_code_and_words(code, person, place, demand, phrase):
    result = screen(pool(member(replace(FITS, **person), **place)), FULL_DEMAND._replace(**demand))
    assert [(reason.code, reason.phrase) for _, reason in result.refused] == [(code, phrase)]
    assert result.eligible == []


@pytest.mark.parametrize(("person", "until"), CHANGES)
def test_a_refusal_knows_when_it_would_change(person, until):
    [(_, reason)] = screen(pool(member(replace(FITS, **person))), FULL_DEMAND).refused
    assert reason.until == until


@pytest.mark.parametrize("person", ALLOWED)
def test_whoever_meets_every_demand_is_eligible(person):
    result = screen(pool(member(replace(FITS, **person), max_open=2, open_leads=1)), FULL_DEMAND)
    assert [place.rep.name for place in result.eligible] == ["Ann"]


def test_every_filter_is_shown_above():
    assert {row[0] for row in BLOCKED} == set(FILTERS)


def test_the_first_reason_in_the_order_of_the_filters_is_told():
    wrong = rep(1, active=False, away=True, capacity=0)
    codes = []
    for person in (wrong, replace(wrong, active=True), replace(wrong, active=True, away=False)):
        [(_, reason)] = screen(pool(member(person)), Demand()).refused
        codes.append(reason.code)
    assert codes == ["inactive", "away", "at_capacity"]


def test_a_demand_that_asks_for_nothing_refuses_no_one():
    bare = member(rep(1), weight=0)
    assert screen(pool(bare), Demand()).eligible == [bare]


@pytest.mark.parametrize(
    ("relax", "eligible", "relaxed"),
    [
        ((), [], ()),
        (("language",), ["Bob"], ("language",)),
        (("skill",), ["Cem"], ("skill",)),
        (("language", "skill"), ["Bob"], ("language",)),
        (("skill", "language"), ["Cem"], ("skill",)),
    ],
)
def test_demands_are_dropped_one_by_one_in_the_pools_order_and_no_further_than_needed(relax, eligible, relaxed):
    relax = tuple(map(Relax, relax))
    bob = member(rep(2, "Bob", skills=frozenset({"crm"})))
    cem = member(rep(3, "Cem", languages=frozenset({"de"})))
    demand = Demand(skills=frozenset({"crm"}), language="de")
    result = screen(pool(bob, cem, relax=relax), demand)
    assert ([place.rep.name for place in result.eligible], result.relaxed) == (eligible, relaxed)


def test_nothing_is_dropped_while_somebody_meets_every_demand():
    ann, bob = member(FITS), member(rep(2, "Bob"))
    result = screen(
        pool(ann, bob, relax=(Relax("skill"), Relax("language"))), Demand(skills=frozenset({"crm"}), language="de")
    )
    assert (result.eligible, result.relaxed) == ([ann], ())


@pytest.mark.parametrize("hard", [code for code in FILTERS if not FILTERS[code].soft])
def test_hard_filters_never_relax(hard):
    person, place, demand = next(row[1:4] for row in BLOCKED if row[0] == hard)
    entry = pool(member(replace(FITS, **person), **place), relax=tuple(map(Relax, (hard, "skill", "language"))))
    assert screen(entry, FULL_DEMAND._replace(**demand)).eligible == []


@pytest.mark.parametrize(
    ("minutes", "relaxed"), [(0, ()), (9, ()), (10, ("language",)), (29, ("language",)), (30, ("language", "skill"))]
)
def test_a_demand_is_dropped_when_the_lead_has_waited_long_enough(minutes, relaxed):
    steps = (Relax("language", 10), Relax("skill", 30))
    demand = Demand(skills=frozenset({"crm"}), language="de")
    result = screen(pool(member(rep(2)), relax=steps), demand, timedelta(minutes=minutes))
    assert (result.relaxed, bool(result.eligible)) == (relaxed, minutes >= 30)


def test_what_comes_after_a_demand_that_still_holds_is_not_dropped():
    steps = (Relax("language", 10), Relax("skill", 0))
    result = screen(pool(member(rep(2)), relax=steps), Demand(skills=frozenset({"crm"})))
    assert (result.relaxed, result.eligible) == ((), [])
