"""How a lead leaves its owner through its page: returned, given back, passed on; and who may do so."""

import pytest
from django.contrib.auth.models import Group

from distribution import services
from distribution.models import Assignment, CreditCorrection, PoolMember, Rep
from leadcrm.lib import access
from pipeline.models import Lead
from tests.distribution.world import make_lead, win, world
from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    """A lead of the owner, by a turn of the pool that the teammate is in too."""
    world(Rep.objects.get(user=people.owner), Rep.objects.get(user=people.teammate), team=people.team)
    lead = make_lead(last_name="Lovelace")
    services.assign_lead(lead.pk)
    lead.refresh_from_db()
    assert lead.owner == people.owner
    return lead


def send(user, lead, act, **fields):
    return signed_in(user).post(f"/leads/{lead.uid}/{act}/", fields)


def owner_of(lead):
    return Lead.objects.get(pk=lead.pk).owner


def test_the_owner_returns_what_is_no_lead_and_gets_the_turn_back(people, lead):
    assert send(people.owner, lead, "return", reason="A job seeker").status_code == 302
    assert (owner_of(lead), Lead.objects.get(pk=lead.pk).routing_state) == (None, "excluded")
    assert CreditCorrection.objects.filter(kind="refund").count() == 2
    assert set(PoolMember.objects.values_list("credit", flat=True)) == {0}


def test_the_owner_gives_a_lead_back_and_the_rules_choose_somebody_else(people, lead):
    send(people.owner, lead, "give-back", reason="I know them")
    assert owner_of(lead) == people.teammate


def test_a_manager_passes_a_lead_on_to_a_person_or_lets_the_rules_choose(people, lead):
    teammate = Rep.objects.get(user=people.teammate)
    assert send(people.manager, lead, "pass-on", to=teammate.pk, reason="Speaks French").status_code == 302
    assert owner_of(lead) == people.teammate
    assert Assignment.objects.get(lead=lead, ended_at=None).reason == "Speaks French"


def test_the_rules_choose_among_those_who_did_not_have_it(people, lead):
    send(people.manager, lead, "pass-on", to="", reason="Ill today")
    assert owner_of(lead) == people.teammate


def test_a_lead_that_nobody_has_is_given_to_a_person_by_name_only(people):
    lead = make_lead(last_name="Free", team=people.team, routing_state="unassigned")
    assert send(people.manager, lead, "pass-on", to="").status_code == 422
    send(people.manager, lead, "pass-on", to=Rep.objects.get(user=people.owner).pk)
    assert owner_of(lead) == people.owner


@pytest.mark.parametrize("act", ["return", "give-back"])
def test_a_reason_is_asked_for_and_nothing_changes_without(people, lead, act):
    response = send(people.owner, lead, act, reason=" ")
    assert response.status_code == 422
    assert "Say why." in response.content.decode()
    assert owner_of(lead) == people.owner


def test_a_rep_of_another_team_cannot_be_given_it(people, lead):
    stranger = Rep.objects.get(user=people.stranger)
    assert send(people.manager, lead, "pass-on", to=stranger.pk).status_code == 422


def test_a_teammate_finds_no_such_page_and_the_owner_does_not_pass_it_on(people, lead):
    for act in ("return", "give-back", "pass-on"):
        assert send(people.teammate, lead, act, reason="x").status_code == 404
    assert send(people.owner, lead, "pass-on", reason="x").status_code == 404
    assert owner_of(lead) == people.owner


def test_who_may_work_on_the_leads_of_a_team_neither_returns_nor_passes_them_on(people, lead):
    helpers = Group.objects.create(name="Helpers")
    access.grant(helpers, "work_team_leads", people.team)
    people.stranger.groups.add(helpers)
    shown = signed_in(people.stranger).get(f"/leads/{lead.uid}/pass-on/ways/").content.decode()
    assert "Only its owner, or a manager" in shown
    for act in ("return", "give-back", "pass-on"):
        assert send(people.stranger, lead, act, reason="x").status_code == 404
    assert owner_of(lead) == people.owner


def test_a_stranger_finds_no_such_page(people, lead):
    assert signed_in(people.stranger).get(f"/leads/{lead.uid}/pass-on/ways/").status_code == 404
    for act in ("return", "give-back", "pass-on"):
        assert send(people.stranger, lead, act, reason="x").status_code == 404


def test_who_no_longer_sees_the_lead_comes_to_the_board(people, lead):
    Lead.objects.filter(pk=lead.pk).update(team=None)
    assert send(people.owner, lead, "return", reason="Spam").headers["Location"] == "/board/"


def test_a_closed_lead_stays_with_its_owner(people, lead):
    win(lead, actor=people.owner)
    assert send(people.owner, lead, "return", reason="x").status_code == 404
    assert send(people.manager, lead, "pass-on", reason="x").status_code == 404


def test_each_sees_the_ways_that_are_theirs(people, lead):
    mine = (
        signed_in(people.owner).get(f"/leads/{lead.uid}/pass-on/ways/", headers={"HX-Request": "true"}).content.decode()
    )
    theirs = signed_in(people.manager).get(f"/leads/{lead.uid}/pass-on/ways/").content.decode()
    assert "Return it as invalid" in mine
    assert "Pass it on" not in mine
    assert "<html" not in mine
    assert "Whom the rules choose" in theirs
