"""Scenarios of routing that take more than one step, from the lead that comes in to the rows that are left."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from distribution import services
from distribution.models import Assignment, Decision, Hold, PoolMember, Rep
from pipeline.models import Event, Lead, Team
from pipeline.services.archive import archive_lead
from pipeline.services.leads import close_lead
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import credits, make_lead, make_leads, owners, stages, win, world

pytestmark = pytest.mark.django_db

METHODS = ("round_robin", "weighted", "least_loaded", "equal_totals", "priority_tiers")


def one_by_one(leads):
    for lead in leads:
        services.assign_lead(lead.pk)


def together(leads):
    services.assign_leads([lead.pk for lead in leads])


# --- Rules ----------------------------------------------------------------------------------------


def test_of_two_rules_that_match_the_one_that_stands_first_decides_and_the_other_is_not_looked_at():
    """Scenario 1: which was written first says nothing."""
    rules = make_rule_set()
    make_rule(rules, "Second", pool=make_pool("South", "Ben"), position=2)
    make_rule(rules, "First", pool=make_pool("North", "Ann"), position=1)
    publish(rules)
    decision = services.assign_lead(make_lead().pk)
    assert (decision.rule.name, decision.winner.name) == ("First", "Ann")
    assert [look["name"] for look in decision.trace.data["rules"]] == ["First"]


# --- Leads that are done --------------------------------------------------------------------------


def lost(lead):
    close_lead(lead, stages()["lost"], actor=None, lost_reason="Price")


def archived(lead):
    win(lead)
    archive_lead(lead, actor=None)


def excluded(lead):
    services.exclude_lead(lead.pk, actor=None, reason="It is another one, again.")


@pytest.mark.parametrize("end", [win, lost, archived, excluded])
def test_a_lead_that_waits_and_is_ended_meanwhile_is_never_assigned(end):
    """Scenario 10. Leads are not merged here: one that turns out to be another one is kept out of routing."""
    pool = world(make_rep("Ann", status="away"))
    lead = make_lead()
    services.assign_lead(lead.pk)
    assert Hold.objects.filter(lead=lead, released_at=None).exists()
    lead.refresh_from_db()
    end(lead)
    Rep.objects.update(status="available")
    PoolMember.objects.filter(pool=pool).update(last_assigned_at=None)
    route_in_every_way(lead)
    assert not Assignment.objects.exists()
    assert Decision.objects.count() == 1
    assert services.assign_lead(make_lead(email="next@x.example").pk).winner.name == "Ann"


@pytest.mark.parametrize("end", [win, lost, archived])
def test_a_lead_that_was_somebodys_and_is_ended_stays_with_the_last_owner(end):
    pool = world("Ann", "Ben")
    lead = make_lead()
    services.assign_lead(lead.pk)
    lead.refresh_from_db()
    end(lead)
    before = credits(pool)
    route_in_every_way(lead)
    assert owners() == ["Ann"]
    assert (Decision.objects.count(), credits(pool)) == (1, before)
    assert not Assignment.objects.filter(ended_at=None).exists()


def route_in_every_way(lead):
    later = timezone.now() + timedelta(days=3)
    services.route_new_lead(lead.pk)
    services.assign_leads([lead.pk])
    for sweep in (services.sweep_unassigned, services.sweep_holds, services.sweep_offers):
        sweep(now=later)


def test_a_lead_that_is_saved_again_leaves_no_second_line_anywhere(django_capture_on_commit_callbacks):
    """Scenario 12."""
    pool = world("Ann", "Ben")
    with django_capture_on_commit_callbacks(execute=True):
        lead = make_lead()
    lead.refresh_from_db()
    before = (lead.version, Event.objects.count(), Decision.objects.count(), Assignment.objects.count(), credits(pool))
    with django_capture_on_commit_callbacks(execute=True):
        lead.city = "Bern"
        lead.save()
        lead.save()
    lead.refresh_from_db()
    after = (lead.version, Event.objects.count(), Decision.objects.count(), Assignment.objects.count(), credits(pool))
    assert after == before
    assert lead.owner.rep.name == "Ann"


# --- One rep only ---------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [0, 1, 7])
@pytest.mark.parametrize("method", METHODS)
def test_a_single_rep_gets_every_lead_owes_nothing_and_costs_no_more_queries_than_three(method, weight):
    """Scenario 25."""
    alone = make_pool("Alone", "Ann", method=method, weight=weight)
    three = make_pool("Three", "Ben", "Cem", "Dan", method=method)
    rules = make_rule_set()
    make_rule(rules, "Alone", ("city", "is", "Oslo"), pool=alone)
    make_rule(rules, "Three", ("city", "is", "Rome"), pool=three)
    publish(rules)
    cities = ("Rome", "Oslo") * 4
    costs = [cost_of(make_lead(email=f"p{number}@x.example", city=city)) for number, city in enumerate(cities)]
    assert owners()[1::2] == ["Ann"] * 4
    assert credits(alone) == [0]
    assert costs[-1] <= costs[-2]


def cost_of(lead):
    with CaptureQueriesContext(connection) as captured:
        services.assign_lead(lead.pk)
    return len(captured)


@pytest.mark.parametrize("method", METHODS)
def test_a_single_rep_gets_a_whole_batch(method):
    pool = world("Ann", method=method)
    together(make_leads(6))
    assert (owners(), credits(pool)) == (["Ann"] * 6, [0])


# --- In two teams ---------------------------------------------------------------------------------


LIMITS = [{"capacity": 3}, {"cap_per_day": 3}, {"cap_per_day": 3, "cap_window": "rolling"}]


def two_teams(**limits):
    """Ann is in both, and the first to be asked in each; Ben and Cem are the second."""
    ann, rules = make_rep("Ann", **limits), make_rule_set()
    for city, second in (("Oslo", "Ben"), ("Rome", "Cem")):
        other = make_rep(second)
        team = Team.objects.create(name=city)
        team.members.set([ann.user, other.user])
        pool = make_pool(city, ann, other, method="priority_tiers", team=team)
        PoolMember.objects.filter(pool=pool, rep=other).update(tier=2)
        make_rule(rules, city, ("city", "is", city), pool=pool)
    publish(rules)
    return ann


def leads_of_both(count):
    return [make_lead(email=f"p{n}@x.example", city=("Oslo", "Rome")[n % 2]) for n in range(count)]


@pytest.mark.parametrize("route", [one_by_one, together])
@pytest.mark.parametrize("limits", LIMITS)
def test_what_a_rep_in_two_teams_can_take_is_one_number_for_both(limits, route):
    """Scenario 41."""
    ann = two_teams(**limits)
    leads = leads_of_both(8)
    route(leads)
    taken = Assignment.objects.filter(rep=ann).count()
    assert taken == 3
    by_city = {city: set(owners_in(city)) - {"Ann"} for city in ("Oslo", "Rome")}
    assert by_city == {"Oslo": {"Ben"}, "Rome": {"Cem"}}
    assert all(lead.team.name == lead.city for lead in Lead.objects.select_related("team"))


def owners_in(city):
    return Assignment.objects.filter(lead__city=city).values_list("rep__name", flat=True)


def test_a_place_that_a_lead_of_one_team_leaves_is_taken_by_one_of_the_other():
    two_teams(capacity=1)
    first, second, third = leads_of_both(3)
    one_by_one([first, second])
    assert owners() == ["Ann", "Cem"]
    first.refresh_from_db()
    win(first)
    fourth = make_lead(email="p9@x.example", city="Rome")
    one_by_one([fourth, third])
    assert list(Assignment.objects.order_by("pk").values_list("rep__name", flat=True)) == ["Ann", "Cem", "Ann", "Ben"]
