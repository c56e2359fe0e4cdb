from datetime import UTC, datetime

import pytest

from distribution.engine.ledger import UNIT
from distribution.engine.methods import METHODS
from distribution.engine.people import Cap
from distribution.engine.routing import route
from distribution.engine.sentences import method_label, sentence
from distribution.engine.targets import TARGETS
from distribution.engine.territories import Area, build_index
from tests.engine.worlds import facts, member, pool, rep, rule, rules, territory, when, world

MONDAY = datetime(2026, 3, 9, 8, tzinfo=UTC)
ANN, BOB = rep(1, "Ann"), rep(2, "Bob")
DAN = rep(4, "Dan", away=True, away_reason="on leave", away_until=MONDAY)
EVE = rep(5, "Eve", capacity=25, open_leads=25)
FAY = rep(6, "Fay", caps=(Cap("day", 4, 4),))
NORTH = build_index([territory(1, name="North")], [Area(1, country="DE")])


def senior(*people, method="round_robin", **values):
    return pool(*map(member, people), method=method, name="DACH senior", **values)


def dach(**values):
    return rule(values.pop("id", 1), when("country", "is", "DE"), **{"name": "Enterprise DACH"} | values)


SENTENCES = [
    (
        [dach()],
        [senior(ANN, BOB, DAN, EVE)],
        "Assigned to Ann: rule “Enterprise DACH”, pool “DACH senior”, round robin, most owed (+0.50); "
        "skipped: Dan on leave until 2026-03-09 08:00 UTC, Eve at 25 of 25 open.",
    ),
    (
        [dach()],
        [pool(member(ANN), member(BOB, weight=9), name="P")],
        "Assigned to Bob: rule “Enterprise DACH”, pool “P”, weighted round robin, most owed (+0.90).",
    ),
    (
        [dach()],
        [senior(ANN, DAN, EVE, FAY, rep(7, "Gus", active=False))],
        "Assigned to Ann: rule “Enterprise DACH”, pool “DACH senior”, round robin, the only one who could take it; "
        "skipped: Dan on leave until 2026-03-09 08:00 UTC, Eve at 25 of 25 open, Fay at 4 of 4 per day, 1 more.",
    ),
    (
        [dach()],
        [senior(ANN, rep(2, "Bob", open_leads=3), method="least_loaded")],
        "Assigned to Ann: rule “Enterprise DACH”, pool “DACH senior”, least loaded, 0 open.",
    ),
    (
        [dach(target="rep", rep_id=1)],
        [],
        "Assigned to Ann: rule “Enterprise DACH”, one rep.",
    ),
    (
        [dach(target="account_owner")],
        [],
        "Assigned to Bob: rule “Enterprise DACH”, the account's owner.",
    ),
    (
        [dach(unavailable="fallback", fallback_pool_id=2)],
        [senior(DAN), pool(member(ANN), id=2, name="Rest")],
        "Assigned to Ann: rule “Enterprise DACH”, pool “DACH senior”: nobody is there (Dan on leave until "
        "2026-03-09 08:00 UTC); so its fallback, pool “Rest”, weighted round robin, the only one who could take it.",
    ),
    (
        [dach(), dach(id=2, name="Second", pool_id=2)],
        [senior(DAN), pool(member(ANN), member(EVE), id=2, name="Rest")],
        "Assigned to Ann: rule “Enterprise DACH”, pool “DACH senior”: nobody is there (Dan on leave until "
        "2026-03-09 08:00 UTC); so rule “Second”, pool “Rest”, weighted round robin, the only one who could take it; "
        "skipped: Eve at 25 of 25 open.",
    ),
    (
        [
            dach(target="rep", rep_id=5),
            dach(id=2, name="Second", target="territory_pool"),
            dach(id=3, name="Third"),
            dach(id=4, name="Fourth"),
            dach(id=5, name="Fifth", target="rep", rep_id=1),
        ],
        [senior(DAN)],
        "Assigned to Ann: rule “Enterprise DACH”: everyone is full (Eve at 25 of 25 open); "
        "rule “Second”: territory “North” has no pool; rule “Third”, pool “DACH senior”: nobody is there "
        "(Dan on leave until 2026-03-09 08:00 UTC); 1 more in vain; so rule “Fifth”, one rep.",
    ),
    (
        [dach(target="rep", rep_id=5), dach(id=2, name="Second", unavailable="fallback", fallback_pool_id=2)],
        [senior(DAN), pool(member(ANN), id=2, name="Rest", method="claim")],
        "Offered to Ann: rule “Enterprise DACH”: everyone is full (Eve at 25 of 25 open); rule “Second”, "
        "pool “DACH senior”: nobody is there (Dan on leave until 2026-03-09 08:00 UTC); so its fallback, pool “Rest”, "
        "claim; the first to accept has it.",
    ),
    (
        [dach()],
        [senior(DAN), pool(member(ANN), id=3, name="Rest")],
        "Assigned to Ann: rule “Enterprise DACH”, pool “DACH senior”: nobody is there (Dan on leave until "
        "2026-03-09 08:00 UTC); so catch-all, pool “Rest”, weighted round robin, the only one who could take it.",
    ),
    (
        [dach(), dach(id=2, name="Second", pool_id=2, unavailable="hold")],
        [senior(EVE), pool(member(DAN), id=2, name="Rest")],
        "Waiting until someone is available: rule “Enterprise DACH”, pool “DACH senior”: everyone is full "
        "(Eve at 25 of 25 open); so rule “Second”, pool “Rest”, weighted round robin; "
        "skipped: Dan on leave until 2026-03-09 08:00 UTC.",
    ),
    (
        [],
        [pool(member(ANN), id=3, name="Rest")],
        "Assigned to Ann: no rule placed it, catch-all, pool “Rest”, weighted round robin, "
        "the only one who could take it.",
    ),
    (
        [dach()],
        [senior(ANN, BOB, EVE, method="claim")],
        "Offered to 2 people: rule “Enterprise DACH”, pool “DACH senior”, claim; the first to accept has it; "
        "skipped: Eve at 25 of 25 open.",
    ),
    (
        [dach()],
        [senior(ANN, method="claim")],
        "Offered to Ann: rule “Enterprise DACH”, pool “DACH senior”, claim; the first to accept has it.",
    ),
    (
        [dach()],
        [senior(ANN, method="pull")],
        "Waiting in the pool's queue to be taken: rule “Enterprise DACH”, pool “DACH senior”, pull.",
    ),
    (
        [dach(target="team_queue", team_id=5)],
        [],
        "Waiting in the team's queue to be taken: rule “Enterprise DACH”, a team's queue.",
    ),
    (
        [dach(unavailable="hold")],
        [senior(DAN, EVE)],
        "Waiting until someone is available: rule “Enterprise DACH”, pool “DACH senior”, round robin; "
        "skipped: Dan on leave until 2026-03-09 08:00 UTC, Eve at 25 of 25 open.",
    ),
    (
        [dach()],
        [senior(EVE, FAY)],
        "Everyone is full: rule “Enterprise DACH”, pool “DACH senior”: Eve at 25 of 25 open, Fay at 4 of 4 per day.",
    ),
    (
        [dach(target="rep", rep_id=5)],
        [],
        "Everyone is full: rule “Enterprise DACH”: Eve at 25 of 25 open.",
    ),
    (
        [dach(skills=frozenset({"voip"}), unavailable="fallback", fallback_pool_id=2)],
        [senior(ANN), pool(id=2, name="Rest")],
        "Nobody fits: rule “Enterprise DACH”, pool “DACH senior”: Ann lacks voip; "
        "rule “Enterprise DACH”, its fallback, pool “Rest”: the pool has no members.",
    ),
    (
        [dach(target="territory_pool"), dach(id=2, name="Second")],
        [senior(DAN)],
        "Nobody is there: rule “Enterprise DACH”: territory “North” has no pool; "
        "rule “Second”, pool “DACH senior”: Dan on leave until 2026-03-09 08:00 UTC.",
    ),
    (
        [],
        [pool(member(EVE), id=3, name="Rest")],
        "Everyone is full: catch-all, pool “Rest”: Eve at 25 of 25 open.",
    ),
    ([dach(active=False)], [], "No rule matched."),
]


