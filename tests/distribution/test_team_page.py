"""The page on which managers see their people with their leads, and move leads between them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from distribution import services
from distribution.models import Assignment, Decision, Leave, Rep
from pipeline.models import Event, Lead
from tests.distribution.promises import make_policy
from tests.distribution.setups import make_pool, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead
from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)  # a Monday
PAGE = "/team/availability/"


@pytest.fixture(autouse=True)
def _monday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def people():
    """Berlin's owner gets every lead."""
    people = make_people()
    rules = make_rule_set()
    make_rule(rules, "All", pool=make_pool("Berlin", people.owner.rep, team=people.team))
    publish(rules)
    return people


def arrive(count=1):
    leads = [make_lead(last_name=f"Lead {number}", email=f"{number}@lead{number}.example") for number in range(count)]
    for lead in leads:
        services.assign_lead(lead.pk)
    return leads


def hire(people, count):
    for number in range(count):
        user = User.objects.create_user(f"more{number}")
        Rep.objects.create(user=user, name=f"More {number}")
        people.team.members.add(user)


def lines(user):
    return {line.name: line for line in signed_in(user).get(PAGE).context["team"].lines}


def give(user, lead, rep, version=None):
    """As a page does that shows the lead as it is now, or as it was in a version."""
    sent = {"lead": lead.uid, "version": Lead.objects.get(pk=lead.pk).version if version is None else version}
    return signed_in(user).post(f"/team/{rep.pk}/give/", sent, headers={"HX-Request": "true"})


def told(answer):
    return json.loads(answer.headers["HX-Trigger"])["toast"]


def hand_over(user, rep, sent, sure=None):
    path = f"/availability/{rep.pk}/hand-over/"
    return signed_in(user).post(path, sent if sure is None else {**sent, "sure": sure}, follow=True)


def owner_of(lead):
    return Lead.objects.get(pk=lead.pk).owner


def test_a_manager_sees_the_most_urgent_leads_of_everybody(people):
    arrive(8)
    line = lines(people.manager)["Owner Person"]
    assert (line.open_leads, len(line.leads), line.more) == (8, 6, 2)
    assert lines(people.manager)["Teammate Person"].leads == []


def test_promises_broken_since_the_readers_midnight_are_listed(people):
    make_policy(accept_minutes=15)
    with time_machine.travel(NOW - timedelta(days=1), tick=False):
        [old] = arrive()
        services.sweep_clocks(now=NOW - timedelta(hours=12))
    services.reassign_lead(old.pk, to=people.teammate.rep)
    services.sweep_clocks(now=NOW + timedelta(minutes=20))
    with time_machine.travel(NOW + timedelta(minutes=30), tick=False):
        broken = signed_in(people.manager).get(PAGE).context["team"].broken
    assert [(clock.title, clock.rep) for clock in broken] == [("Lead 0", "Teammate Person")]


def test_a_manager_who_owns_no_leads_begins_the_day_with_broken_promises_of_the_team(people):
    make_policy(accept_minutes=15)
    assert "None so far." in signed_in(people.manager).get("/my/").content.decode()
    arrive()
    services.sweep_clocks(now=NOW + timedelta(minutes=20))
    with time_machine.travel(NOW + timedelta(minutes=30), tick=False):
        day = signed_in(people.manager).get("/my/")
        assert [clock.rep for clock in day.context["broken"]] == ["Owner Person"]
        assert "Promises of your team broken today" in day.content.decode()
        assert signed_in(people.owner).get("/my/").context["broken"] is None


def pause(user, rep, **sent):
    return signed_in(user).post(f"/availability/{rep.pk}/pause/", sent, follow=True)


def test_why_and_until_when_somebody_was_set_away_is_on_the_page_and_in_the_reasons_for_skipping(people):
    answer = pause(people.manager, people.owner.rep, reason="at a fair", until="2026-03-02T14:30")
    assert "Owner Person gets no new leads until 14:30: at a fair." in answer.content.decode()
    assert lines(people.manager)["Owner Person"].state.words == "Away: at a fair until 14:30"
    [lead] = arrive()
    assert owner_of(lead) != people.owner
    assert "at a fair until 2026-03-02 14:30 UTC" in json.dumps(Decision.objects.get(lead=lead).trace.data)


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({}, "reason", "Say why"),
        ({"reason": "  "}, "reason", "Say why"),
        ({"reason": "x" * 101}, "reason", "at most 100"),
        ({"reason": "sick", "until": "2026-03-02T09:59"}, "until", "This moment has passed"),
        ({"reason": "sick", "until": "soon"}, "until", "valid date/time"),
    ],
)
def test_nobody_is_set_away_without_a_reason_or_until_what_is_no_time_to_come(people, sent, field, words):
    answer = pause(people.manager, people.owner.rep, **sent, status="away")
    assert answer.status_code == 422
    assert words in answer.context["form"].errors[field][0]
    assert lines(people.manager)["Owner Person"].state.here


