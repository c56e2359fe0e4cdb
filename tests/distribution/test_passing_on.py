"""Who may give a lead to somebody else, and to whom: the same on its page, on the board and on the team's page."""

import pytest
from django.contrib.auth.models import Group, Permission

from distribution.models import Rep
from distribution.selectors import leads_to_pass_on, may_pass_on
from leadcrm.lib import access
from pipeline.models import Lead
from tests.pipeline.people import make_people, owned, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


def by_its_page(client, lead, to):
    return client.post(f"/leads/{lead.uid}/pass-on/", {"to": to, "reason": "x"})


def by_the_board(client, lead, to):
    return client.post("/reassign/", {"lead": [f"{lead.uid}:{lead.version}"], "to": to, "reason": "x"})


def by_the_team(client, lead, to):
    return client.post(f"/team/{to}/give/", {"lead": lead.uid, "version": lead.version})


DOORS = pytest.mark.parametrize("through", [by_its_page, by_the_board, by_the_team])


def of_the_managers_team(people):
    return people.manager, owned(people)


def of_the_team_while_its_owner_is_of_another(people):
    return people.manager, owned(people, owner=people.stranger)


def of_somebody_of_the_team_while_it_is_of_another(people):
    return _trusted(people.manager, people), owned(people, team=people.other_team)


def of_the_team_without_an_owner(people):
    return people.manager, owned(people, owner=None, routing_state="unassigned")


def of_anybody_for_who_may_change_all(people):
    people.stranger.user_permissions.add(*Permission.objects.filter(codename__in=("change_lead", "change_rep")))
    return people.stranger, owned(people, team=None)


def ones_own(people):
    return people.owner, owned(people)


def of_another_team(people):
    return people.manager, owned(people, owner=people.stranger, team=people.other_team)


def of_a_team_one_may_work_for(people):
    return _trusted(people.manager, people), owned(people, owner=people.stranger, team=people.other_team)


def of_a_team_that_is_archived(people):
    people.team.archived_at = people.team.created_at = owned(people).created_at
    people.team.save()
    return people.manager, Lead.objects.get()


def that_is_closed(people):
    lead = owned(people)
    Lead.objects.filter(pk=lead.pk).update(closed_at=lead.created_at)
    return people.manager, lead


def _trusted(user, people):
    """May work the leads of Paris without managing it."""
    helpers = Group.objects.create(name="Helpers")
    access.grant(helpers, "work_team_leads", people.other_team)
    user.groups.add(helpers)
    return user


@DOORS
@pytest.mark.parametrize(
    "case",
    [
        of_the_managers_team,
        of_the_team_while_its_owner_is_of_another,
        of_somebody_of_the_team_while_it_is_of_another,
        of_the_team_without_an_owner,
        of_anybody_for_who_may_change_all,
    ],
)
def test_a_lead_is_given_away_by_who_decides_about_it(people, case, through):
    user, lead = case(people)
    assert through(signed_in(user), lead, people.teammate.rep.pk).status_code in (200, 302)
    assert Lead.objects.get(pk=lead.pk).owner == people.teammate


@DOORS
@pytest.mark.parametrize(
    "case", [ones_own, of_another_team, of_a_team_one_may_work_for, of_a_team_that_is_archived, that_is_closed]
)
def test_no_lead_is_given_away_by_who_does_not_decide_about_it(people, case, through):
    user, lead = case(people)
    before = lead.owner
    through(signed_in(user), lead, people.teammate.rep.pk)
    assert Lead.objects.get(pk=lead.pk).owner == before
    assert not may_pass_on(user, lead)


@pytest.mark.parametrize("through", [by_its_page, by_the_board])
def test_who_may_change_all_leads_and_looks_after_nobody_takes_one_on(people, through):
    lead = owned(people)
    people.stranger.user_permissions.add(Permission.objects.get(codename="change_lead"))
    assert "Reassign …" in signed_in(people.stranger).get("/board/").content.decode()
    through(signed_in(people.stranger), lead, people.stranger.rep.pk)
    assert Lead.objects.get(pk=lead.pk).owner == people.stranger


@DOORS
def test_nobody_whom_one_does_not_look_after_is_given_leads(people, through):
    lead = owned(people)
    through(signed_in(people.manager), lead, people.stranger.rep.pk)
    assert Lead.objects.get(pk=lead.pk).owner == people.owner


def test_who_is_in_two_of_the_managers_teams_has_each_lead_once(people):
    people.other_team.manager = people.manager
    people.other_team.save()
    people.other_team.members.add(people.owner)
    lead = owned(people)
    assert list(leads_to_pass_on(people.manager)) == [lead]


def test_all_pages_ask_the_same_words_and_say_the_same_of_a_wrong_choice(people):
    lead, client = owned(people), signed_in(people.manager)
    sent = {"to": people.stranger.rep.pk, "reason": "x"}
    answers = [
        client.post(f"/leads/{lead.uid}/pass-on/", sent).context["forms"]["pass_on"],
        client.post("/reassign/", sent | {"lead": [f"{lead.uid}:{lead.version}"]}).context["form"],
        client.post(f"/availability/{people.owner.rep.pk}/hand-over/", sent).context["form"],
    ]
    assert len({(form["to"].label, form["reason"].label, form["to"].help_text) for form in answers}) == 1
    assert {str(form.errors["to"][0]) for form in answers} == {
        "Choose somebody of the list: an active person whom you look after."
    }


def test_the_choice_leaves_out_whose_it_is_already_and_who_has_left(people):
    Rep.objects.create(user=people.manager, name="Manager Person", active=False)
    lead = owned(people)
    form = signed_in(people.manager).get(f"/leads/{lead.uid}/pass-on/ways/").context["forms"]["pass_on"]
    assert [rep.name for rep in form.fields["to"].queryset] == ["Teammate Person"]
