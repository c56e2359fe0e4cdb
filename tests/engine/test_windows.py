from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from distribution.engine.rules import INACTIVE, MATCHED, Window, examine
from tests.engine.worlds import NOW, facts, rule, when

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = {"from_time": time(9), "to_time": time(18)}
NIGHT = {"from_time": time(22), "to_time": time(6)}


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "moment", "closed"),
    [
        ({}, "2026-03-02 00:00", ""),
        ({"valid_from": at("2026-03-02 10:00")}, "2026-03-02 09:59", "not before 2026-03-02 10:00 UTC"),
        ({"valid_from": at("2026-03-02 10:00")}, "2026-03-02 10:00", ""),
        ({"valid_until": at("2026-03-02 10:00")}, "2026-03-02 09:59", ""),
        ({"valid_until": at("2026-03-02 10:00")}, "2026-03-02 10:00", "ended 2026-03-02 10:00 UTC"),
        ({"weekdays": frozenset({1})}, "2026-03-02 12:00", ""),
        ({"weekdays": frozenset({1})}, "2026-03-03 12:00", "outside its days and hours"),
        (OFFICE, "2026-03-02 08:59", "outside its days and hours"),
        (OFFICE, "2026-03-02 09:00", ""),
        (OFFICE, "2026-03-02 17:59", ""),
        (OFFICE, "2026-03-02 18:00", "outside its days and hours"),
        (NIGHT, "2026-03-02 21:59", "outside its days and hours"),
        (NIGHT, "2026-03-02 22:00", ""),
        (NIGHT, "2026-03-03 05:59", ""),
        (NIGHT, "2026-03-03 06:00", "outside its days and hours"),
        # Monday's night shift ends on Tuesday morning, and Monday morning belongs to Sunday.
        (NIGHT | {"weekdays": frozenset({1})}, "2026-03-03 03:00", ""),
        (NIGHT | {"weekdays": frozenset({1})}, "2026-03-02 03:00", "outside its days and hours"),
        (NIGHT | {"weekdays": frozenset({7})}, "2026-03-02 03:00", ""),
        # Days and hours are those of its zone: 23:30 UTC on Sunday is Monday in Berlin.
        ({"weekdays": frozenset({1}), "zone": BERLIN}, "2026-03-01 23:30", ""),
        ({"weekdays": frozenset({7}), "zone": BERLIN}, "2026-03-01 23:30", "outside its days and hours"),
        # Nine in Berlin is eight in winter and seven in summer.
        (OFFICE | {"zone": BERLIN}, "2026-03-27 08:00", ""),
        (OFFICE | {"zone": BERLIN}, "2026-03-27 07:59", "outside its days and hours"),
        (OFFICE | {"zone": BERLIN}, "2026-03-30 07:00", ""),
        (OFFICE | {"zone": BERLIN}, "2026-03-30 06:59", "outside its days and hours"),
    ],
)
def test_window(window, moment, closed):
    assert Window(**window).closed(at(moment)) == closed


def test_a_closed_rule_is_inactive_and_says_why():
    look = examine(rule(window=Window(valid_until=NOW)), facts(), frozenset, NOW)
    assert (look.result, look.reason) == (INACTIVE, "ended 2026-03-02 09:30 UTC")


def test_a_rule_that_is_switched_off_is_inactive_even_when_it_would_match():
    look = examine(rule(active=False), facts(), frozenset, NOW)
    assert (look.result, look.reason) == (INACTIVE, "switched off")


def test_a_rule_without_conditions_always_matches():
    assert examine(rule(), facts(), frozenset, NOW).result == MATCHED


DE, BIG, BROKEN = when("country", "is", "DE"), when("employees", "gte", 100), when("employees", "is_not", 5)


@pytest.mark.parametrize(
    ("groups", "result", "told"),
    [
        (((DE, BIG),), "passed", [(BIG, False)]),
        (((BIG, DE),), "passed", [(BIG, False)]),
        (((DE,),), "matched", [(DE, True)]),
        (((BIG,), (DE,)), "matched", [(DE, True)]),
        (((BIG, DE), (DE, BIG)), "passed", [(BIG, False), (BIG, False)]),
    ],
)
def test_all_of_one_group_and_any_one_group(groups, result, told):
    look = examine(rule(groups=groups), facts(country="DE", employees=5), frozenset, NOW)
    assert (look.result, [(check.condition, check.holds) for check in look.checks]) == (result, told)


@pytest.mark.parametrize(
    ("groups", "result"), [(((BROKEN,),), "error"), (((BROKEN,), (DE,)), "matched"), (((BROKEN, DE),), "error")]
)
def test_a_condition_that_cannot_be_evaluated_is_an_error_unless_another_group_matches(groups, result):
    look = examine(rule(groups=groups), facts(country="DE", employees="five"), frozenset, NOW)
    assert look.result == result
