"""Leads that wait for somebody: why, until when, and who goes first when somebody is there again."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from distribution import services
from distribution.models import Decision, Hold, PoolMember, PoolWake, Rep, Skill
from distribution.services import assigning, availability
from distribution.services.holding import LONGEST, SHORTEST
from distribution.snapshots import leads_to_route, preview_lead
from pipeline.models import Event, Lead
from tests.distribution.calendars import make_hours, make_leave
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, make_source, win, world

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
SECONDS = [timedelta(seconds=15 * n) for n in range(4)]


def holding(*members, relax=(), **rule):
    """One live rule that waits for its pool; what it cannot place otherwise waits for the same."""
    steps = [{"demand": demand, "after": after} for demand, after in relax]
    pool = make_pool("Sales", *members, relax=steps)
    rules = make_rule_set(pool=make_pool("Rest", make_rep("Rest", status="away")))
    made = make_rule(rules, "Everything", pool=pool, if_unavailable="hold", **rule)
    return pool, rules, made


def arrive(*names, now=NOW, **more):
    """Leads that came in one minute after the other, the last of them now."""
    leads = []
    for place, name in enumerate(names):
        at = now - MINUTE * (len(names) - 1 - place)
        lead = make_lead(first_name=name, created_at=at, source=make_source(), **more)
        services.assign_lead(lead.pk, now=at)
        leads.append(lead)
    return leads


def owner_of(lead):
    lead.refresh_from_db()
    return lead.owner.rep.name if lead.owner else lead.routing_state


# --- Until when ---


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        ({"status": "away"}, LONGEST),
        ({"status": "away", "away_until": NOW + 40 * MINUTE}, 40 * MINUTE),
        ({"status": "away", "away_until": NOW + timedelta(seconds=5)}, SHORTEST),
        ({"status": "away", "away_until": NOW + timedelta(days=3)}, LONGEST),
        ({"capacity": 0}, LONGEST),
    ],
)
def test_a_lead_is_tried_again_when_something_is_known_to_change(person, expected):
    _, rules, _ = holding(make_rep("Ann", **person))
    publish(rules)
    arrive("Lead")
    assert Hold.objects.get().retry_at == NOW + expected


def test_the_soonest_of_all_who_were_asked_counts():
    ann = make_rep("Ann", hours=make_hours(start="10:00"))
    ben = make_rep("Ben")
    make_leave(ben, NOW - MINUTE, NOW + 30 * MINUTE)
    _, rules, _ = holding(ann, ben)
    publish(rules)
    [lead] = arrive("Lead")
    assert Hold.objects.get().retry_at == NOW + 30 * MINUTE
    lead.refresh_from_db()
    assert "Ann outside working hours until 2026-03-02 10:00 UTC" in lead.routing_sentence
    services.sweep_holds(now=NOW + 30 * MINUTE)
    assert owner_of(lead) == "Ben"


def test_a_lead_that_arrives_at_night_goes_to_the_first_who_opens():
    early, late = (
        make_rep(name, hours=make_hours(name, start=start)) for name, start in (("E", "08:00"), ("L", "09:00"))
    )
    _, rules, _ = holding(late, early)
    publish(rules)
    night = NOW.replace(hour=3)
    [lead] = arrive("Lead", now=night)
    for hour, state in ((7, "held"), (8, "E")):
        services.sweep_holds(now=NOW.replace(hour=hour))
        assert owner_of(lead) == state


def test_a_lead_that_is_held_again_has_waited_since_the_first_time():
    _, rules, _ = holding(make_rep("Ann", status="away", away_until=NOW + 5 * MINUTE))
    publish(rules)
    arrive("Lead")
    Rep.objects.filter(name="Ann").update(away_until=None)
    services.sweep_holds(now=NOW + 5 * MINUTE)
    again = Hold.objects.get(released_at=None)
    assert (again.since, again.retry_at) == (NOW, NOW + 5 * MINUTE + LONGEST)


def test_what_no_rule_could_place_waits_as_well_while_people_are_away():
    world(make_rep("Ann", status="away"))
    [lead] = arrive("Lead")
    assert (owner_of(lead), lead.routing_code) == ("held", "nobody_available")
    availability.set_available(Rep.objects.get(name="Ann"), actor=None)
    services.sweep_holds(now=NOW + MINUTE)
    assert owner_of(lead) == "Ann"


# --- Dropping demands ---


def test_a_skill_is_insisted_on_for_half_an_hour_and_then_dropped():
    ann = make_rep("Ann")
    _, rules, rule = holding(ann, relax=[("skill", 30)])
    rule.required_skills.add(Skill.objects.create(name="Turbines"))
    publish(rules)
    [lead] = arrive("Lead")
    assert owner_of(lead) == "held"
    assert Hold.objects.get().retry_at == NOW + 30 * MINUTE
    services.sweep_holds(now=NOW + 29 * MINUTE)
    assert owner_of(lead) == "held"
    services.sweep_holds(now=NOW + 30 * MINUTE)
    assert owner_of(lead) == "Ann"
    attempt = Decision.objects.filter(lead=lead).latest("pk").trace.data["attempts"][-1]
    assert attempt["relaxed"] == [{"demand": "skill", "after": 30}]


def test_hours_can_be_dropped_too():
    ann = make_rep("Ann", hours=make_hours(start="12:00"))
    _, rules, _ = holding(ann, relax=[("off_hours", 15)])
    publish(rules)
    [lead] = arrive("Lead")
    services.sweep_holds(now=NOW + 15 * MINUTE)
    assert owner_of(lead) == "Ann"


# --- Who wakes them ---


def back_from_away(ann):
    availability.set_available(ann, actor=None)


def back_from_leave(ann):
    availability.cancel_leave(ann.leaves.get(), actor=None, now=NOW + MINUTE)


def unpaused(ann):
    availability.resume_member(ann.memberships.get(), actor=None)


def more_capacity(ann):
    ann.capacity = 1
    ann.save()


def more_per_day(ann):
    ann.cap_per_day = 1
    ann.save()


def learned(ann):
    ann.skills.add(Skill.objects.get())


def other_hours(ann):
    ann.hours.shifts.all().delete()
    ann.hours.always = True
    ann.hours.save()


def joined(ann):
    PoolMember.objects.create(pool=PoolMember.objects.exclude(rep=ann).get(pool__name="Sales").pool, rep=ann)


WAKES = [
    (back_from_away, {"status": "away"}),
    (back_from_leave, {}),
    (unpaused, {}),
    (more_capacity, {"capacity": 0}),
    (more_per_day, {"cap_per_day": 0}),
    (other_hours, {}),
    (joined, {}),
]


@pytest.mark.parametrize(("event", "person"), WAKES)
def test_whoever_comes_back_or_has_more_room_gets_the_leads_that_wait(event, person):
    ann = make_rep("Ann", **person)
    _, rules, _ = holding(make_rep("Ben", status="away"), *(() if event is joined else (ann,)))
    if event is back_from_leave:
        make_leave(ann, NOW - MINUTE, NOW + timedelta(days=1))
    elif event is unpaused:
        PoolMember.objects.filter(rep=ann).update(paused=True)
    elif event is other_hours:
        Rep.objects.filter(pk=ann.pk).update(hours=make_hours(start="20:00", end="21:00"))
        ann.refresh_from_db()
    publish(rules)
    [lead] = arrive("Lead")
    assert owner_of(lead) == "held"
    services.sweep_holds(now=NOW + MINUTE)
    assert owner_of(lead) == "held"
    event(ann)
    services.sweep_holds(now=NOW + 2 * MINUTE)
    assert owner_of(lead) == "Ann"
    assert not PoolWake.objects.exists()


def test_a_closed_lead_makes_room_for_one_that_waits():
    world(make_rep("Ann", capacity=1))
    first, second = arrive("First", "Second")
    first.refresh_from_db()
    win(first)
    assert services.sweep_holds(now=NOW + MINUTE) == 1
    assert owner_of(second) == "Ann"


def test_who_is_waited_for_alone_wakes_the_lead_too():
    ann = make_rep("Ann", status="away")
    rules = make_rule_set()
    make_rule(rules, "Ann's", target="rep", rep=ann, if_unavailable="hold")
    publish(rules)
    [lead] = arrive("Lead")
    back_from_away(ann)
    services.sweep_holds()
    assert owner_of(lead) == "Ann"


def test_a_sweep_run_twice_changes_nothing_the_second_time():
    world(make_rep("Ann", status="away"))
    arrive("One", "Two")
    back_from_away(Rep.objects.get(name="Ann"))
    assert [services.sweep_holds(now=NOW + MINUTE) for _ in range(2)] == [2, 0]


# --- Who goes first ---


def test_the_highest_priority_goes_first_then_the_oldest():
    world(make_rep("Ann", capacity=0))
    old, newer = arrive("Old", "Newer")
    [urgent] = arrive("Urgent", priority=5)
    for room, first in ((1, urgent), (2, old), (3, newer)):
        ann = Rep.objects.get(name="Ann")
        ann.capacity = room
        ann.save()
        services.sweep_holds(now=NOW + MINUTE)
        assert owner_of(first) == "Ann"
        assert Rep.objects.get(name="Ann").open_leads == room


def test_a_lead_that_comes_in_lets_those_go_first_that_wait():
    """Scenario 36, and the sweep has not run yet."""
    world(make_rep("Ann", status="away", capacity=2))
    old, older = arrive("Older", "Old")
    back_from_away(Rep.objects.get(name="Ann"))
    [new] = arrive("New", now=NOW + MINUTE)
    assert [owner_of(lead) for lead in (older, old, new)] == ["Ann", "Ann", "held"]


def test_a_lead_that_comes_in_at_opening_lets_those_of_the_night_go_first():
    world(make_rep("Ann", capacity=1, hours=make_hours()))
    [night] = arrive("Night", now=NOW.replace(hour=3))
    [morning] = arrive("Morning", now=NOW.replace(hour=9))
    assert [owner_of(lead) for lead in (night, morning)] == ["Ann", "held"]


def test_a_batch_lets_those_go_first_that_wait():
    world(make_rep("Ann", status="away", capacity=1))
    [old] = arrive("Old")
    back_from_away(Rep.objects.get(name="Ann"))
    services.assign_leads([make_lead(email="new@x.example").pk], now=NOW + MINUTE)
    assert owner_of(old) == "Ann"


def test_when_too_many_wait_a_new_lead_is_left_to_the_sweep(monkeypatch):
    monkeypatch.setattr(assigning, "LINE", 2)
    world(make_rep("Ann", status="away"))
    waiting = arrive("A", "B", "C")
    back_from_away(Rep.objects.get(name="Ann"))
    [new] = arrive("New", now=NOW + MINUTE)
    assert [owner_of(lead) for lead in (*waiting, new)] == ["Ann", "Ann", "held", "new"]
    services.sweep_holds(now=NOW + MINUTE)
    Lead.objects.filter(pk=new.pk).update(next_attempt_at=NOW)
    services.sweep_unassigned(now=NOW + MINUTE)
    assert [owner_of(lead) for lead in (*waiting, new)] == ["Ann"] * 4


def test_a_batch_counts_the_leads_that_it_leaves_to_the_sweep(monkeypatch):
    monkeypatch.setattr(assigning, "LINE", 2)
    world(make_rep("Ann", status="away"))
    arrive("A", "B", "C")
    back_from_away(Rep.objects.get(name="Ann"))
    result = services.assign_leads([make_lead(email="new@x.example").pk], now=NOW + MINUTE)
    assert (result.assigned, result.failed, result.left, sum(result.others.values())) == (0, 0, 1, 0)


def test_one_free_place_does_not_route_all_that_wait():
    ann = make_rep("Ann", capacity=0)
    world(ann)
    leads = arrive(*(f"L{number}" for number in range(12)))
    before = Decision.objects.count()
    ann.capacity = 1
    ann.save()
    assert services.sweep_holds(now=NOW + LONGEST) == 1
    assert Decision.objects.count() == before + 2
    assert Hold.objects.filter(released_at=None, retry_at__lte=NOW + LONGEST).count() == 0
    assert owner_of(leads[0]) == "Ann"


def test_one_that_finds_nobody_does_not_stop_those_who_ask_for_something_else():
    ann = make_rep("Ann", status="away", languages=["fr"])
    _, rules, _ = holding(ann, match_language=True)
    publish(rules)
    german, french = (arrive(code, language=code)[0] for code in ("de", "fr"))
    back_from_away(ann)
    services.sweep_holds(now=NOW + MINUTE)
    assert owner_of(french) == "Ann"
    assert owner_of(german) != "Ann"


def test_when_more_wait_than_one_go_tries_the_next_sweep_goes_on():
    ann = make_rep("Ann", status="away")
    _, rules, _ = holding(ann)
    publish(rules)
    arrive(*"abcde")
    availability.set_available(ann, actor=None)
    assert [services.sweep_holds(2, now=NOW + MINUTE + second) for second in SECONDS] == [2, 2, 1, 0]
    assert not PoolWake.objects.exists()


def test_a_lead_that_fails_is_put_off_and_stops_nobody(monkeypatch):
    world(make_rep("Ann", status="away"))
    bad, good = arrive("Bad", "Good")
    back_from_away(Rep.objects.get(name="Ann"))
    real = assigning.decide

    def failing(facts, *rest):
        if facts.values["first_name"] == "Bad":
            raise ZeroDivisionError
        return real(facts, *rest)

    monkeypatch.setattr(assigning, "decide", failing)
    services.sweep_holds(now=NOW + MINUTE)
    assert [owner_of(lead) for lead in (bad, good)] == ["held", "Ann"]
    assert Hold.objects.get(lead=bad, released_at=None).retry_at == NOW + 16 * MINUTE


def test_the_end_of_waiting_leaves_a_line_in_the_history():
    world(make_rep("Ann", status="away"))
    [lead] = arrive("Lead")
    back_from_away(Rep.objects.get(name="Ann"))
    services.sweep_holds(now=NOW + MINUTE)
    kinds = list(Event.objects.filter(lead=lead).order_by("pk").values_list("kind", flat=True))
    assert kinds[-1] == "lead.assigned"


# --- Whatever happens ---

CHANGES = st.lists(
    st.tuples(st.sampled_from(["away", "back", "pause", "resume", "room", "full", "lead", "close"]), st.integers(0, 2)),
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CHANGES)
def test_after_a_sweep_no_lead_waits_while_somebody_could_take_it(changes):
    with transaction.atomic():
        reps = [make_rep(f"Rep {number}", capacity=1) for number in range(3)]
        world(*reps)
        for step, (what, which) in enumerate(changes):
            _change(what, reps[which].pk, NOW + step * MINUTE)
        end = NOW + len(changes) * MINUTE
        services.sweep_holds(now=end)
        for lead in leads_to_route().filter(closed_at=None, owner=None):
            assert preview_lead(lead, now=end).winner is None
        transaction.set_rollback(True)


def _change(what, pk, now):
    rep = Rep.objects.get(pk=pk)
    if what == "away":
        availability.set_away(rep, actor=None, now=now)
    elif what == "back":
        availability.set_available(rep, actor=None)
    elif what in ("pause", "resume"):
        member = rep.memberships.get()
        {"pause": availability.pause_member, "resume": availability.resume_member}[what](member, actor=None)
    elif what in ("room", "full"):
        rep.capacity = 3 if what == "room" else 0
        rep.save()
    elif what == "lead":
        services.assign_lead(make_lead(created_at=now).pk, now=now)
    elif lead := Lead.objects.filter(owner=rep.user_id, closed_at=None).first():
        win(lead)
