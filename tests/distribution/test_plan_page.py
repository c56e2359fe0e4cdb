"""What is promised to a lead and what comes next, on its page."""

import pytest
import time_machine
from django.utils.html import strip_tags

from distribution import services
from distribution.models import Rep
from pipeline.services.activity import record_contact, snooze_lead
from tests.distribution.promises import MONDAY, after, make_policy
from tests.distribution.world import make_lead, world
from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    make_policy(accept_minutes=10, lead_minutes=60)
    world(Rep.objects.get(user=people.owner))
    with time_machine.travel(MONDAY, tick=False) as clock:
        lead = make_lead(last_name="Lovelace")
        services.assign_lead(lead.pk)
        lead.refresh_from_db()
        lead.clock = clock
        yield lead


def plan(user, lead, **headers):
    response = signed_in(user).get(f"/leads/{lead.uid}/plan/", headers=headers)
    assert response.status_code == 200
    return response.content.decode()


def test_each_promise_says_until_when_and_how_much_is_left(people, lead):
    lead.clock.move_to(after(6))
    shown = plan(people.owner, lead)
    assert "To accept it" in shown
    assert "by 10:10, 4 min left" in strip_tags(shown)
    assert "by 11:00, 54 min left" in strip_tags(shown)
    assert shown.count("data-due=") == 2  # they go on while the page stands open


def test_a_promise_that_is_late_says_so_in_words(people, lead):
    lead.clock.move_to(after(12))
    assert "late, was due by 10:10, 2 min late" in strip_tags(plan(people.owner, lead))


def test_promises_of_a_snoozed_lead_wait(people, lead):
    snooze_lead(lead, after(hours=5), "on holiday", people.owner)
    shown = plan(people.owner, lead)
    assert "waits while the lead is snoozed" in shown
    assert "left" not in shown


def test_after_the_contact_the_promises_stand_as_kept(people, lead):
    record_contact(lead, channel="phone", outbound=True, automatic=False, actor=people.owner)
    shown = plan(people.owner, lead)
    assert "No promise is running." in shown
    assert shown.count(">kept</span>") == 2


def test_for_htmx_it_is_a_panel_and_else_a_page(people, lead):
    assert "<html" not in plan(people.owner, lead, **{"HX-Request": "true"})
    assert "The plan for" in plan(people.owner, lead)


def test_a_stranger_finds_no_such_page(people, lead):
    assert signed_in(people.stranger).get(f"/leads/{lead.uid}/plan/").status_code == 404
