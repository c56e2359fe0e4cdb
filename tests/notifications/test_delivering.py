"""Messages leave, are tried again, bundled, held back and written down."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.contrib.auth.models import User

from distribution.models import Rep
from notifications.channels import CHANNELS, SendError
from notifications.models import ChannelChoice, ChannelSwitch, ContactAddress, MessageTemplate, Notification, Stop
from notifications.services import claiming, deliver, fan_out, rescue
from pipeline.models import Event
from tests.distribution.world import make_lead
from tests.notifications.messages import (
    NOW,
    Recorder,
    channels,
    happened,
    passing,
    permanent,
    queued,
    states,
    user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel(clock):
    recorder = Recorder()
    with channels(recorder):
        yield recorder


def reachable(name: str, over: str = "recorder") -> User:
    found = user(name)
    ContactAddress.objects.get_or_create(
        user=found, channel=over, defaults={"address": f"{name}@{over}", "verified_at": NOW}
    )
    return found


def test_what_is_due_is_sent_and_written_down_with_what_it_said(channel):
    row = queued(reachable("ann"), lead=make_lead(last_name="Novak"))
    assert deliver("recorder") == (1, False)
    row.refresh_from_db()
    assert (row.state, row.sent_at, row.provider_id, row.address) == ("sent", NOW, "id-1", "ann@recorder")
    assert "Novak" in row.subject
    assert channel.seen[0].token == row.token


def test_what_is_not_due_waits(channel):
    queued(reachable("ann"), next_at=NOW + timedelta(minutes=1))
    assert deliver("recorder") == (0, False)


def test_a_task_gives_way_after_five_seconds_of_the_clock_by_which_messages_are_due(channel, clock):
    for name in ("ann", "ben", "cleo", "dan"):
        queued(reachable(name))
    channel.answers = [lambda: clock.shift(timedelta(seconds=2))] * 4
    assert deliver("recorder") == (3, True)
    assert deliver("recorder") == (1, False)


def test_a_passing_error_is_tried_again_later_with_the_same_token(channel, clock):
    row = queued(reachable("ann"))
    channel.answers = [passing()]
    deliver("recorder")
    row.refresh_from_db()
    assert (row.state, row.reason, row.error_code) == ("retry", "Not now.", "busy")
    assert timedelta(seconds=22) <= row.next_at - NOW <= timedelta(seconds=38)
    clock.move_to(row.next_at)
    deliver("recorder")
    assert states() == ["sent"]
    assert [message.token for message in channel.seen] == [row.token] * 2


def test_waits_grow_up_to_an_hour_and_then_it_is_given_up(channel, clock):
    row = queued(reachable("ann"))
    channel.answers = [passing() for _ in range(20)]
    waits = []
    while row.state in ("queued", "retry"):
        clock.move_to(row.next_at)
        before = row.next_at
        deliver("recorder")
        row.refresh_from_db()
        waits.append((row.next_at - before).total_seconds())
    assert row.state == "failed"
    assert len(channel.seen) == 8
    assert all(earlier < later for earlier, later in pairwise(waits[:7]))
    assert max(waits) <= 3600 * 1.25


def test_a_permanent_error_is_not_tried_again(channel):
    queued(reachable("ann"))
    channel.answers = [permanent()]
    deliver("recorder")
    assert states(channel="recorder") == ["failed"]
    assert deliver("recorder") == (0, False)


def test_a_provider_that_asks_for_patience_gets_it(channel):
    row = queued(reachable("ann"))
    channel.answers = [SendError("Slow down.", "429", permanent=False, retry_after=600)]
    deliver("recorder")
    row.refresh_from_db()
    assert row.next_at == NOW + timedelta(seconds=600)


def test_without_an_address_it_fails_and_says_so(channel):
    row = queued(user("ben"))
    deliver("recorder")
    row.refresh_from_db()
    assert (row.state, row.reason) == ("failed", "There is no verified address for Recorder.")


def test_who_said_stop_is_told_by_the_backup_and_not_over_that_channel(channel, mailoutbox):
    ann = reachable("ann")
    ChannelChoice.objects.create(user=ann, urgency="normal", first="recorder", backup="email")
    stop = Stop.objects.create(channel="recorder", address="ann@recorder")
    row = queued(ann)
    deliver("recorder")
    deliver("email")
    row.refresh_from_db()
    assert (channel.seen, row.state, row.error_code, len(mailoutbox)) == ([], "failed", "stopped", 1)
    stop.lifted_at = NOW
    stop.save()
    queued(ann)
    deliver("recorder")
    assert len(channel.seen) == 1


def test_a_channel_that_lacks_a_credential_says_which(channel):
    channel.missing = "RECORDER_KEY is not set."
    row = queued(reachable("ann"))
    deliver("recorder")
    row.refresh_from_db()
    assert row.reason == "Recorder cannot be used: RECORDER_KEY is not set."


def test_a_text_that_cannot_be_made_stops_no_other_message(channel):
    bad = queued(reachable("ann"), kind="gone_from_the_registry")
    queued(reachable("ben"))
    deliver("recorder")
    bad.refresh_from_db()
    assert (bad.state, bad.error_code) == ("retry", "broken")
    assert states() == ["retry", "sent"]


# --- Bundling ---


def test_the_first_goes_at_once_and_those_within_two_minutes_become_one(channel, clock):
    ann = reachable("ann")
    queued(ann)
    deliver("recorder")
    for _ in range(3):
        clock.shift(timedelta(seconds=20))
        queued(ann, next_at=NOW)
        deliver("recorder")
    assert states() == ["sent", "queued", "queued", "queued"]
    clock.move_to(NOW + timedelta(minutes=2))
    deliver("recorder")
    assert states() == ["sent"] * 4
    assert len(channel.seen) == 2
    assert channel.seen[1].subject.startswith("3 messages")


def test_somebody_else_does_not_wait(channel):
    queued(reachable("ann"))
    queued(reachable("ben"))
    deliver("recorder")
    assert len(channel.seen) == 2


def test_what_was_bundled_stays_so_when_it_is_tried_again(channel, clock):
    ann = reachable("ann")
    head, other = queued(ann), queued(ann)
    channel.answers = [passing()]
    deliver("recorder")
    clock.shift(timedelta(minutes=1))
    late = queued(ann, next_at=NOW + timedelta(minutes=1))
    deliver("recorder")
    for row in (head, other, late):
        row.refresh_from_db()
    assert other.bundled_into_id == head.pk
    assert (head.state, other.state, late.state) == ("sent", "sent", "queued")
    assert channel.seen[0].text == channel.seen[1].text
    assert channel.seen[0].token == channel.seen[1].token


def test_a_bundle_takes_along_only_what_the_channel_has_room_for(clock, monkeypatch):
    recorder = Recorder("sms")
    monkeypatch.setitem(CHANNELS._entries, "sms", recorder)
    ann = Rep.objects.create(user=reachable("ann", over="sms"), name="ann").user
    mine = {"owner": ann, "routing_state": "assigned", "company": "Company" * 20}
    for number in range(12):
        queued(ann, "sms", kind="assigned", lead=make_lead(last_name=f"Lead{number}", **mine))
    deliver("sms")
    assert set(states()) == {"sent", "queued"}
    while "queued" in states():
        clock.shift(timedelta(minutes=2))
        deliver("sms")
    assert all(len(message.text) <= 1600 for message in recorder.seen)
    named = [f"Lead{number}\n" in f"{message.text}\n" for message in recorder.seen for number in range(12)]
    assert (named.count(True), states()) == (12, ["sent"] * 12)
    assert Notification.objects.exclude(bundled_into=None).count() == 12 - len(recorder.seen)


def test_what_whatsapp_approved_goes_alone(clock, monkeypatch):
    recorder = Recorder("whatsapp")
    monkeypatch.setitem(CHANNELS._entries, "whatsapp", recorder)
    words = {"channel": "whatsapp", "language": "en", "text": "Hi {{ lead }}"}
    MessageTemplate.objects.create(kind="mention", content_sid="HX1", **words)
    ann = reachable("ann", over="whatsapp")
    for number in range(3):
        queued(ann, "whatsapp", lead=make_lead(last_name=f"Lead{number}"))
    deliver("whatsapp")
    assert [message.content_sid for message in recorder.seen] == ["HX1"] * 3


def test_a_channel_that_does_not_bundle_sends_each(clock):
    plain = Recorder("plain", bundles=False)
    with channels(plain):
        ann = reachable("ann", "plain")
        queued(ann, "plain")
        queued(ann, "plain")
        deliver("plain")
    assert len(plain.seen) == 2


def test_after_a_long_silence_there_is_no_storm(channel):
    ann = reachable("ann")
    for _ in range(12):
        queued(ann, next_at=NOW - timedelta(hours=3))
    deliver("recorder")
    assert len(channel.seen) == 1
    assert states() == ["sent"] * 12


# --- What holds back ---


@pytest.mark.parametrize("which", ["all", "recorder"])
def test_an_emergency_stop_holds_everything_until_it_is_taken_back(channel, which):
    queued(reachable("ann"))
    ChannelSwitch.objects.create(channel=which, stopped=True)
    deliver("recorder")
    assert (states(), channel.seen) == (["queued"], [])
    ChannelSwitch.objects.update(stopped=False)
    deliver("recorder")
    assert states() == ["sent"]


def stop_everything() -> None:
    ChannelSwitch.objects.create(channel="all", stopped=True)


def test_an_emergency_stop_takes_effect_on_the_next_send(channel):
    queued(reachable("ann"))
    queued(reachable("ben"))
    channel.answers = [stop_everything]
    deliver("recorder")
    assert len(channel.seen) == 1
    assert states() == ["sent", "queued"]


def test_the_limit_per_minute_holds_and_the_rest_goes_in_the_next_one(channel, clock):
    ChannelSwitch.objects.create(channel="recorder", per_minute=2)
    for name in ("ann", "ben", "cleo", "dan", "eve"):
        queued(reachable(name))
    deliver("recorder")
    deliver("recorder")
    assert len(channel.seen) == 2
    clock.shift(timedelta(minutes=1))
    deliver("recorder")
    assert len(channel.seen) == 4
    assert Notification.objects.filter(attempts__gt=1).count() == 0


# --- A worker that dies ---


def test_what_hangs_in_sending_is_sent_again_with_the_same_token_and_a_warning(channel, clock):
    row = queued(reachable("ann"))
    claiming.claim("recorder", NOW)
    assert (deliver("recorder"), rescue()) == ((0, False), 0)
    clock.shift(claiming.LEASE + timedelta(seconds=1))
    assert rescue() == 1
    deliver("recorder")
    row.refresh_from_db()
    assert (row.state, row.attempts, row.unsure) == ("sent", 2, False)
    assert (channel.seen[0].token, channel.seen[0].again) == (row.token, True)


def promised(name):
    """A lead of a rep who has half an hour to answer."""
    Rep.objects.create(user=user(name), name=name)
    return make_lead(respond_by=NOW + timedelta(minutes=30), owner=user(name), routing_state="assigned")


def test_what_may_have_gone_is_sent_again_in_the_same_words(channel, clock):
    queued(reachable("ann"), kind="assigned", lead=promised("ann"))
    channel.answers = [SendError("No answer.", "unreachable", permanent=False, unsure=True)]
    deliver("recorder")
    clock.move_to(NOW + timedelta(minutes=3))
    deliver("recorder")
    first, second = channel.seen
    assert (second.again, second.text) == (True, first.text)
    assert "30 min" in first.text


def test_what_certainly_did_not_go_tells_the_time_that_is_left_now(channel, clock):
    queued(reachable("ann"), kind="assigned", lead=promised("ann"))
    channel.answers = [passing()]
    deliver("recorder")
    clock.move_to(NOW + timedelta(minutes=3))
    deliver("recorder")
    assert "27 min" in channel.seen[-1].text


def test_who_comes_back_after_the_lease_writes_nothing(channel, clock):
    queued(reachable("ann"))
    late = claiming.claim("recorder", NOW)
    clock.shift(claiming.LEASE + timedelta(seconds=1))
    rescue()
    deliver("recorder")
    assert not claiming.settle(late, state="failed", reason="too late")
    assert states() == ["sent"]


def test_a_message_that_kills_every_worker_is_given_up(channel, clock):
    queued(reachable("ann"))
    for _ in range(8):
        claiming.claim("recorder", NOW)
        Notification.objects.update(leased_until=NOW - timedelta(seconds=1))
        rescue()
    deliver("recorder")
    assert states(channel="recorder") == ["failed"]
    assert channel.seen == []


# --- Backup and admins ---


def test_the_backup_fires_when_the_first_channel_fails(channel):
    ann = reachable("ann")
    ChannelChoice.objects.create(user=ann, urgency="normal", first="recorder", backup="email")
    row = queued(ann)
    channel.answers = [permanent()]
    deliver("recorder")
    backup = Notification.objects.get(user=ann, channel="email")
    assert (backup.backup, backup.key, backup.next_at) == (True, row.key, NOW)


def test_the_backup_fires_when_the_lead_is_not_accepted_in_time(channel, clock, mailoutbox):
    ann = reachable("ann")
    ChannelChoice.objects.create(user=ann, urgency="urgent", first="recorder", backup="email")
    event = happened(Event.Kind.ASSIGNED, user=ann.pk)
    type(event.lead).objects.update(owner=ann, routing_state="assigned")
    fan_out()
    deliver("recorder")
    deliver("email")
    assert mailoutbox == []
    clock.shift(timedelta(minutes=5))
    deliver("email")
    assert [mail.to for mail in mailoutbox] == [["ann@sales.example"]]


def test_the_backup_is_silent_when_the_lead_was_accepted(channel, clock, mailoutbox):
    ann = reachable("ann")
    ChannelChoice.objects.create(user=ann, urgency="urgent", first="recorder", backup="email")
    event = happened(Event.Kind.ASSIGNED, user=ann.pk)
    fan_out()
    type(event.lead).objects.update(owner=ann, routing_state="assigned", accepted_at=NOW)
    clock.shift(timedelta(minutes=5))
    deliver("email")
    backup = Notification.objects.get(channel="email")
    assert (backup.state, backup.reason) == ("suppressed", "The lead was accepted in time.")
    assert mailoutbox == []


def test_admins_are_told_once_per_channel_and_hour_that_messages_do_not_go_out(channel, clock):
    boss = user("boss", is_superuser=True)
    for minutes in (0, 10, 70):
        clock.move_to(NOW + timedelta(minutes=minutes))
        queued(reachable("ann"), next_at=NOW)
        channel.answers = [permanent()]
        deliver("recorder")
        clock.shift(timedelta(minutes=3))
    told = Notification.objects.filter(user=boss, kind="delivery_failing", channel="in_app")
    assert told.count() == 2
    assert "No such address." in told[0].data["sentence"]


def test_that_messages_do_not_go_out_is_not_told_of_that_message_itself(channel):
    boss = reachable("boss")
    boss.is_superuser = True
    boss.save()
    queued(boss, kind="delivery_failing")
    channel.answers = [permanent()]
    deliver("recorder")
    assert not Notification.objects.filter(kind="delivery_failing", channel="in_app").exists()


def test_a_reminder_of_a_lead_that_was_answered_meanwhile_is_not_sent(channel):
    ann = reachable("ann")
    lead = make_lead(first_contacted_at=NOW)
    row = queued(ann, kind="reminder", lead=lead)
    other = queued(ann)
    deliver("recorder")
    row.refresh_from_db()
    assert (row.state, row.reason) == ("suppressed", "The lead was answered meanwhile.")
    assert states(pk=other.pk) == ["sent"]
