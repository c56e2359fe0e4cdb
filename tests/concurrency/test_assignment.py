"""Many at once, on real PostgreSQL: one owner per lead, no limit exceeded, no deadlock for a caller."""

import contextlib
import random
from collections import Counter
from functools import partial

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from distribution import services
from distribution.errors import DistributionError
from distribution.models import Assignment, PoolMember, Rep
from distribution.services import assigning, books, handling
from pipeline.models import Event, Lead, Team
from tests.concurrency.threads import all_before_any_goes_on, at_once, errors
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import credits, make_lead, make_leads, owners, win, world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_routing_on_commit(monkeypatch):
    """The tests ask for routing themselves, from many threads at once."""
    monkeypatch.setattr(services, "route_new_lead", lambda *_: None)


def assign(lead):
    return partial(services.assign_lead, lead.pk)


def test_twenty_leads_at_once_among_four_reps_are_five_each():
    pool = world("Ann", "Ben", "Cleo", "Dan")
    results = at_once(assign(lead) for lead in make_leads(20))
    assert not errors(results)
    assert Counter(owners()) == {"Ann": 5, "Ben": 5, "Cleo": 5, "Dan": 5}
    assert sum(credits(pool)) == 0


def test_one_lead_routed_by_many_workers_is_assigned_once():
    world("Ann", "Ben")
    lead = make_lead()
    results = at_once([assign(lead)] * 12)
    assert not errors(results)
    assert len([decision for decision in results if decision is not None]) == 1
    assert Assignment.objects.count() == 1
    assert Event.objects.filter(kind="lead.assigned").count() == 1


def test_the_last_free_place_is_given_to_exactly_one_of_ten_leads():
    world(make_rep("Ann", capacity=1))
    leads = make_leads(10)
    assert not errors(at_once(assign(lead) for lead in leads))
    assert Rep.objects.get(name="Ann").open_leads == 1
    assert Lead.objects.filter(routing_state="assigned").count() == 1
    assert Lead.objects.filter(routing_code="all_at_capacity").count() == 9


def test_a_capacity_lowered_while_a_lead_is_on_its_way_is_seen(monkeypatch):
    """Somebody lowers it, and commits, between the decision under the pool's lock and the writing of it."""
    world(make_rep("Ann", capacity=1), make_rep("Ben", capacity=5))
    real, chosen = books.take_places, []

    def overtaken(takings, now):
        chosen.extend(taking.rep.name for taking in takings)
        if chosen == ["Ann"]:
            assert not errors(at_once([partial(Rep.objects.filter(name="Ann").update, capacity=0)]))
        return real(takings, now)

    monkeypatch.setattr(books, "take_places", overtaken)
    assert services.assign_lead(make_lead().pk).winner.name == "Ben"
    assert chosen == ["Ann", "Ben"]
    assert owners() == ["Ben"]
    assert dict(Rep.objects.values_list("name", "open_leads")) == {"Ann": 0, "Ben": 1}


def test_a_claim_by_hand_wins_over_the_rules_that_come_later(monkeypatch):
    world("Ann", "Ben")
    lead = make_lead()
    ben = Rep.objects.get(name="Ben")
    real, done = assigning.look_ahead, []

    def overtaken(*args):
        if not done:
            done.append(True)
            services.reassign_lead(lead.pk, to=ben, reason="mine")
        return real(*args)

    monkeypatch.setattr(assigning, "look_ahead", overtaken)
    assert services.assign_lead(lead.pk) is None
    assert owners() == ["Ben"]


def test_what_a_person_decides_goes_before_the_rules_that_decide_meanwhile(monkeypatch):
    """The rules give the lead away between the moment when the person found it free and the moment of writing."""
    world("Ann", "Ben")
    lead, cleo = make_lead(), make_rep("Cleo")
    real, rivals = handling.lock_held, [assign(lead)]

    def late(lead_id):
        held = real(lead_id)
        if rivals:
            assert not errors(at_once([rivals.pop()]))
        return held

    monkeypatch.setattr(handling, "lock_held", late)
    services.reassign_lead(lead.pk, to=cleo, reason="knows them")
    assert Lead.objects.get().owner == cleo.user
    ends = Assignment.objects.order_by("pk").values_list("rep__name", "end")
    assert list(ends) == [("Ann", "reassigned"), ("Cleo", "")]