def test_the_rest_of_the_day_ends_at_midnight_by_the_clock_of_whom_it_is_about(people):
    Rep.objects.filter(user=people.owner).update(time_zone="America/New_York")
    page = signed_in(people.manager).get(f"/availability/{people.owner.rep.pk}/pause/")
    assert page.context["day_ends"] == "2026-03-03T05:00"


def test_a_manager_fetches_somebody_back(people):
    pause(people.manager, people.owner.rep, reason="sick")
    answer = pause(people.manager, people.owner.rep, status="available", next=f"{PAGE}?page=1#rep-7")
    assert answer.redirect_chain[0][0] == f"{PAGE}?page=1#rep-7"
    assert lines(people.manager)["Owner Person"].state.here


def test_on_the_page_itself_it_is_said_in_a_notice_and_the_page_is_asked_to_look_again(people):
    path = f"/availability/{people.owner.rep.pk}/pause/"
    answer = signed_in(people.manager).post(path, {"reason": "sick"}, headers={"HX-Request": "true"})
    assert answer.status_code == 204
    assert set(json.loads(answer.headers["HX-Trigger"])) == {"toast", "team-changed"}


def test_leave_that_is_wrong_is_said_where_the_leads_are_handed_over(people):
    arrive(2)
    sent = {"first_day": "2026-03-09", "last_day": "2026-03-01", "lend_leads": "on"}
    answer = signed_in(people.manager).post(f"/availability/{people.owner.rep.pk}/hand-over/leave/", sent)
    assert answer.status_code == 422
    assert answer.context["leave"].errors
    assert not answer.context["form"].is_bound
    assert "All 2 open leads" in answer.content.decode()
    assert not Leave.objects.exists()


def test_a_lead_moved_to_somebody_else_is_theirs_with_a_line_on_its_timeline(people):
    [lead] = arrive()
    answer = give(people.manager, lead, people.teammate.rep)
    assert owner_of(lead) == people.teammate
    assert "is Teammate Person" in answer.headers["HX-Trigger"]
    assert "<html" not in answer.content.decode()
    assert Event.objects.filter(lead=lead, actor=people.manager).exists()


def test_a_page_that_stood_open_too_long_takes_no_lead_from_whoever_has_it_now(people):
    [lead] = arrive()
    before = Lead.objects.get(pk=lead.pk).version
    give(people.manager, lead, people.teammate.rep)
    answer = give(people.manager, lead, people.owner.rep, version=before)
    assert answer.status_code == 409
    assert "Somebody else changed this lead meanwhile" in told(answer)["text"]
    assert f'data-version="{Lead.objects.get(pk=lead.pk).version}"' in answer.content.decode()
    assert owner_of(lead) == people.teammate


@pytest.mark.parametrize("version", ["", "x", "-1"])
def test_a_lead_is_not_given_away_without_a_version(people, version):
    [lead] = arrive()
    assert give(people.manager, lead, people.teammate.rep, version=version).status_code == 409
    assert owner_of(lead) == people.owner


