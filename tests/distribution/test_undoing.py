"""A lead that was closed or moved by mistake: everything is as if it had not been."""

import contextlib
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import models, transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from distribution import services
from distribution.errors import DistributionError
from distribution.models import Assignment, CreditCorrection, PoolMember, Rep, RepCounter, SLAClock
from notifications.models import Notification, Sequence, SequenceRun
from pipeline.errors import PipelineError
from pipeline.models import Lead, Stage
from pipeline.services.activity import add_note, record_contact, snooze_lead, wake_lead
from pipeline.services.leads import reopen_lead
from pipeline.services.moving import move_on, undo_move
from tests.distribution.promises import MONDAY, after, make_hours, make_policy, running
from tests.distribution.setups import make_rep, make_user
from tests.distribution.world import make_lead, stages, win, world
from tests.pipeline.people import signed_in

pytestmark = pytest.mark.django_db

EVERYTHING = (Lead, Assignment, SLAClock, Rep, PoolMember, RepCounter, CreditCorrection, SequenceRun, Notification)


@pytest.fixture(autouse=True)
def _at_ten(time_machine):
    time_machine.move_to(MONDAY, tick=False)


def state() -> dict[type[models.Model], list[dict]]:
    """All rows that a closing could touch; a version only ever rises."""
    return {model: [_without_version(row) for row in model.objects.order_by("pk").values()] for model in EVERYTHING}


def _without_version(row):
    return {name: value for name, value in row.items() if name != "version"}


def routed(time_machine):
    lead = make_lead(created_at=MONDAY)
    services.assign_lead(lead.pk, now=MONDAY)
    return lead


def accepted(time_machine):
    lead = routed(time_machine)
    services.accept_lead(lead.pk, rep=Rep.objects.get(user=Lead.objects.get().owner_id), now=after(5))
    return lead


def contacted(time_machine):
    lead = accepted(time_machine)
    record_contact(lead, channel="phone", outbound=True, automatic=False, actor=None, at=MONDAY)
    return lead


def snoozed(time_machine):
    lead = accepted(time_machine)
    lead.refresh_from_db()
    time_machine.move_to(after(6))
    snooze_lead(lead, after(hours=50), "Away", None)
    return lead


def late_and_noticed(time_machine):
    lead = routed(time_machine)
    services.sweep_clocks(now=after(16))
    return lead


def given_by_hand(time_machine):
    lead = routed(time_machine)
    services.reassign_lead(lead.pk, to=make_rep("Cyd"), reason="Knows her", now=after(3))
    return lead


def written_to(time_machine):
    lead = routed(time_machine)
    run = SequenceRun.objects.create(
        sequence=Sequence.objects.create(name="Thanks", start="assigned"),
        lead=lead,
        started_at=MONDAY,
        next_at=after(hours=24),
    )
    Notification.objects.create(
        lead=lead, run=run, kind="follow_up", channel="email", key="k", state="queued", next_at=after(20)
    )
    return lead


CASES = (routed, accepted, contacted, snoozed, late_and_noticed, given_by_hand, written_to)


@pytest.mark.parametrize("kind", ["won", "lost"])
@pytest.mark.parametrize("minutes", [20, 200], ids=["soon", "late"])
@pytest.mark.parametrize("working", [False, True], ids=["clock", "working"])
@pytest.mark.parametrize("how", CASES, ids=lambda how: how.__name__)
def test_a_closing_that_is_undone_has_not_been(how, working, minutes, kind, time_machine):
    if working:
        make_hours(is_default=True)
    world("Ann", "Ben")
    terms = {"accept_minutes": 15, "contact_minutes": 60, "lead_minutes": 120, "idle_minutes": 30}
    make_policy(("accept", "50%", "remind"), time="working" if working else "clock", **terms)
    lead = how(time_machine)
    lead.refresh_from_db()
    time_machine.move_to(after(minutes))
    before, owner = state(), lead.owner
    move_on(lead, stages()[kind], actor=owner, lost_reason="Price", worth={"value": "5"})
    assert state() != before
    time_machine.move_to(after(minutes, seconds=9))
    undo_move(lead, actor=owner, version=lead.version)
    now = state()
    for message in now[Notification]:
        message["next_at"] = after(20)  # what was taken back is asked about anew
    assert now == before