@pytest.mark.parametrize("limits", [{"capacity": 1}, {"cap_per_day": 1}, {"cap_per_day": 1, "cap_window": "rolling"}])
def test_what_a_rep_in_two_teams_can_take_holds_when_both_route_at_once(limits, monkeypatch):
    """Each team has its own pool and so its own lock; both have chosen the rep before either writes."""
    ann, rules = make_rep("Ann", **limits), make_rule_set()
    for city, other in (("Oslo", "Ben"), ("Rome", "Cem")):
        pool = make_pool(city, ann, other, method="priority_tiers", team=Team.objects.create(name=city))
        PoolMember.objects.filter(pool=pool, rep__name=other).update(tier=2)
        make_rule(rules, city, ("city", "is", city), pool=pool)
    publish(rules)
    leads = [make_lead(email=f"{city}@x.example", city=city) for city in ("Oslo", "Rome")]
    real, tries = assigning.settle, iter([all_before_any_goes_on(2, assigning.settle)] * 2)

    def settle(guess):
        """Only the first try of each waits for the other: who has to decide again is alone."""
        return next(tries, real)(guess)

    monkeypatch.setattr(assigning, "settle", settle)
    assert not errors(at_once(assign(lead) for lead in leads))
    assert sorted(owners()) in (["Ann", "Ben"], ["Ann", "Cem"])
    assert Rep.objects.get(name="Ann").open_leads == 1


def test_a_lead_changed_between_decision_and_claim_is_decided_again(monkeypatch):
    ann, ben = make_rep("Ann"), make_rep("Ben")
    rules = make_rule_set()
    make_rule(rules, "Oslo", ("city", "is", "Oslo"), pool=make_pool("North", ann))
    make_rule(rules, "Rome", ("city", "is", "Rome"), pool=make_pool("South", ben))
    publish(rules)
    lead = make_lead(city="Oslo")
    real, done = assigning.look_ahead, []

    def moved(*args):
        if not done:
            done.append(True)
            Lead.objects.filter(pk=lead.pk).update(city="Rome", version=F("version") + 1)
        return real(*args)

    monkeypatch.setattr(assigning, "look_ahead", moved)
    assert services.assign_lead(lead.pk).winner == ben


def test_first_leads_of_reps_without_any_counter_at_once():
    """No counter row exists yet; nobody sees that two transactions want to make it."""
    world("Ann")
    assert not errors(at_once(assign(lead) for lead in make_leads(8)))
    assert Rep.objects.get(name="Ann").counters.get(period="month").count == 8


def storm_world():
    reps = [make_rep(f"Rep {n}", capacity=6, cap_per_day=9) for n in range(8)]
    pools = [
        make_pool(f"Pool {n}", *reps[n : n + 4], method=m)
        for n, m in enumerate(("weighted", "round_robin", "least_loaded"))
    ]
    pools.append(make_pool("All", *reps, method="round_robin"))
    rules = make_rule_set(pool=pools[-1])
    for number, pool in enumerate(pools):
        make_rule(rules, pool.name, ("city", "is", f"City {number}"), pool=pool)
    publish(rules)
    return reps, pools