def test_a_lead_that_was_dropped_on_the_wrong_person_goes_back_with_its_turn(people):
    [lead] = arrive()
    credit = people.owner.rep.memberships.get().credit
    back = told(give(people.manager, lead, people.teammate.rep))["giveBack"]
    answer = signed_in(people.manager).post(back["url"], back["values"], headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert owner_of(lead) == people.owner
    assert people.owner.rep.memberships.get().credit == credit
    assert signed_in(people.manager).post(back["url"], back["values"]).status_code == 409


def test_leads_are_told_apart_by_company_stage_and_value(people):
    [lead] = arrive()
    Lead.objects.filter(pk=lead.pk).update(company="Acme", value=12500, currency="EUR")
    [piece] = lines(people.manager)["Owner Person"].leads
    assert piece.about == ["Acme", lead.stage.name, "12,500 EUR"]


def test_the_page_leads_on_to_what_it_does_not_show(people):
    arrive(8)
    page = signed_in(people.manager).get(PAGE).content.decode()
    assert f'href="/board/?who=team&amp;owner={people.owner.pk}"' in page
    assert f'href="/availability/{people.teammate.rep.pk}/#leave"' in page  # who has no leads may still go on leave
    assert "Not seen yet" in page


def test_a_move_that_is_refused_says_why_and_shows_the_page_as_it_is(people):
    [lead] = arrive()
    give(people.manager, lead, people.teammate.rep)
    Rep.objects.filter(user=people.owner).update(active=False)
    assert give(people.manager, lead, people.owner.rep).status_code == 404
    assert owner_of(lead) == people.teammate


def test_nobody_moves_leads_of_people_they_do_not_look_after(people):
    [lead] = arrive()
    for user in (people.teammate, people.stranger, people.owner):
        assert give(user, lead, people.teammate.rep).status_code == 404
    assert give(people.manager, lead, people.stranger.rep).status_code == 404
    assert owner_of(lead) == people.owner


def test_all_leads_of_somebody_are_handed_over_to_one_person(people):
    leads = arrive(3)
    sent = {"to": people.teammate.rep.pk, "reason": "Leaves us"}
    asked = hand_over(people.manager, people.owner.rep, sent).content.decode()
    assert "3 leads of" in asked
    assert {owner_of(lead) for lead in leads} == {people.owner}
    answer = hand_over(people.manager, people.owner.rep, sent, sure=3)
    assert "3 leads of Owner Person handed over." in answer.content.decode()
    assert {owner_of(lead) for lead in leads} == {people.teammate}
    assert Assignment.objects.filter(rep=people.owner.rep, ended_at=None).count() == 0


def test_handed_over_by_the_rules_what_finds_nobody_stays_in_the_system_and_is_told(people):
    [lead] = arrive()
    sent = {"to": "", "reason": "Leaves us"}
    hand_over(people.manager, people.owner.rep, sent, sure=1)
    lead.refresh_from_db()
    assert (lead.owner, lead.routing_state) != (people.owner, "assigned")


def test_who_said_yes_to_fewer_leads_than_there_are_now_is_asked_again(people):
    leads = arrive(2)
    sent = {"to": people.teammate.rep.pk, "reason": "Leaves us"}
    assert "Yes, hand over 2 leads" in hand_over(people.manager, people.owner.rep, sent, sure=1).content.decode()
    assert {owner_of(lead) for lead in leads} == {people.owner}


def test_handing_over_needs_a_reason_and_changes_nothing_without(people):
    [lead] = arrive()
    answer = signed_in(people.manager).post(f"/availability/{people.owner.rep.pk}/hand-over/", {"to": ""})
    assert answer.status_code == 422
    assert answer.context["form"].errors["reason"]
    assert owner_of(lead) == people.owner


def test_for_a_time_the_leads_are_lent_with_the_leave(people):
    page = signed_in(people.manager).get(f"/availability/{people.owner.rep.pk}/hand-over/")
    initial = page.context["leave"].initial
    assert (initial["lend_leads"], initial["first_day"]) == (True, NOW.date())
    days = {"first_day": "2026-03-09", "cover": people.teammate.rep.pk, "lend_leads": "on", "next": PAGE}
    answer = signed_in(people.manager).post(f"/availability/{people.owner.rep.pk}/hand-over/leave/", days, follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    assert "Leave of Owner Person is planned: " in answer.content.decode()
    assert Leave.objects.get().lend_leads


@pytest.mark.parametrize("who", ["owner", "teammate", "stranger"])
def test_only_who_looks_after_somebody_hands_their_leads_over(people, who):
    arrive()
    client = signed_in(getattr(people, who))
    assert client.get(f"/availability/{people.owner.rep.pk}/hand-over/").status_code == 404
    assert client.get(PAGE).status_code == 404


def test_people_stand_on_pages_that_lead_to_each_other(people):
    hire(people, 49)
    first, second = (signed_in(people.manager).get(PAGE, {"page": page}).content.decode() for page in (1, 2))
    assert "Teammate Person" not in first
    assert "Page 1 of 2" in first
    assert 'href="?page=2">Next' in first
    assert "Teammate Person" in second
    assert 'href="?page=1">Before' in second


def test_the_page_costs_the_same_with_many_people_and_leads(people):
    client = signed_in(people.manager)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    hire(people, 20)
    arrive(10)
    with CaptureQueriesContext(connection) as many:
        client.get(PAGE)
    assert len(many) == len(few)


def test_an_admin_looks_after_everybody(people):
    people.stranger.user_permissions.add(Permission.objects.get(codename="change_rep"))
    assert {"Owner Person", "Teammate Person", "Stranger Person"} < set(lines(people.stranger))
