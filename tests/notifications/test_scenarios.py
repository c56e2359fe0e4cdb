"""The whole way of a message, from what happened to the receiver, on the days when something goes wrong."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
import time_machine
from django.conf import settings as django_settings
from django.contrib.auth.models import User

from distribution import services as distribution
from distribution.models import Assignment, Rep
from distribution.services.ladders import sweep_clocks
from notifications.models import ChannelChoice, ContactAddress, Notification
from notifications.services import channels_with_work, deliver, fan_out, prune, rescue
from notifications.services.claiming import claim
from pipeline.models import Event, Lead
from tests.concurrency.threads import at_once, errors
from tests.distribution.promises import MONDAY, after, make_hours, make_policy
from tests.distribution.world import make_lead, make_leads, world
from tests.notifications.messages import NOW, Recorder, channels, queued, states, user
from tests.pipeline.api.partner import Partner
from tests.support.deadbroker import dead_broker
from tests.support.peers import HttpPeer, running

STORED = pytest.mark.django_db(transaction=True)


def choose(name: str, channel: str, address: str = "x") -> None:
    rep = Rep.objects.get(name=name)
    for urgency in ("urgent", "normal", "low"):
        ChannelChoice.objects.create(user=rep.user, urgency=urgency, first=channel)
    ContactAddress.objects.create(user=rep.user, channel=channel, address=address, verified_at=NOW)


@contextlib.contextmanager
def receiver(settings) -> Iterator[HttpPeer]:
    settings.OUTGOING_LOCAL_HOSTS = ["127.0.0.1"]
    with running(HttpPeer()) as peer:
        yield peer


@STORED
def test_46_two_workers_that_take_up_the_same_lead_make_one_assignment_one_notification_one_webhook(settings):
    world("Ann")
    lead = make_lead()
    with receiver(settings) as peer:
        choose("Ann", "webhook", f"{peer.url}/hook")
        assigned = at_once([partial(distribution.assign_lead, lead.pk)] * 4, threads=4)
        told = at_once([fan_out] * 4, threads=4)
        sent = at_once([partial(deliver, "webhook")] * 4, threads=4)
        assert errors([*assigned, *told, *sent]) == []
        assert Assignment.objects.count() == 1
        assert Notification.objects.filter(kind="assigned", channel="webhook").count() == 1
        assert len(peer.seen) == 1


@pytest.mark.django_db
def test_52_a_worker_that_dies_between_claim_and_message_leaves_it_to_the_next_one(mailoutbox):
    world("Ann")
    distribution.assign_lead(make_lead().pk)
    User.objects.filter(username="ann").update(email="ann@sales.example")
    fan_out()
    assert claim("email", datetime.now(UTC)) is not None  # and then it dies
    later = datetime.now(UTC) + timedelta(minutes=5)
    assert fan_out() == 0
    rescue(later)
    with time_machine.travel(later):
        deliver("email")
    assert [mail.to for mail in mailoutbox] == [["ann@sales.example"]]


@STORED
def test_53_a_broker_that_is_down_delays_no_answer_and_loses_no_message(mailoutbox, caplog):
    world("Ann")
    partner = Partner()
    User.objects.filter(username="ann").update(email="ann@sales.example")
    partner.post({"email": "ben@people.example"})  # so that nothing else is made for the first time
    with dead_broker():
        started = datetime.now(UTC)
        answer = partner.post({"email": "ada@people.example"})
        took = datetime.now(UTC) - started
    assert answer.status_code == 201
    assert answer.json()["owner"]
    assert took < timedelta(seconds=5)  # kombu itself would wait for 6
    assert "the broker does not answer" in caplog.text
    fan_out()
    for channel in channels_with_work():
        deliver(channel)
    assert states(kind="assigned", channel="email") == ["sent", "sent"]
    assert len(mailoutbox) == 1


@pytest.mark.django_db
def test_70_after_three_hours_without_sweeps_each_rep_gets_one_message_not_a_storm():
    make_policy(("accept", 10, "remind"), ("accept", 20, "remind"), accept_minutes=30)
    world("Ann", "Ben")
    recorder = Recorder()
    with channels(recorder), time_machine.travel(MONDAY, tick=False) as clock:
        choose("Ann", "recorder")
        choose("Ben", "recorder")
        for lead in make_leads(6):
            distribution.assign_lead(lead.pk, now=MONDAY)
        fan_out()
        deliver("recorder", seconds=60)
        recorder.seen.clear()
        clock.move_to(after(hours=3))
        sweep_clocks()
        fan_out()
        deliver("recorder", seconds=60)
        assert Event.objects.filter(kind__in=("sla.reminded", "sla.broken")).count() >= 12
        assert len(recorder.seen) == 2
        assert set(states(channel="recorder")) == {"sent"}


@pytest.mark.django_db
def test_71_a_promise_by_working_hours_that_runs_out_at_night_is_told_at_the_next_opening():
    make_policy(("accept", 60, "remind"), time="working", accept_minutes=120)
    world("Ann")
    Rep.objects.update(hours=make_hours(begins=10, ends=18))
    recorder = Recorder()
    evening = MONDAY.replace(hour=17, minute=30)
    with channels(recorder), time_machine.travel(evening, tick=False) as clock:
        choose("Ann", "recorder")
        distribution.assign_lead(make_lead().pk, now=evening)
        fan_out()
        deliver("recorder")
        recorder.seen.clear()
        for hour in (23, 34.4):
            clock.move_to(MONDAY.replace(hour=0) + timedelta(hours=hour))
            sweep_clocks()
            fan_out()
            deliver("recorder")
        assert recorder.seen == []
        clock.move_to(MONDAY.replace(hour=10, minute=31) + timedelta(days=1))
        sweep_clocks()
        fan_out()
        deliver("recorder")
    assert [message.kind for message in recorder.seen] == ["reminder"]


@pytest.mark.django_db
def test_old_messages_are_forgotten_and_what_waits_is_not():
    old = NOW - timedelta(days=django_settings.MESSAGE_RETENTION_DAYS + 1)
    queued(user("ann"), state="sent", created_at=old)
    waiting, fresh = queued(user("ann"), created_at=old), queued(user("ann"), state="sent", created_at=NOW)
    assert prune(NOW) == 1
    assert set(Notification.objects.all()) == {waiting, fresh}


@pytest.mark.django_db
def test_a_lead_that_moves_on_to_the_manager_is_told_to_both():
    event = Event.objects.create(
        lead=make_lead(),
        kind=Event.Kind.MOVED_ON,
        at=NOW,
        data={"to_user": user("boss").pk, "from_user": user("ann").pk, "tell": [user("ann").pk]},
    )
    Lead.objects.filter(pk=event.lead_id).update(owner=user("boss"), routing_state="assigned")
    fan_out()
    assert set(Notification.objects.values_list("user__username", "kind")) == {("boss", "assigned")}