def storm(reps, leads, seed):
    """Assign, close, return, reassign and sweep at random, all at once."""
    chance = random.Random(seed)
    calls = [assign(lead) for lead in leads]
    calls += [partial(services.assign_leads, [lead.pk for lead in chance.sample(leads, 10)]) for _ in range(4)]
    calls += [partial(_close, lead.pk) for lead in chance.sample(leads, len(leads) // 4)]
    calls += [
        partial(_quietly, services.return_lead, lead.pk, actor=None, reason="x") for lead in chance.sample(leads, 8)
    ]
    calls += [partial(_quietly, services.reassign_lead, lead.pk) for lead in chance.sample(leads, 8)]
    calls += [
        partial(_quietly, services.reassign_lead, lead.pk, to=chance.choice(reps)) for lead in chance.sample(leads, 4)
    ]
    chance.shuffle(calls)
    return at_once(calls)


def _quietly(service, *args, **kwargs):
    """Acting on a lead that somebody else just took or closed is refused, which is right."""
    try:
        return service(*args, **kwargs)
    except DistributionError:
        return None


def _close(lead_id):
    from pipeline.errors import PipelineError

    lead = Lead.objects.select_related("stage").get(pk=lead_id)
    try:
        win(lead)
    except PipelineError:
        return


@pytest.mark.parametrize("seed", range(3))
def test_in_a_storm_every_lead_has_one_owner_and_no_limit_is_exceeded(seed, thorough):
    reps, pools = storm_world()
    total = 600 if thorough else 120
    leads = [make_lead(email=f"p{n}@x.example", city=f"City {n % 4}") for n in range(total)]
    results = storm(reps, leads, seed)
    assert errors(results) == []
    assert_consistent(pools)


def assert_consistent(pools):
    for rep in Rep.objects.all():
        held = Assignment.objects.filter(rep=rep, ended_at=None)
        assert rep.open_leads == held.count()
        by_rules = held.exclude(trigger=Assignment.Trigger.MANUAL).count()
        assert rep.capacity is None or by_rules <= rep.capacity
        received = Assignment.objects.filter(rep=rep).exclude(trigger=Assignment.Trigger.MANUAL).count()
        assert rep.cap_per_day is None or received <= rep.cap_per_day
    for member in PoolMember.objects.all():
        assert member.open_leads == Assignment.objects.filter(member=member, ended_at=None).count()
    for pool in pools:
        assert sum(credits(pool)) == 0
    for lead in Lead.objects.filter(closed_at=None):
        open_now = lead.assignments.filter(ended_at=None).count()
        assert open_now == (1 if lead.routing_state == "assigned" else 0)


def test_without_the_lock_on_the_pool_the_turns_go_wrong(monkeypatch):
    """The control: what the lock is for. Decisions made on the same credits give the same person many turns."""
    monkeypatch.setattr(books, "lock_pool", lambda pool_id: None)
    monkeypatch.setattr(assigning, "settle", all_before_any_goes_on(4, assigning.settle))
    pool = world("Ann", "Ben", "Cleo", "Dan")
    assert not errors(at_once(assign(lead) for lead in make_leads(4)))
    assert owners() == ["Ann"] * 4
    assert max(abs(credit) for credit in credits(pool)) > 10**9


def test_without_the_check_under_the_reps_lock_a_capacity_is_exceeded(monkeypatch):
    """The control for capacity shared by pools: checking before, and counting after, lets two pools both succeed."""
    ann = make_rep("Ann", capacity=1)
    rules = make_rule_set()
    for number in range(8):
        make_rule(rules, f"City {number}", ("city", "is", f"City {number}"), pool=make_pool(f"Pool {number}", ann))
    publish(rules)
    real = books.take_places
    monkeypatch.setattr(books, "take_places", lambda rows, now: real([row._replace(limited=0) for row in rows], now))
    monkeypatch.setattr(assigning, "settle", all_before_any_goes_on(8, assigning.settle))
    leads = [make_lead(email=f"{n}@x.example", city=f"City {n}") for n in range(8)]
    assert not errors(at_once(assign(lead) for lead in leads))
    assert Assignment.objects.filter(rep=ann).count() == 8


def test_deadlocks_are_retried_and_never_reach_the_caller():
    """Two reps' leads given to each other again and again, in opposite order."""
    world("Ann", "Ben")
    ann, ben = Rep.objects.get(name="Ann"), Rep.objects.get(name="Ben")
    leads = make_leads(10)
    services.assign_leads([lead.pk for lead in leads])
    calls = [partial(_quietly, services.reassign_lead, lead.pk, to=to) for lead in leads for to in (ann, ben, ann, ben)]
    assert errors(at_once(calls)) == []
    assert Rep.objects.get(pk=ann.pk).open_leads + Rep.objects.get(pk=ben.pk).open_leads == 10


def test_two_people_who_pull_at_once_get_two_leads():
    world("Ann", "Ben", method="pull")
    leads = make_leads(2)
    for lead in leads:
        services.assign_lead(lead.pk)
    reps = Rep.objects.filter(name__in=("Ann", "Ben"))
    results = at_once([partial(services.pull_next, rep) for rep in reps])
    assert not errors(results)
    assert {result.lead_id for result in results} == {lead.pk for lead in leads}


def test_many_claims_of_one_offer_give_it_to_one():
    world(*(f"Rep {n}" for n in range(8)), method="claim")
    lead = make_lead()
    services.assign_lead(lead.pk)
    reps = list(Rep.objects.filter(name__startswith="Rep"))
    results = at_once(partial(_quietly, services.claim_lead, lead.pk, rep=rep) for rep in reps)
    assert not errors(results)
    assert Assignment.objects.filter(lead=lead).count() == 1
    assert Rep.objects.filter(open_leads=1).count() == 1


def test_two_sweeps_at_once_share_the_work():
    world("Ann", "Ben")
    make_leads(30)
    results = at_once([partial(services.sweep_unassigned, now=timezone.now())] * 4)
    assert not errors(results)
    assert sum(results) == 30
    assert Assignment.objects.count() == 30


def test_a_broken_off_transaction_changes_nothing():
    pool = world("Ann", "Ben")
    lead = make_lead()
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        services.assign_lead(lead.pk)
        _ = 1 / 0
    assert credits(pool) == [0, 0]
    assert not Assignment.objects.exists()
    assert connection.vendor == "postgresql"
