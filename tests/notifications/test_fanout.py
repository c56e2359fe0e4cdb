"""Events become messages: to whom, over which channels, once, and never at the price of anybody else."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from distribution import services as distribution
from distribution.models import Rep
from distribution.services import covering
from notifications.kinds import KINDS, kinds_of
from notifications.models import ChannelChoice, FanOutFailure, Notification
from notifications.services import fan_out
from pipeline.models import Event
from pipeline.services.activity import wake_lead
from tests.distribution.calendars import make_leave
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead, world
from tests.notifications.messages import NOW, happened, user

pytestmark = pytest.mark.django_db


def told(**where: object) -> set[tuple[str, str, str]]:
    """Who was told what, and how."""
    rows = Notification.objects.filter(**where).values_list("user__username", "kind", "channel")
    return set(rows)


def test_the_new_owner_of_a_lead_is_told_in_the_app_and_by_mail():
    world("Ann")
    distribution.assign_lead(make_lead().pk)
    fan_out()
    assert told(kind="assigned") == {("ann", "assigned", "in_app"), ("ann", "assigned", "email")}


def test_who_has_chosen_a_channel_is_told_by_it_and_by_the_backup_later():
    ann = user("ann")
    ChannelChoice.objects.create(user=ann, urgency="urgent", first="email", backup="in_app")
    happened(Event.Kind.ASSIGNED, user=ann.pk)
    fan_out(now=NOW)
    backup = Notification.objects.get(channel="email")
    assert (backup.backup, backup.next_at) == (False, NOW)


def test_who_takes_a_lead_is_not_told_so_but_who_was_offered_it_too_is():
    world("Ann", "Ben", "Cleo", method="claim")
    lead = make_lead()
    distribution.assign_lead(lead.pk)
    fan_out()
    assert {name for name, _, _ in told(kind="offered")} == {"ann", "ben", "cleo"}
    distribution.claim_lead(lead.pk, rep=Rep.objects.get(name="Ben"))
    fan_out()
    assert told(kind="assigned") == set()
    assert told(kind="claimed_by_other") == {(name, "claimed_by_other", "in_app") for name in ("ann", "cleo")}


def test_the_last_owner_is_told_that_the_lead_went_away():
    world("Ann", "Ben")
    lead = make_lead()
    distribution.assign_lead(lead.pk)
    last = Rep.objects.get(user=Event.objects.get(kind=Event.Kind.ASSIGNED).data["user"])
    distribution.reassign_lead(lead.pk, to=Rep.objects.exclude(pk=last.pk).get())
    fan_out()
    assert {name for name, _, _ in told(kind="reassigned_away")} == {last.user.username}


def names_of(kind: str) -> set[str]:
    return {name for name, _, _ in told(kind=kind)}


def test_a_lead_that_is_lent_is_told_to_who_stands_in_and_its_return_to_both():
    world("Ann")
    lead, ben = make_lead(created_at=NOW), make_rep("Ben")
    distribution.assign_lead(lead.pk, now=NOW)
    ann = Rep.objects.get(name="Ann")
    make_leave(ann, NOW + timedelta(minutes=30), NOW + timedelta(days=2), created_at=NOW, cover=ben, lend_leads=True)
    covering.sweep_cover(now=NOW + timedelta(hours=1))
    fan_out()
    assert (names_of("lent"), names_of("reassigned_away")) == ({"ben"}, set())
    covering.sweep_cover(now=NOW + timedelta(days=3))
    fan_out()
    assert (names_of("given_back"), names_of("reassigned_away")) == ({"ann"}, {"ben"})


def test_the_end_of_a_snooze_is_told_to_the_owner_but_not_to_who_ended_it():
    ann = make_rep("Ann").user
    for actor in (ann, None):
        lead = make_lead(owner=ann, routing_state="assigned", snoozed_until=NOW)
        wake_lead(lead, actor=actor, now=NOW)
        fan_out()
        assert names_of("woken") == (set() if actor else {"ann"})


def test_nobody_is_told_twice_of_one_event():
    world("Ann")
    distribution.assign_lead(make_lead().pk)
    fan_out()
    before = Notification.objects.count()
    Event.objects.update(fanned_out_at=None)
    fan_out()
    assert Notification.objects.count() == before


def test_history_that_was_imported_tells_nobody():
    Event.objects.create(lead=make_lead(), kind=Event.Kind.ASSIGNED, data={"user": user("ann").pk}, fanned_out_at=NOW)
    assert fan_out() == 0
    assert not Notification.objects.exists()


def test_who_left_is_not_told():
    happened(Event.Kind.ASSIGNED, user=user("ann", is_active=False).pk)
    fan_out()
    assert not Notification.objects.exists()


def broken(event: Event) -> list[int]:
    raise LookupError("no such person")


def test_a_kind_that_fails_stops_no_other_event_is_noted_and_tried_again(monkeypatch):
    ann = user("ann")
    bad, good = happened(Event.Kind.REMINDED, tell=[ann.pk]), happened(Event.Kind.ASSIGNED, user=ann.pk)
    with monkeypatch.context() as patch:
        patch.setitem(KINDS._entries, "reminder", replace(KINDS["reminder"], recipients=broken))
        fan_out(now=NOW)
    assert {row.event_id for row in Notification.objects.all()} == {good.pk}
    assert FanOutFailure.objects.get().error == "Reminder: LookupError: no such person"

    fan_out(now=NOW + timedelta(seconds=30))
    assert FanOutFailure.objects.get().solved_at is None
    fan_out(now=NOW + timedelta(minutes=2))
    assert {row.event_id for row in Notification.objects.all()} == {bad.pk, good.pk}
    assert FanOutFailure.objects.get().solved_at == NOW + timedelta(minutes=2)


def test_a_failure_that_goes_on_is_tried_less_and_less_often(monkeypatch):
    monkeypatch.setitem(KINDS._entries, "reminder", replace(KINDS["reminder"], recipients=broken))
    happened(Event.Kind.REMINDED, user=1)
    now, waits = NOW, []
    for _ in range(4):
        fan_out(now=now)
        waits.append((FanOutFailure.objects.get().next_at - now).total_seconds() / 60)
        now = FanOutFailure.objects.get().next_at
    assert waits == [1, 2, 4, 8]


def test_the_cost_does_not_grow_with_the_number_of_events():
    ann = user("ann")
    for _ in range(30):
        happened(Event.Kind.ASSIGNED, user=ann.pk)
    with CaptureQueriesContext(connection) as few:
        fan_out()
    assert Notification.objects.count() == 60
    # One savepoint and one query per event and kind that has to look who lost an offer.
    assert len(few) <= 30 * 2 * 3 + 15


def test_every_event_that_somebody_acts_on_is_told():
    told_kinds = {kind.value for kind in Event.Kind if kinds_of(kind)}
    assert told_kinds >= {"lead.assigned", "lead.reassigned", "lead.offered", "sla.broken", "sla.escalated"}
