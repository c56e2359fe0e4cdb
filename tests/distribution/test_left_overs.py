"""Leads that no rule is for, leads that come with an owner, and people who come again."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from distribution import services
from distribution.models import Assignment, Decision, Pool, PoolMember, Rep, Skill, Territory
from distribution.selectors import unrouted_since
from distribution.services import availability
from pipeline.models import Event, Lead
from pipeline.services.leads import create_lead
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, make_source, stages, world
from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db


def assign(**fields):
    lead = make_lead(**fields)
    services.assign_lead(lead.pk)
    lead.refresh_from_db()
    return lead


# --- No rule ------------------------------------------------------------------------------------


@pytest.fixture
def rules():
    """German leads go to Ann, who is away; everything else is for nobody but the catch-all."""
    away = make_pool("Germany", make_rep("Ann", status="away"))
    rules = make_rule_set(pool=make_pool("Rest", "Ben"))
    make_rule(rules, "Germany", ("country", "is", "DE"), pool=away, if_unavailable="hold")
    return publish(rules)


def test_a_lead_that_no_rule_is_for_goes_to_the_catch_all_and_counts_as_unrouted(rules):
    lead = assign(country="FR")
    assert lead.owner.rep.name == "Ben"
    assert Decision.objects.get().reason == "no_rule"
    assert Event.objects.get(lead=lead).data["reason"] == "no_rule"
    assert unrouted_since(timezone.now() - timedelta(days=1)) == 1


def test_a_lead_whose_rule_found_nobody_there_does_not_count_as_unrouted(rules):
    lead = assign(country="DE")
    assert lead.owner is None
    assert Decision.objects.get().reason != "no_rule"
    assert unrouted_since(timezone.now() - timedelta(days=1)) == 0


def test_admins_are_told_once_of_all_unrouted_leads_and_of_none_when_there_are_none(rules, admin_user):
    client = signed_in(admin_user)
    assert "matched no rule" not in client.get("/admin/").content.decode()
    for _ in range(3):
        assign(country="FR")
    assign(country="DE")
    page = client.get("/admin/").content.decode()
    assert page.count("matched no rule") == 1
    assert "3 leads of the last 7 days matched no rule" in page
    listed = client.get("/admin/distribution/decision/?reason__exact=no_rule")
    assert len(listed.context["cl"].result_list) == 3


def test_a_rule_that_led_nowhere_is_another_reason_than_no_rule():
    rules = make_rule_set(pool=make_pool("Rest", "Ben"))
    make_rule(rules, "Owners", target="account_owner")
    publish(rules)
    assign(country="FR")
    assert Decision.objects.get().reason == "no_target"
    assert unrouted_since(timezone.now() - timedelta(days=1)) == 0


# --- Tried again ------------------------------------------------------------------------------------


@pytest.fixture
def nobody_fits():
    """A lead for somebody who speaks Polish; nobody does, and who takes the rest is gone."""
    ann = make_rep("Ann", languages=["de"])
    rules = make_rule_set(pool=make_pool("Rest", "Gone"))
    make_rule(rules, "Germany", ("country", "is", "DE"), pool=make_pool("Germany", ann), match_language=True)
    publish(rules)
    Rep.objects.filter(name="Gone").update(active=False)
    lead = assign(country="DE", language="pl")
    assert (lead.routing_state, lead.routing_code) == ("unassigned", "nobody_eligible")
    return lead


def test_a_lead_that_nobody_fits_is_tried_again_ever_less_often(nobody_fits):
    lead, waits = nobody_fits, []
    for _ in range(8):
        now = lead.next_attempt_at
        services.sweep_unassigned(now=now)
        lead.refresh_from_db()
        waits.append((lead.next_attempt_at - now) // timedelta(minutes=1))
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]


def speaks_polish(ann):
    ann.languages = ["de", "pl"]
    ann.save()


def joins(ann):
    PoolMember.objects.create(pool=Pool.objects.get(name="Germany"), rep=make_rep("Ola", languages=["pl"]))


def other_rules(ann):
    rules = make_rule_set("Other", pool=Pool.objects.get(name="Germany"))
    publish(rules)


def areas_come(ann):
    Territory.objects.create(name="North").areas.create(country="DE")


def is_told_skill(ann):
    ann.skills.add(Skill.objects.create(name="Pumps"))


@pytest.mark.parametrize("change", [speaks_polish, joins, other_rules, areas_come, is_told_skill])
def test_a_change_of_rules_or_people_has_it_tried_at_once(nobody_fits, change):
    Lead.objects.update(next_attempt_at=timezone.now() + timedelta(hours=1))
    change(Rep.objects.get(name="Ann"))
    nobody_fits.refresh_from_db()
    assert nobody_fits.next_attempt_at <= timezone.now()
    found = services.sweep_unassigned()
    assert found == (change in (speaks_polish, joins, other_rules))


def test_who_goes_to_lunch_has_no_leads_tried_again(nobody_fits):
    later = timezone.now() + timedelta(hours=1)
    Lead.objects.update(next_attempt_at=later)
    availability.set_away(Rep.objects.get(name="Ann"), reason="Lunch", actor=None)
    nobody_fits.refresh_from_db()
    assert nobody_fits.next_attempt_at == later


# --- With an owner ------------------------------------------------------------------------------


def comes_with_owner(owner, django_capture_on_commit_callbacks, **source):
    stages()
    with django_capture_on_commit_callbacks(execute=True):
        fields = {"last_name": "Lovelace", "email": "ada@engines.example"}
        lead = create_lead(source=make_source("partner", **source), fields=fields, owner=owner)
    lead.refresh_from_db()
    return lead


def test_a_lead_that_comes_with_an_owner_stays_with_that_one_without_a_turn(django_capture_on_commit_callbacks):
    people = make_people()
    world("Ann")
    lead = comes_with_owner(people.owner, django_capture_on_commit_callbacks)
    assert lead.owner == people.owner
    assert Assignment.objects.get().trigger == Assignment.Trigger.INTAKE
    assert not Decision.objects.exists()


def test_where_the_source_says_so_the_rules_decide_and_the_owner_is_only_noted(django_capture_on_commit_callbacks):
    people = make_people()
    world("Ann")
    lead = comes_with_owner(people.owner, django_capture_on_commit_callbacks, routes_owned=True)
    assert lead.owner.rep.name == "Ann"
    assert Rep.objects.get(user=people.owner).open_leads == 0
    page = signed_in(lead.owner).get(f"/leads/{lead.uid}/").content.decode()
    assert "with Owner Person as its owner; the rules decide" in page


# --- The same person again ----------------------------------------------------------------------

ADA = {"email": "ada@engines.example"}


def came_again(lead):
    return list(Event.objects.filter(lead=lead, kind=Event.Kind.MATCHED))


def test_when_the_same_person_comes_again_the_history_of_the_first_lead_says_so_and_leads_there():
    world("Ann", "Ben")
    first = assign(**ADA)
    again = assign(**ADA)
    (line,) = came_again(first)
    assert line.data["sentence"] == "The same person came in again, by web."
    assert came_again(again) == []
    assert f'href="/leads/{again.uid}/"' in signed_in(first.owner).get(f"/leads/{first.uid}/").content.decode()


def test_a_lead_that_is_routed_again_is_not_told_of_again():
    world("Ann", "Ben")
    first, again = assign(**ADA), assign(**ADA)
    services.reassign_lead(again.pk, to=None, actor=None)
    assert len(came_again(first)) == 1


def test_in_a_batch_the_history_says_so_as_well():
    world("Ann", "Ben")
    first = assign(**ADA)
    leads = [make_lead(**ADA), make_lead(email="b@engines.example"), make_lead(email="b@engines.example")]
    services.assign_leads([lead.pk for lead in leads])
    assert [line.data["lead"] for line in came_again(first)] == [leads[0].pk]
    assert [line.data["lead"] for line in came_again(leads[1])] == [leads[2].pk]


def test_it_costs_no_query_more():
    world("Ann", "Ben")
    assign(**ADA)
    counts = []
    for fields in ({"email": "other@engines.example"}, ADA):
        lead = Lead.objects.get(pk=make_lead(**fields).pk)
        with CaptureQueriesContext(connection) as queries:
            services.assign_lead(lead.pk)
        counts.append(len(queries))
    assert counts[1] <= counts[0]


@pytest.mark.django_db(transaction=True)
def test_who_changes_people_needs_no_transaction_for_it():
    lead = make_lead(routing_state="unassigned", next_attempt_at=timezone.now() + timedelta(hours=1))
    speaks_polish(make_rep("Ann"))
    lead.refresh_from_db()
    assert lead.next_attempt_at <= timezone.now()
