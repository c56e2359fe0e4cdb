"""What is to be done for a lead: noted, reminded of once, done by whoever has the lead."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from notifications.models import Notification
from notifications.services import fan_out
from pipeline.errors import BadWish
from pipeline.models import Event, Lead, Task, Team
from pipeline.selectors import tasks_of
from pipeline.services.leads import close_lead
from pipeline.services.tasks import TaskTerms, add_task, change_task, drop_task, finish_task, remind_due
from tests.distribution.world import make_lead, stages, win
from tests.pipeline.people import make_people

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
TOMORROW = NOW + timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    return make_lead(
        last_name="Lovelace", owner=people.owner, team=people.team, routing_state="assigned", created_at=NOW
    )


def add(lead, actor=None, text="Call again", due_at=TOMORROW, **more):
    return add_task(lead, TaskTerms(text, due_at, **more), actor=actor, now=NOW)


def kinds(lead):
    return list(lead.events.order_by("pk").values_list("kind", flat=True))


def texts(user):
    return [task.text for task in tasks_of(user)]


def test_a_task_belongs_to_whoever_has_the_lead(people, lead):
    add(lead, people.teammate)
    assert texts(people.owner) == ["Call again"]
    Lead.objects.filter(pk=lead.pk).update(owner=people.teammate)
    assert (texts(people.owner), texts(people.teammate)) == ([], ["Call again"])


def test_a_task_of_somebody_by_name_stays_with_them(people, lead):
    add(lead, people.owner, assignee=people.manager)
    Lead.objects.filter(pk=lead.pk).update(owner=people.teammate)
    assert (texts(people.owner), texts(people.teammate), texts(people.manager)) == ([], [], ["Call again"])


def test_who_may_no_longer_work_on_a_lead_is_not_asked_to(people, lead):
    add(lead, people.owner, assignee=people.manager)
    Team.objects.filter(pk=people.team.pk).update(manager=None)
    assert texts(people.manager) == []


def test_what_is_due_first_comes_first_and_a_lost_lead_asks_for_nothing(people, lead):
    add(lead, text="Later", due_at=TOMORROW + HOUR)
    add(lead, text="Sooner")
    assert texts(people.owner) == ["Sooner", "Later"]
    close_lead(lead, stages()["lost"], actor=people.owner, lost_reason="No budget")
    assert texts(people.owner) == []


def test_a_lead_that_was_won_still_asks_for_what_was_promised(people, lead):
    add(lead, text="Send the contract")
    win(lead, actor=people.owner)
    assert texts(people.owner) == ["Send the contract"]


@pytest.mark.parametrize(
    ("text", "due_at", "field"),
    [
        ("  ", TOMORROW, "text"),
        ("x" * 201, TOMORROW, "text"),
        ("Call", NOW, "due_at"),
        ("Call", NOW + timedelta(days=800), "due_at"),
    ],
)
def test_a_task_that_cannot_be_is_refused_and_nothing_is_written(lead, text, due_at, field):
    with pytest.raises(BadWish) as refused:
        add(lead, text=text, due_at=due_at)
    assert refused.value.field == field
    assert (Task.objects.count(), kinds(lead)) == (0, [])


def test_a_task_ends_once_and_the_history_says_by_whom(people, lead):
    task = add(lead, people.owner)
    assert finish_task(task, actor=people.teammate, now=NOW)
    assert not finish_task(task, actor=people.owner, now=NOW)
    assert not drop_task(task, actor=people.owner, now=NOW)
    assert not change_task(task, TaskTerms("Other", TOMORROW), actor=people.owner, now=NOW)
    assert kinds(lead) == ["task.added", "task.done"]
    assert lead.events.get(kind="task.done").actor == people.teammate
    assert texts(people.owner) == []


def test_a_task_that_is_put_off_reminds_again(people, lead):
    task = add(lead)
    assert remind_due(now=TOMORROW) == 1
    assert change_task(task, TaskTerms("Call again", TOMORROW + HOUR), actor=people.owner, now=TOMORROW)
    assert (remind_due(now=TOMORROW), remind_due(now=TOMORROW + HOUR)) == (0, 1)


def told():
    fan_out()
    return set(Notification.objects.filter(kind="task_due").values_list("user__username", "channel"))


def test_the_owner_is_reminded_once_when_the_time_has_come(people, lead):
    add(lead)
    assert remind_due(now=TOMORROW - timedelta(seconds=1)) == 0
    assert (remind_due(now=TOMORROW), remind_due(now=TOMORROW)) == (1, 0)
    assert told() == {("owner", "in_app"), ("owner", "email")}


def test_a_reminder_comes_as_long_before_as_was_asked_or_at_once_or_not_at_all(people, lead):
    add(lead, text="In time", remind=2 * HOUR)
    add(lead, text="Too late for that", due_at=NOW + HOUR, remind=2 * HOUR)
    add(lead, text="Never", remind=None)
    moments = dict(Task.objects.values_list("text", "remind_at"))
    assert moments == {"In time": TOMORROW - 2 * HOUR, "Too late for that": NOW, "Never": None}


def test_who_is_named_is_reminded_instead_of_the_owner(people, lead):
    add(lead, assignee=people.teammate)
    remind_due(now=TOMORROW)
    assert {name for name, _ in told()} == {"teammate"}


def test_of_a_lead_that_nobody_has_the_manager_is_reminded(people):
    lead = make_lead(last_name="Free", team=people.team, routing_state="unassigned")
    add(lead)
    remind_due(now=TOMORROW)
    assert {name for name, _ in told()} == {"manager"}


@pytest.mark.parametrize("end", [finish_task, drop_task])
def test_nobody_is_reminded_of_what_has_ended(lead, end):
    end(add(lead), actor=None, now=NOW)
    assert remind_due(now=TOMORROW) == 0


def test_nobody_is_reminded_of_a_lead_that_was_lost(people, lead):
    add(lead)
    close_lead(lead, stages()["lost"], actor=people.owner, lost_reason="No budget")
    assert remind_due(now=TOMORROW) == 0
    assert Event.Kind.TASK_DUE not in kinds(lead)


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"ended_at": NOW},
        {"end": "done"},
        {"remind_at": TOMORROW + HOUR},
        {"ended_at": NOW, "end": "done", "remind_at": NOW},
    ],
)
def test_the_database_refuses_a_task_that_cannot_be(lead, wrong):
    with pytest.raises(IntegrityError), transaction.atomic():
        Task.objects.create(**{"lead": lead, "text": "Call", "due_at": TOMORROW, **wrong})


def test_the_message_says_what_is_to_be_done_and_when_in_the_readers_zone_and_language(people, lead):
    from distribution.models import Rep
    from notifications.content import content_of

    Rep.objects.filter(user=people.owner).update(time_zone="Europe/Berlin")
    add(lead, text="Send the offer")
    remind_due(now=TOMORROW)
    fan_out()
    row = Notification.objects.get(kind="task_due", channel="email")
    row.language = "de"
    said = content_of(row, now=TOMORROW)
    assert said.subject == "Ihre Aufgabe: Lovelace"
    assert "Fällig: 11:00." in said.text
    assert "Send the offer" in said.text


def test_in_the_demo_everybody_who_has_leads_has_work_and_nobody_is_told_of_it(people, lead):
    from pipeline.demo import build_work

    for name in ("Second", "Third"):
        make_lead(last_name=name, owner=people.owner, routing_state="assigned")
    build_work()
    assert Task.objects.count() == 2
    assert Event.objects.filter(kind=Event.Kind.REPLIED).count() == 1
    assert not Event.objects.filter(fanned_out_at=None).exists()
