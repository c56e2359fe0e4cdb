"""My day: what waits for a rep, and only for that rep."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from distribution.models import Assignment, AwayReason, Leave, Offer, Rep
from pipeline.models import Event, Lead, Stage, Task
from pipeline.services.activity import add_note, record_contact
from pipeline.services.leads import close_lead
from pipeline.services.moving import move_on, undo_move
from pipeline.workday import MOST, build_workday, unanswered
from tests.distribution.world import make_lead, stages, win, world
from tests.pipeline.people import make_people, signed_in
from tests.support.heard import heard_up_to, newest_told

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _monday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def people():
    return make_people()


def own(people, name, **more):
    mine = {"owner": people.owner, "team": people.team, "routing_state": "assigned", "created_at": NOW - HOUR}
    return make_lead(last_name=name, **{**mine, **more})


def reply(lead, at=NOW - HOUR / 2, text="Yes please"):
    return Event.objects.create(lead=lead, kind=Event.Kind.REPLIED, at=at, data={"channel": "sms", "text": text})


def names(shown):
    return [line.title for line in shown.lines]


def day(user):
    return build_workday(user, NOW)


def page(user, query=""):
    response = signed_in(user).get(f"/my/{query}")
    assert response.status_code == 200
    return response.content.decode()


# --- What waits ---------------------------------------------------------------------------------


def test_leads_to_accept_come_in_the_order_in_which_they_must_be_answered(people):
    own(people, "No hurry")
    own(people, "Soon", respond_by=NOW + HOUR)
    own(people, "Late", respond_by=NOW - HOUR)
    own(people, "Accepted", accepted_at=NOW)
    own(people, "Spoken to", first_contacted_at=NOW)
    assert names(day(people.owner).accept) == ["Late", "Soon", "No hurry"]


def test_what_is_late_was_accepted_and_does_not_rest(people):
    own(people, "Late", respond_by=NOW - HOUR, accepted_at=NOW - HOUR)
    own(people, "Resting", respond_by=NOW - HOUR, accepted_at=NOW - HOUR, snoozed_until=NOW + HOUR)
    own(people, "In time", respond_by=NOW + HOUR, accepted_at=NOW - HOUR)
    assert names(day(people.owner).late) == ["Late"]


def test_what_is_accepted_and_promised_is_to_be_contacted_by_the_clock(people):
    accepted = {"accepted_at": NOW - HOUR}
    own(people, "In two", respond_by=NOW + 2 * HOUR, **accepted)
    own(people, "In one", respond_by=NOW + HOUR, **accepted)
    own(people, "Late", respond_by=NOW, **accepted)
    own(people, "Resting", respond_by=NOW + HOUR, snoozed_until=NOW + HOUR, **accepted)
    own(people, "Nothing promised", **accepted)
    own(people, "New", respond_by=NOW + HOUR)
    assert names(day(people.owner).promised) == ["In one", "In two"]
    assert not day(people.owner).nothing
    assert "To contact" in page(people.owner)


def test_closed_leads_and_those_of_others_do_not_wait(people):
    lead = own(people, "Lost", respond_by=NOW - HOUR)
    close_lead(lead, stages()["lost"], actor=people.owner, lost_reason="No")
    own(people, "Theirs", owner=people.teammate)
    assert day(people.owner).nothing
    assert names(day(people.teammate).accept) == ["Theirs"]


def test_todays_tasks_are_those_until_midnight_where_the_reader_is_and_the_late_ones(people):
    lead = own(people, "Lovelace", accepted_at=NOW)
    for text, due_at in (("Late", NOW - 30 * HOUR), ("Today", NOW + HOUR), ("Evening", NOW + 13.5 * HOUR)):
        Task.objects.create(lead=lead, text=text, due_at=due_at)
    client = signed_in(people.owner)
    today = client.get("/my/").context["day"]
    assert [line.text for line in today.tasks.lines] == ["Late", "Today", "Evening"]
    client.cookies["time_zone"] = "Europe/Berlin"  # where 23:30 in London is tomorrow
    today = client.get("/my/").context["day"]
    assert [line.text for line in today.tasks.lines] == ["Late", "Today"]
    assert [line.text for line in today.coming] == ["Evening"]


def test_a_reply_waits_until_somebody_does_something_about_it(people):
    lead = own(people, "Lovelace", accepted_at=NOW)
    reply(lead, NOW - 2 * HOUR, "First")
    reply(lead, NOW - HOUR, "Second")
    assert [line.text for line in day(people.owner).replies.lines] == ["Second"]
    add_note(lead, "Called her", actor=people.teammate)
    assert day(people.owner).nothing
    reply(lead, NOW, "Third")
    assert [line.text for line in day(people.owner).replies.lines] == ["Third"]
    record_contact(lead, channel="phone", outbound=True, automatic=False, actor=people.owner)
    assert day(people.owner).nothing


def test_a_reply_before_the_contact_that_was_noted_later_does_not_wait(people):
    lead = own(people, "Lovelace", accepted_at=NOW, created_at=NOW - 5 * HOUR)
    reply(lead, NOW - 2 * HOUR)
    record_contact(
        lead, channel="phone", outbound=True, automatic=False, actor=people.owner, at=NOW - 3 * HOUR, text="before"
    )
    assert len(day(people.owner).replies.lines) == 1


def test_moves_and_closings_of_others_or_by_mistake_answer_no_reply(people):
    lead = own(people, "Lovelace", accepted_at=NOW)
    reply(lead, NOW - HOUR)
    talks = Stage.objects.create(pipeline=lead.stage.pipeline, name="Talks", slug="talks")

    def waits():
        return bool(day(people.owner).replies.lines)

    move_on(lead, talks, actor=people.owner)
    assert waits()
    win(lead, actor=people.owner)
    assert not waits()
    undo_move(lead, actor=people.owner, version=lead.version)
    assert waits()
    with time_machine.travel(NOW + HOUR, tick=False):
        win(lead, actor=people.manager)
    assert waits()
    move_on(lead, talks, actor=people.manager)
    undo_move(lead, actor=people.manager, version=lead.version)
    assert waits()


def test_a_customer_who_was_won_still_gets_an_answer_but_old_replies_rest(people):
    lead = own(people, "Won", accepted_at=NOW)
    win(lead, actor=people.owner)
    reply(lead, NOW + timedelta(seconds=1))
    reply(own(people, "Old", accepted_at=NOW), NOW - timedelta(days=40))
    assert [event.lead.last_name for event in unanswered(people.owner, NOW)] == ["Won"]


def test_of_very_many_only_the_first_are_shown_and_the_rest_is_counted(people):
    for number in range(MOST + 3):
        own(people, f"Lead {number}")
    accept = day(people.owner).accept
    assert (len(accept.lines), accept.more) == (MOST, 3)
    assert f"{MOST + 3}</span>" in page(people.owner)


# --- The page -----------------------------------------------------------------------------------


def test_the_page_shows_it_all_with_one_key_for_each_act(people):
    world(Rep.objects.get(user=people.owner))
    lead = own(people, "New", respond_by=NOW + HOUR, phone="+442071838750")
    reply(lead)
    Task.objects.create(lead=lead, text="Send the offer", due_at=NOW + HOUR)
    shown = page(people.owner)
    for key in "oacmlsdwf":
        assert key == "m" or f'data-key="{key}"' in shown
    assert "Send the offer" in shown
    assert "Yes please" in shown
    assert "Sales" in shown


def test_a_lead_is_accepted_from_the_page_and_leads_back_to_it(people):
    lead = own(people, "New")
    response = signed_in(people.owner).post(f"/leads/{lead.uid}/accept/", {"next": f"/my/#lead-{lead.uid}"})
    assert response.headers["Location"].startswith("/my/#")
    assert Lead.objects.get(pk=lead.pk).accepted_at == NOW
    assert day(people.owner).nothing


def test_a_task_that_is_done_asks_what_is_next_on_the_same_page(people):
    lead = own(people, "Lovelace", accepted_at=NOW)
    task = Task.objects.create(lead=lead, text="Call", due_at=NOW + HOUR)
    client = signed_in(people.owner)
    location = client.post(f"/tasks/{task.pk}/done/", {"next": "/my/"}).headers["Location"]
    assert location == f"/my/?done={task.pk}#next"
    assert "What is next for <bdi>Lovelace</bdi>?" in client.get(location).content.decode()
    back = client.post(f"/leads/{lead.uid}/tasks/", {"text": "Call again", "soon": "tomorrow", "next": "/my/"})
    assert back.headers["Location"] == "/my/"
    assert Task.objects.get(ended_at=None).due_at == NOW.replace(day=3, hour=9)


@pytest.mark.parametrize("done", ["x", "0", "9" * 30, "1"])
def test_nothing_is_asked_about_a_task_that_is_not_the_readers(people, done):
    lead = make_lead(last_name="Secret", owner=people.stranger, routing_state="assigned")
    Task.objects.create(pk=1, lead=lead, text="Call", due_at=NOW, ended_at=NOW, end="done")
    assert "What is next" not in page(people.owner, f"?done={done}")


def test_the_status_is_set_from_the_page_and_leads_back_to_it(people):
    AwayReason.objects.create(name="Lunch", minutes=45)
    rep = Rep.objects.get(user=people.owner)
    shown = page(people.owner)
    assert '<input type="hidden" name="next" value="/my/">' in shown
    response = signed_in(people.owner).post(f"/availability/{rep.pk}/status/", {"reason": "Lunch", "next": "/my/"})
    assert response.headers["Location"] == "/my/"
    assert "I am back" in page(people.owner)


def test_the_next_leave_is_told(people):
    rep = Rep.objects.get(user=people.owner)
    cover = Rep.objects.get(user=people.teammate)
    Leave.objects.create(
        rep=rep, starts_at=NOW + timedelta(days=7), ends_at=NOW + timedelta(days=8), whole_days=True, cover=cover
    )
    assert "<bdi>Teammate Person</bdi> stands in" in page(people.owner)


def test_who_has_nothing_to_do_is_told_what_to_do_next(people):
    assert "Nothing waits for you" in page(people.owner)
    assert 'id="fair"' not in page(people.manager)


# --- What changes while it is open ----------------------------------------------------------------


def asked(user, since):
    """What an open page is answered, and the newest event that it is told."""
    response = signed_in(user).get("/my/changes/", {"since": since})
    return response.status_code, newest_told(response)


def event(lead, **more):
    return Event.objects.create(lead=lead, kind=Event.Kind.NOTED, **more)


def a_lead_one_has(people):
    return own(people, "Mine")


def a_lead_one_had(people):
    lead = own(people, "Gone", owner=people.teammate)
    left = {"started_at": NOW - HOUR, "ended_at": NOW, "end": Assignment.End.REASSIGNED}
    Assignment.objects.create(lead=lead, rep=people.owner.rep, trigger=Assignment.Trigger.MANUAL, **left)
    return lead


def a_lead_one_has_a_task_for(people):
    lead = own(people, "Helped", owner=people.teammate)
    Task.objects.create(lead=lead, text="Call", due_at=NOW, assignee=people.owner)
    return lead


def a_lead_that_was_offered_and_taken(people):
    lead = own(people, "Offered", owner=people.teammate)
    Offer.objects.create(lead=lead, rep=people.owner.rep, ended_at=NOW, end=Offer.End.LOST)
    return lead


@pytest.mark.parametrize(
    "whose", [a_lead_one_has, a_lead_one_had, a_lead_one_has_a_task_for, a_lead_that_was_offered_and_taken]
)
def test_an_open_page_is_told_what_happens_to(people, whose):
    lead = whose(people)
    first = event(lead).pk
    assert asked(people.owner, heard_up_to(first)) == (204, first)
    latest = event(lead).pk
    assert asked(people.owner, heard_up_to(first)) == (200, latest)
    assert asked(people.owner, heard_up_to(latest)) == (204, latest)


def test_what_happens_to_leads_of_others_costs_an_open_page_two_small_queries(people, django_assert_max_num_queries):
    first = event(own(people, "Mine")).pk
    theirs = own(people, "Theirs", owner=people.teammate)
    latest = event(theirs).pk
    client = signed_in(people.owner)
    client.get("/my/")
    with django_assert_max_num_queries(4):  # two of them ask who it is
        response = client.get("/my/changes/", {"since": heard_up_to(first)})
    assert (response.status_code, response.content) == (204, b"")
    assert newest_told(response) == latest


def test_without_an_event_all_of_the_day_is_answered_for_what_time_alone_changes(people):
    own(people, "Mine")
    response = signed_in(people.owner).get("/my/changes/?since=")
    assert response.status_code == 200
    assert "Mine" in response.content.decode()
    assert "<html" not in response.content.decode()
    assert asked(people.owner, heard_up_to(0)) == (204, 0)


@pytest.mark.parametrize("since", ["x", "-1", "7", "9" * 30, "²"])
def test_what_is_no_event_is_answered_with_all_or_nothing(people, since):
    event(own(people, "Mine"))
    assert asked(people.owner, since)[0] == 200


def test_asking_by_itself_is_no_sign_of_somebody_being_there(people):
    signed_in(people.owner).get("/my/changes/")
    assert Rep.objects.get(user=people.owner).last_seen_at is None


def test_a_visitor_signs_in_first(client):
    assert client.get("/my/").headers["Location"] == "/login/?next=/my/"


def test_a_full_day_costs_as_many_queries_as_a_quiet_one(people):
    world(Rep.objects.get(user=people.owner), Rep.objects.get(user=people.teammate))
    client, counts = signed_in(people.owner), []
    for more in (1, 12):
        for number in range(more):
            reply(own(people, f"New {number}", respond_by=NOW + HOUR))
            own(people, f"Promised {number}", respond_by=NOW + HOUR, accepted_at=NOW - HOUR)
            late = own(people, f"Late {number}", respond_by=NOW - HOUR, accepted_at=NOW - HOUR)
            Task.objects.create(lead=late, text="Call", due_at=NOW, assignee=people.owner)
        client.get("/my/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/my/")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 22
