"""Managers give many leads to somebody else at once."""

import pytest
from django.contrib.auth.models import Permission

from distribution import reassignviews, services
from distribution.models import Rep
from pipeline.models import Lead
from tests.distribution.setups import make_pool, make_rule_set, publish
from tests.distribution.world import make_lead, win
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


def told(response):
    """What the message on the next page says, by line."""
    return next(str(message) for message in response.context["messages"]).splitlines()


def give(user, chosen, to="", **more):
    data = {"lead": chosen, "to": to, "reason": "", **more}
    return signed_in(user).post("/reassign/", data, follow=True)


def test_what_somebody_changed_meanwhile_stays_and_is_named(people, leads):
    chosen = ticked(leads)
    Lead.objects.filter(pk=leads[0].pk).update(version=leads[0].version + 1)
    before = owners()
    to = Rep.objects.get(user__username=(before[1] == "owner" and "teammate") or "owner")
    assert told(give(people.manager, chosen, to.pk)) == [
        f"1 given to {to.name}, 1 not.",
        "Ada: Somebody else changed this lead meanwhile. Look at it again and repeat your change.",
    ]
    assert owners() == [before[0], before[0]]


def test_it_is_said_to_whom_the_rules_gave_each(people, leads):
    before = owners()
    answer = give(people.manager, ticked(leads))
    assert [message.level_tag for message in answer.context["messages"]] == ["success"]
    lines = told(answer)
    assert lines[0] == "2 left to the rules."
    who = {"owner": "Owner Person", "teammate": "Teammate Person"}
    assert set(lines[1:]) == {f"Ada: {who[before[1]]} has it now.", f"Bob: {who[before[0]]} has it now."}


def test_when_the_rules_find_nobody_it_is_said_why(people, leads):
    Rep.objects.update(status="away")
    answer = give(people.manager, ticked(leads))
    assert [message.level_tag for message in answer.context["messages"]] == ["warning"]
    lines = told(answer)
    assert lines[0] == "2 left to the rules."
    assert all("nobody has it yet. " in line for line in lines[1:])
    assert all(len(line) > 50 for line in lines[1:]), lines


def test_what_cannot_be_reassigned_is_said_before_and_after(people, leads):
    closed = make_lead(last_name="Cyd", team=people.team, owner=people.owner, routing_state="assigned")
    win(closed, actor=people.manager)
    foreign = make_lead(last_name="Secret", team=people.other_team, owner=people.stranger, routing_state="assigned")
    chosen = ticked([*leads, closed, foreign])
    asked = signed_in(people.manager).post("/reassign/", {"lead": chosen}).content.decode()
    assert "Reassign 2 leads" in asked
    assert "2 more that you chose cannot be reassigned by you" in asked
    to = Rep.objects.get(user=people.owner)
    lines = told(give(people.manager, chosen, to.pk))
    assert lines == [
        f"2 given to {to.name}, 2 not.",
        "Cyd: Closed, or not yours to pass on.",
        "1 lead is not there any more, or not yours to change.",
    ]


def test_the_version_that_was_seen_when_the_leads_were_ticked_is_asked_on_with(people, leads):
    chosen = ticked(leads)
    Lead.objects.filter(pk=leads[0].pk).update(version=leads[0].version + 1)
    page = signed_in(people.manager).post("/reassign/", {"lead": chosen}).content.decode()
    assert all(f'name="lead" value="{one}"' in page for one in chosen)


def test_a_person_who_can_have_no_lead_any_more_is_marked_as_wrong(people, leads, monkeypatch):
    to, before = Rep.objects.get(user=people.teammate), owners()

    def leaves_first(lead_id, **told):
        Rep.objects.filter(pk=to.pk).update(active=False)
        return services.reassign_lead(lead_id, **told)

    monkeypatch.setattr(reassignviews, "reassign_lead", leaves_first)
    response = give(people.manager, ticked(leads), to.pk)
    assert response.status_code == 422
    assert "Ada and Bob: Teammate Person is not active." in response.context["form"].errors["to"][0]
    assert owners() == before


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