@pytest.mark.parametrize(("entries", "pools", "expected"), SENTENCES, ids=[row[2] for row in SENTENCES])
def test_sentence(entries, pools, expected):
    catch_all = 3 if any(entry.id == 3 for entry in pools) else None
    snapshot = world(
        rules(*entries, catch_all_pool_id=catch_all),
        *pools,
        people=(ANN, BOB, EVE),
        account_owner=BOB.user_id,
        territories=NORTH,
    )
    assert sentence(route(facts(country="DE"), snapshot)) == expected


def test_a_lead_in_the_catch_all_queue_says_why_no_rule_placed_it():
    snapshot = world(rules(dach(), catch_all_team_id=5), senior(EVE))
    assert sentence(route(facts(country="DE"), snapshot)) == (
        "Waiting in the team's queue to be taken: rule “Enterprise DACH”, pool “DACH senior”: everyone is full "
        "(Eve at 25 of 25 open); so catch-all, a team's queue."
    )


def test_a_lead_for_which_no_rule_is_says_so_in_the_catch_all_queue():
    assert sentence(route(facts(country="DE"), world(rules(catch_all_team_id=5)))) == (
        "Waiting in the team's queue to be taken: no rule placed it, catch-all, a team's queue; no rule matched."
    )


def test_of_many_rules_that_were_tried_in_vain_the_first_is_named():
    entries = [dach(id=number, name=f"R{number}", target="rep", rep_id=5) for number in range(1, 6)]
    said = sentence(route(facts(country="DE"), world(rules(*entries), people=(EVE,))))
    assert said == (
        "Everyone is full: rule “R1”: Eve at 25 of 25 open; rule “R2”: Eve at 25 of 25 open; "
        "rule “R3”: Eve at 25 of 25 open; 2 more in vain."
    )


def test_a_duplicate_stays_and_says_with_whom():
    decision = route(facts(), world(people=(ANN,), keepers=(ANN.user_id,)))
    assert sentence(decision) == "Kept with Ann, who has an open lead of the same person; no turn taken."


def test_who_is_due_first_without_being_owed_most_is_said_to_be_due():
    people = (member(ANN, credit=UNIT // 2), member(BOB, weight=5), member(rep(3, "Cem"), credit=-UNIT // 2, weight=4))
    decision = route(facts(), world(rules(rule(name="All")), pool(*people, name="P")))
    assert sentence(decision) == "Assigned to Bob: rule “All”, pool “P”, weighted round robin, due first (+0.50)."


@pytest.mark.parametrize("key", [*METHODS, *TARGETS])
def test_every_method_and_target_has_a_name_that_stands_inside_a_sentence(key):
    assert method_label(key)[0].islower()
