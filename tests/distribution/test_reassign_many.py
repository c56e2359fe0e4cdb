"""Managers give many leads to somebody else at once."""

import pytest
from django.contrib.auth.models import Permission

from distribution import services
from distribution.models import Rep
from pipeline.models import Lead
from tests.distribution.setups import make_pool, make_rule_set, publish
from tests.distribution.world import make_lead
from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def leads(people):
    """Two leads that the rules gave to the owner and the teammate, in turn."""
    pool = make_pool("Berlin", people.owner.rep, people.teammate.rep, team=people.team)
    publish(make_rule_set("Rules", pool=pool))
    made = [make_lead(last_name=name, email=f"{name}@people.example") for name in ("Ada", "Bob")]
    for lead in made:
        services.assign_lead(lead.pk)
        lead.refresh_from_db()
    return made


def ticked(leads):
    return [f"{lead.uid}:{lead.version}" for lead in leads]


def owners():
    return list(Lead.objects.order_by("pk").values_list("owner__username", flat=True))


def test_it_is_asked_first_to_whom(people, leads):
    response = signed_in(people.manager).post("/reassign/", {"lead": ticked(leads)})
    page = response.content.decode()
    assert "Reassign 2 leads" in page
    assert "Whom the rules choose" in page
    assert "Stranger Person" not in page


def test_many_go_to_one_person(people, leads):
    before = Rep.objects.get(user=people.teammate).pk
    signed_in(people.manager).post("/reassign/", {"lead": ticked(leads), "to": before, "reason": "Fair week"})
    assert owners() == ["teammate", "teammate"]


def test_many_go_to_whom_the_rules_choose_among_those_who_did_not_have_them(people, leads):
    before = owners()
    signed_in(people.manager).post("/reassign/", {"lead": ticked(leads), "to": "", "reason": ""})
    assert owners() == before[::-1]


def test_what_somebody_changed_meanwhile_stays_and_is_named(people, leads):
    chosen = ticked(leads)
    Lead.objects.filter(pk=leads[0].pk).update(version=leads[0].version + 1)
    before = owners()
    to = Rep.objects.get(user__username=(before[1] == "owner" and "teammate") or "owner").pk
    response = signed_in(people.manager).post("/reassign/", {"lead": chosen, "to": to, "reason": ""}, follow=True)
    assert "1 reassigned to" in response.content.decode()
    assert "Not Ada: Somebody else changed" in response.content.decode()
    assert owners() == [before[0], before[0]]


@pytest.mark.parametrize("who", ["owner", "stranger"])
def test_who_manages_nobody_finds_no_such_page(people, leads, who):
    before = owners()
    assert signed_in(getattr(people, who)).post("/reassign/", {"lead": ticked(leads), "reason": ""}).status_code == 404
    assert owners() == before


def test_a_manager_of_others_reassigns_nothing_here(people, leads):
    people.other_team.manager = people.stranger
    people.other_team.save()
    before = owners()
    signed_in(people.stranger).post("/reassign/", {"lead": ticked(leads), "to": "", "reason": ""})
    assert owners() == before


def test_nobody_outside_ones_teams_can_be_given_leads(people, leads):
    foreign = Rep.objects.get(user=people.stranger).pk
    response = signed_in(people.manager).post("/reassign/", {"lead": ticked(leads), "to": foreign, "reason": ""})
    assert response.status_code == 422
    people.manager.user_permissions.add(*Permission.objects.filter(codename__in=("change_rep", "change_lead")))
    assert (
        signed_in(people.manager).post("/reassign/", {"lead": ticked(leads), "to": foreign, "reason": ""}).status_code
        == 302
    )
