"""People come and go while leads come in, on real PostgreSQL: none is forgotten, no cap is exceeded."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db.models import Exists, OuterRef
from django.utils import timezone

from distribution import services
from distribution.models import Assignment, Hold, Rep
from distribution.services import assigning, availability, books, waiting, waking
from distribution.snapshots import leads_to_route, preview_lead
from pipeline.models import Lead
from tests.concurrency.threads import all_before_any_goes_on, at_once, errors, when_one_waits_for_another
from tests.distribution.calendars import make_leave
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, make_leads, world

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_routing_on_commit(monkeypatch):
    """The tests ask for routing themselves, from many threads at once."""
    monkeypatch.setattr(services, "route_new_lead", lambda *_: None)
    monkeypatch.setattr(waking, "_release_soon", lambda pool_ids: None)


def come_and_go(name):
    rep = Rep.objects.get(name=name)
    for _ in range(3):
        availability.set_away(rep, actor=None)
        availability.set_available(rep, actor=None)


@pytest.mark.parametrize("seed", range(2))
def test_after_a_storm_of_comings_and_goings_no_lead_waits_while_somebody_is_there(seed):
    world(*(make_rep(f"Rep {number}", capacity=8, status="away") for number in range(4)))
    leads = make_leads(24)
    calls: list[Callable[[], Any]] = [partial(services.assign_lead, lead.pk) for lead in leads]
    calls += [partial(come_and_go, f"Rep {number}") for number in range(4)]
    calls += [services.sweep_holds] * 4
    calls = calls[seed * 7 :] + calls[: seed * 7]
    assert errors(at_once(calls)) == []
    services.sweep_holds()
    services.sweep_unassigned(now=timezone.now())
    assert Lead.objects.filter(routing_state="assigned").count() == 24
    open_now = Assignment.objects.filter(lead=OuterRef("pk"), ended_at=None)
    assert not Lead.objects.filter(~Exists(open_now)).exists()
    assert not Hold.objects.filter(released_at=None).exists()


def test_a_lead_that_is_about_to_wait_when_somebody_comes_back_is_not_forgotten(monkeypatch):
    """Its hold is not committed yet when the sweep looks; the sweep waits for the pool."""
    _interleave(monkeypatch, lock=True)
    assert not Hold.objects.filter(released_at=None).exists()


def test_without_waiting_for_the_pool_such_a_lead_is_forgotten(monkeypatch):
    """The control: what the lock is for."""
    _interleave(monkeypatch, lock=False)
    assert Hold.objects.filter(released_at=None).count() == 1


def _interleave(monkeypatch, *, lock):
    """A lead is decided while Ann is away; she comes back, and the sweep runs, before that is committed."""
    world(make_rep("Ann", status="away"))
    [lead] = make_leads(1)
    decided, go_on = threading.Event(), threading.Event()
    real = assigning.record

    def slow(*args, **kwargs):
        rows = real(*args, **kwargs)
        if not decided.is_set():
            decided.set()
            assert go_on.wait(60)
        return rows

    monkeypatch.setattr(assigning, "record", slow)

    def come_back():
        assert decided.wait(60)
        availability.set_available(Rep.objects.get(name="Ann"), actor=None)
        if not lock:
            monkeypatch.setattr(waiting.books, "lock_pool", lambda pool_id: None)
        with when_one_waits_for_another(go_on.set):
            services.sweep_holds()
        go_on.set()

    assert errors(at_once([partial(services.assign_lead, lead.pk), come_back])) == []


def rolling_world():
    """Eight pools that share one rep who may have three leads in an hour."""
    ann = make_rep("Ann", cap_per_hour=3, cap_window="rolling")
    rules = make_rule_set()
    for number in range(8):
        make_rule(rules, f"City {number}", ("city", "is", f"City {number}"), pool=make_pool(f"Pool {number}", ann))
    publish(rules)
    return ann


def rush(number):
    leads = [make_lead(email=f"{number}-{n}@x.example", city=f"City {n % 8}") for n in range(16)]
    calls: list[Callable[[], Any]] = [partial(services.assign_lead, lead.pk) for lead in leads[:8]]
    calls += [partial(services.assign_leads, [lead.pk for lead in leads[8:]])]
    assert errors(at_once(calls)) == []


def test_a_rolling_cap_over_many_pools_is_never_exceeded():
    ann = rolling_world()
    for number in range(2):
        rush(number)
    assert Assignment.objects.filter(rep=ann).count() == 3


def test_without_the_count_under_the_reps_lock_a_rolling_cap_is_exceeded(monkeypatch):
    """The control."""
    ann = rolling_world()
    monkeypatch.setattr(books, "rolling_used", lambda reps, periods, now: {})
    monkeypatch.setattr(assigning, "settle", all_before_any_goes_on(8, assigning.settle))
    leads = [make_lead(email=f"{number}@x.example", city=f"City {number}") for number in range(8)]
    assert errors(at_once(partial(services.assign_lead, lead.pk) for lead in leads)) == []
    assert Assignment.objects.filter(rep=ann).count() == 8


def test_leads_are_lent_and_given_back_once_by_many_sweeps():
    ann, ben = make_rep("Ann"), make_rep("Ben")
    world(ann)
    now = timezone.now()
    services.assign_leads([lead.pk for lead in make_leads(10)], now=now - timedelta(days=2))
    make_leave(ann, now - timedelta(days=1), now + timedelta(days=1), cover=ben, lend_leads=True)
    for moment, owner in ((now, ben), (now + timedelta(days=1), ann)):
        assert errors(at_once([partial(services.sweep_cover, now=moment)] * 4)) == []
        assert Assignment.objects.filter(rep=owner, ended_at=None).count() == 10
        assert Rep.objects.get(pk=owner.pk).open_leads == 10


def test_when_all_are_full_again_the_others_still_wait():
    world(*(make_rep(f"Rep {number}", capacity=2) for number in range(3)))
    leads = make_leads(12)
    calls = [partial(services.assign_lead, lead.pk) for lead in leads]
    calls += [partial(come_and_go, f"Rep {number}") for number in range(3)]
    assert errors(at_once(calls)) == []
    services.sweep_holds()
    services.sweep_unassigned()
    assert all(preview_lead(lead).winner is None for lead in leads_to_route().filter(owner=None))
    assert Lead.objects.filter(routing_state="assigned").count() == 6