@pytest.mark.parametrize("stage", ["talks", "won", "lost"])
def test_what_was_done_with_many_and_undone_has_not_been(stage, time_machine):
    world("Ann", "Ben")
    terms = {"accept_minutes": 15, "contact_minutes": 60, "lead_minutes": 120, "idle_minutes": 30}
    make_policy(("accept", "50%", "remind"), **terms)
    Stage.objects.create(pipeline=stages()["open"].pipeline, name="Talks", slug="talks", position=1)
    for how in (routed, routed, given_by_hand, routed):
        how(time_machine)
    one = Lead.objects.first()
    services.accept_lead(one.pk, rep=Rep.objects.get(user=one.owner_id), now=after(5))
    ticked = [f"{lead.uid}:{lead.version}" for lead in Lead.objects.all()]
    client, part = signed_in(User.objects.create_superuser("root")), {"HX-Request": "true"}
    time_machine.move_to(after(20))
    before = state()
    sent = {"stage": stage, "lead": ticked, "lost_reason": "Price", "value": "5"}
    moved = client.post("/board/sales/bulk/", sent, headers=part)
    assert state() != before
    time_machine.move_to(after(20, seconds=9))
    answer = client.post(moved.context["notice"]["undo"], headers=part)
    assert answer.context["notice"]["text"] == "4 put back where they were."
    assert state() == before


def test_opening_again_that_is_undone_ends_what_it_began(time_machine):
    world("Ann")
    make_policy(accept_minutes=15, contact_minutes=60)
    lead = routed(time_machine)
    lead.refresh_from_db()
    owner = lead.owner
    win(lead, actor=owner)
    time_machine.move_to(after(30))
    reopen_lead(lead, stages()["open"], actor=owner)
    time_machine.move_to(after(30) + timedelta(seconds=5))
    undo_move(lead, actor=owner, version=lead.version)
    assert not SLAClock.objects.filter(stopped_at=None).exists()
    assert not Assignment.objects.filter(ended_at=None).exists()
    assert all(row.started_at <= row.ended_at for row in Assignment.objects.all())
    assert Rep.objects.get().open_leads == 0
    assert Lead.objects.get().closed_at == MONDAY


def sweep(lead):
    services.sweep_clocks(now=timezone.now())


def accept(lead):
    services.accept_lead(lead.pk, rep=Rep.objects.get(user=lead.owner_id), now=timezone.now())


def note(lead):
    add_note(lead, "Called back", actor=lead.owner)


def note_by_another(lead):
    add_note(lead, "Is a friend of mine", actor=make_user(f"colleague {User.objects.count()}"))


def advance(lead):
    move_on(lead, open_stage("talk" if lead.stage.slug == "open" else "open"), actor=lead.owner)


def snooze(lead):
    snooze_lead(lead, timezone.now() + timedelta(hours=1), "Away", None)


def wake(lead):
    wake_lead(lead)


def close_and_open(lead):
    win(lead, actor=lead.owner)
    reopen_lead(lead, stages()["open"], actor=lead.owner)


def open_stage(slug):
    return Stage.objects.get_or_create(pipeline=stages()["open"].pipeline, slug=slug, defaults={"name": slug})[0]


ACTS = (sweep, accept, note, note_by_another, advance, snooze, wake, close_and_open)
HISTORIES = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(ACTS)), max_size=6)
TERMS = {"accept_minutes": 15, "contact_minutes": 200, "lead_minutes": 300, "idle_minutes": 30}


def live(history, time_machine):
    """What happened to a lead, each act so many minutes after the one before; those that are not possible then are
    left out."""
    lead, now = routed(time_machine), MONDAY
    for minutes, act in history:
        now += timedelta(minutes=minutes)
        time_machine.move_to(now, tick=False)
        lead = Lead.objects.select_related("stage__pipeline", "owner").get()
        with contextlib.suppress(PipelineError, DistributionError), transaction.atomic():
            act(lead)
    return Lead.objects.select_related("stage__pipeline", "owner").get()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HISTORIES, st.booleans(), st.integers(0, 80), st.integers(0, 9))
@example([(1, accept)], False, 20, 5)  # idleness counts anew
@example([(1, accept), (20, note)], True, 20, 5)
@example([(1, accept), (31, sweep)], False, 2, 5)  # who was reminded begins a new clock
def test_a_move_that_is_undone_has_not_been(time_machine, history, working, minutes, seconds):
    time_machine.move_to(MONDAY, tick=False)
    with transaction.atomic():
        if working:
            make_hours(is_default=True)
        world("Ann", "Ben")
        make_policy(("accept", "50%", "remind"), time="working" if working else "clock", **TERMS)
        lead = live(history, time_machine)
        now = timezone.now() + timedelta(minutes=minutes)
        time_machine.move_to(now, tick=False)
        before = state()
        advance(lead)
        time_machine.move_to(now + timedelta(seconds=seconds), tick=False)
        undo_move(lead, actor=lead.owner, version=lead.version)
        assert state() == before
        transaction.set_rollback(True)


def test_an_undone_move_does_not_take_back_what_was_done_since(time_machine):
    world("Ann")
    make_policy(idle_minutes=30)
    lead = accepted(time_machine)
    lead.refresh_from_db()
    time_machine.move_to(after(20), tick=False)
    advance(lead)
    time_machine.move_to(after(20, seconds=4), tick=False)
    note(lead)
    time_machine.move_to(after(20, seconds=8), tick=False)
    undo_move(lead, actor=lead.owner, version=lead.version)
    assert running(lead)["idle"] == after(50, seconds=4)
