"""What becomes of a lead, end to end through the services, on a real database."""

import contextlib
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from django.db import transaction

from distribution import services
from distribution.errors import AlreadyTaken, Full, NotYours, WrongState
from distribution.models import (
    Assignment,
    CreditCorrection,
    Decision,
    DecisionTrace,
    Hold,
    Offer,
    PoolMember,
    Rep,
    RepCounter,
)
from distribution.snapshots import leads_to_route, preview_lead
from pipeline.models import Event, Lead
from pipeline.services.leads import close_lead
from tests.distribution.setups import make_pool, make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import credits, make_lead, make_leads, owners, stages, win, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    return world("Ann", "Ben", "Cleo")


def test_seven_leads_go_round_three_reps_in_turn(pool):
    """Closing leads in between does not move anyone's turn."""
    for number in range(7):
        lead = make_lead(email=f"p{number}@x.example")
        services.assign_lead(lead.pk)
        if number == 2:
            _close(lead)
    assert owners() == ["Ann", "Ben", "Cleo", "Ann", "Ben", "Cleo", "Ann"]


def _close(lead):

    lead.refresh_from_db()
    win(lead)


def test_a_stored_lead_is_routed_by_itself_after_the_commit(pool, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        lead = make_lead()
        assert Lead.objects.get(pk=lead.pk).routing_state == "new"
    lead.refresh_from_db()
    assert (lead.routing_state, lead.owner.rep.name) == ("assigned", "Ann")


@pytest.mark.django_db(transaction=True)
def test_a_rolled_back_lead_leaves_no_trace(pool):
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        make_lead()
        _ = 1 / 0
    assert not Assignment.objects.exists()
    assert credits(pool) == [0, 0, 0]


def test_saving_a_lead_again_does_not_route_it_again(pool, django_capture_on_commit_callbacks):
    lead = make_lead()
    services.assign_lead(lead.pk)
    lead.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        lead.city = "Bern"
        lead.save()
    assert Decision.objects.filter(lead=lead).count() == 1


def test_the_same_lead_is_assigned_once_however_often_it_is_asked_for(pool):
    lead = make_lead()
    assert services.assign_lead(lead.pk) is not None
    assert services.assign_lead(lead.pk) is None
    assert Assignment.objects.filter(lead=lead).count() == 1


@pytest.mark.parametrize("column", ["closed_at", "archived_at"])
def test_closed_and_archived_leads_are_never_assigned(pool, column):
    lead = make_lead()
    Lead.objects.filter(pk=lead.pk).update(**{column: datetime.now(UTC)})
    assert services.assign_lead(lead.pk) is None
    assert services.assign_leads([lead.pk]).assigned == 0


def test_a_lead_that_is_gone_ends_quietly(pool):
    lead = make_lead()
    pk = lead.pk
    lead.delete()
    assert services.assign_lead(pk) is None
    services.route_new_lead(pk)


def test_everything_is_written_with_the_assignment(pool):
    lead = make_lead()
    decision = services.assign_lead(lead.pk)
    lead.refresh_from_db()
    ann = Rep.objects.get(name="Ann")
    assert decision.winner == ann
    assert decision.trace.data["winner"]["name"] == "Ann"
    assert lead.owner == ann.user
    assert lead.routing_sentence == decision.sentence
    assert ann.open_leads == 1
    assert PoolMember.objects.get(pool=pool, rep=ann).open_leads == 1
    assert sum(credits(pool)) == 0
    assert Event.objects.filter(lead=lead, kind="lead.assigned").count() == 1
    assert sorted(ann.counters.values_list("period", "count")) == [("day", 1), ("hour", 1), ("month", 1), ("week", 1)]


def test_routing_that_fails_keeps_the_lead_marks_it_and_the_sweep_finishes_it(pool, monkeypatch):
    from distribution.services import assigning

    with monkeypatch.context() as patch:
        patch.setattr(assigning, "decide", lambda *_: 1 / 0)
        lead = make_lead()
        services.route_new_lead(lead.pk)
    lead.refresh_from_db()
    assert (lead.routing_state, lead.routing_code) == ("error", "error")
    assert services.sweep_unassigned(now=lead.next_attempt_at - timedelta(seconds=1)) == 0
    assert services.sweep_unassigned(now=lead.next_attempt_at) == 1


def test_one_poisoned_lead_does_not_stop_the_sweep(pool, monkeypatch):
    from distribution.services import sweeping

    bad, good = make_lead(email="a@x.example"), make_lead(email="b@x.example")
    real = sweeping.assign_lead

    def failing(pk, **more):
        if pk == bad.pk:
            raise RuntimeError
        return real(pk, **more)

    monkeypatch.setattr(sweeping, "assign_lead", failing)
    assert services.sweep_unassigned() == 1
    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.routing_state, bad.routing_state) == ("assigned", "error")


# --- Limits -------------------------------------------------------------------------------------


def test_a_full_rep_is_skipped_and_gets_leads_again_after_closing_one():
    world(make_rep("Ann", capacity=1), make_rep("Ben", capacity=1))
    first, second, third = make_leads(3)
    for lead in (first, second, third):
        services.assign_lead(lead.pk)
    third.refresh_from_db()
    assert (third.routing_state, third.routing_code) == ("held", "all_at_capacity")
    _close(first)
    assert services.sweep_holds() == 1
    third.refresh_from_db()
    assert third.owner.rep.name == "Ann"


def test_a_capacity_is_one_over_all_pools():
    ann = make_rep("Ann", capacity=1)
    north, south = make_pool("North", ann), make_pool("South", ann)
    rules = make_rule_set()
    make_rule(rules, "North", ("city", "is", "Oslo"), pool=north)
    make_rule(rules, "South", ("city", "is", "Rome"), pool=south)
    publish(rules)
    first, second = make_lead(email="a@x.example", city="Oslo"), make_lead(email="b@x.example", city="Rome")
    services.assign_lead(first.pk)
    services.assign_lead(second.pk)
    assert owners() == ["Ann", "Main Rest"]


def test_a_daily_cap_holds_and_ends_at_the_reps_own_midnight():
    world(make_rep("Ann", cap_per_day=2, time_zone="Asia/Tokyo"))
    evening = datetime(2026, 3, 2, 14, 59, tzinfo=UTC)  # 23:59 in Tokyo
    leads = make_leads(4)
    for lead in leads[:3]:
        services.assign_lead(lead.pk, now=evening)
    leads[2].refresh_from_db()
    assert leads[2].routing_code == "all_at_capacity"
    services.assign_lead(leads[2].pk, now=evening + timedelta(minutes=1))
    leads[2].refresh_from_db()
    assert leads[2].routing_state == "assigned"


def test_a_pool_cap_counts_only_leads_of_that_pool():
    pool = world("Ann", "Ben")
    PoolMember.objects.filter(pool=pool, rep__name="Ann").update(max_open=1)
    for lead in make_leads(4):
        services.assign_lead(lead.pk)
    assert owners() == ["Ann", "Ben", "Ben", "Ben"]


# --- The same person ----------------------------------------------------------------------------


def test_a_person_with_an_open_lead_stays_with_its_owner_and_takes_no_turn(pool):
    first = make_lead(email="fp@odoo.example")
    services.assign_lead(first.pk)
    before = credits(pool)
    second = make_lead(email="fp@odoo.example")
    decision = services.assign_lead(second.pk)
    second.refresh_from_db()
    assert (decision.outcome, second.owner.rep.name, second.duplicate_of_id) == ("kept", "Ann", first.pk)
    assert credits(pool) == before


MAIL, PHONE = "fp@odoo.example", "+12025550123"


def has(lead):
    lead.refresh_from_db()
    return lead.owner and lead.owner.rep.name


def one_by_one(leads):
    for lead in leads:
        services.assign_lead(lead.pk)


def together(leads):
    services.assign_leads([lead.pk for lead in leads])


@pytest.mark.parametrize("route", [one_by_one, together])
@pytest.mark.parametrize(
    "order", list(permutations(({"email": MAIL}, {"phone": PHONE}, {"email": MAIL, "phone": PHONE})))
)
def test_three_leads_of_one_person_that_wait_go_to_one_owner(pool, order, route):
    leads = [make_lead(**fields) for fields in order]
    route(leads)
    assert len({has(lead) for lead in leads}) == 1


def test_a_person_who_is_known_by_a_closed_lead_stays_with_the_owner_of_an_open_one(pool):
    first, second = make_lead(email=MAIL), make_lead(email=MAIL, phone=PHONE)
    one_by_one([first, second])
    _close(second)
    third = make_lead(phone=PHONE)
    assert services.assign_lead(third.pk).outcome == "kept"
    assert has(third) == has(first)


def test_when_one_of_two_who_have_a_person_left_the_other_keeps_the_person(pool):
    ann, ben = Rep.objects.get(name="Ann"), Rep.objects.get(name="Ben")
    for rep in (ann, ben):
        make_lead(email=MAIL, owner=rep.user, routing_state="assigned")
    Rep.objects.filter(pk=ben.pk).update(active=False)
    assert services.assign_lead(make_lead(email=MAIL).pk).winner == ann


def test_who_gives_a_lead_back_loses_it_to_the_other_who_has_the_person(pool):
    ann, ben = Rep.objects.get(name="Ann"), Rep.objects.get(name="Ben")
    for rep in (ann, ben):
        make_lead(email=MAIL, owner=rep.user, routing_state="assigned")
    third = make_lead(email=MAIL)
    services.assign_lead(third.pk)
    assert has(third) == "Ben"
    services.release_lead(third.pk, actor=ben.user, reason="Ann knows them")
    assert has(third) == "Ann"


def test_once_two_turn_out_to_have_one_person_all_that_follows_goes_to_one(pool):
    first, second = make_lead(email=MAIL), make_lead(phone=PHONE)
    one_by_one([first, second])
    assert (has(first), has(second)) == ("Ann", "Ben")
    for fields in ({"email": MAIL, "phone": PHONE}, {"email": MAIL}, {"phone": PHONE}):
        lead = make_lead(**fields)
        services.assign_lead(lead.pk)
        assert has(lead) == "Ben"
    told = Event.objects.filter(lead=first, kind=Event.Kind.MATCHED).values_list("data__sentence", flat=True)
    assert set(told) == {"The same person came in again, by web. Ben has that lead."}


def test_a_person_whose_owner_left_is_given_to_someone_else(pool):
    first = make_lead(email="fp@odoo.example")
    services.assign_lead(first.pk)
    Rep.objects.filter(name="Ann").update(active=False)
    second = make_lead(email="fp@odoo.example")
    assert services.assign_lead(second.pk).winner.name == "Ben"


def test_a_lead_that_comes_with_an_owner_is_held_by_that_owner_and_takes_no_turn(pool):
    ben = Rep.objects.get(name="Ben")
    lead = make_lead(owner=ben.user, routing_state="assigned")
    assert Assignment.objects.get(lead=lead).rep == ben
    assert credits(pool) == [0, 0, 0]
    ben.refresh_from_db()
    assert ben.open_leads == 1


def test_a_copy_without_its_owner_is_distributed(pool):
    lead = make_lead(owner=Rep.objects.get(name="Ben").user, routing_state="assigned")
    copy: Any = Lead.objects.get(pk=lead.pk)
    copy.pk, copy.uid, copy.owner, copy.routing_state = None, None, None, "new"
    copy.uid = Lead._meta.get_field("uid").get_default()
    copy.save()
    assert services.assign_leads([copy.pk]).assigned == 1


# --- Giving back --------------------------------------------------------------------------------


def test_an_invalid_lead_returned_in_time_gives_every_credit_back(pool):
    lead = make_lead()
    services.assign_lead(lead.pk)
    services.return_lead(lead.pk, actor=None, reason="test entry")
    lead.refresh_from_db()
    assert (lead.routing_state, lead.routing_code) == ("excluded", "invalid")
    assert credits(pool) == [0, 0, 0]
    assert sum(CreditCorrection.objects.values_list("amount", flat=True)) == 0
    assert services.assign_lead(make_lead(email="b@x.example").pk).winner.name == "Ben"  # longest since the last lead


def test_an_invalid_lead_returned_too_late_costs_its_turn(pool):
    lead = make_lead()
    now = datetime(2026, 3, 2, tzinfo=UTC)
    services.assign_lead(lead.pk, now=now)
    before = credits(pool)
    services.return_lead(lead.pk, actor=None, reason="late", now=now + timedelta(days=15))
    assert credits(pool) == before


def test_a_lead_marked_lost_gives_no_turn_back(pool):
    lead = make_lead()
    services.assign_lead(lead.pk)
    before = credits(pool)

    lead.refresh_from_db()
    close_lead(lead, stages()["lost"], actor=None, lost_reason="no budget")
    assert credits(pool) == before
    assert Rep.objects.get(name="Ann").open_leads == 0


def test_released_leads_go_to_someone_who_did_not_have_them(pool):
    lead = make_lead()
    for expected in ("Ann", "Ben", "Cleo"):
        lead.refresh_from_db()
        assert expected == services.assign_lead(lead.pk).winner.name if lead.attempts == 0 else lead.owner.rep.name
        services.release_lead(lead.pk, actor=None, reason="no time")
    lead.refresh_from_db()
    assert (lead.routing_state, lead.routing_code) == ("unassigned", "nobody_eligible")


def test_a_manager_gives_a_lead_to_someone_and_within_the_pool_the_receiver_pays_the_turn(pool):
    lead = make_lead()
    services.assign_lead(lead.pk)
    cleo = Rep.objects.get(name="Cleo")
    services.reassign_lead(lead.pk, to=cleo, reason="knows them")
    lead.refresh_from_db()
    assert lead.owner == cleo.user
    assert sum(credits(pool)) == 0
    ann_credit, _, cleo_credit = credits(pool)
    assert ann_credit > 0 > cleo_credit
    assert list(Assignment.objects.filter(lead=lead, ended_at=None).values_list("rep__name", flat=True)) == ["Cleo"]
    assert Rep.objects.get(name="Ann").open_leads == 0


def test_reassigning_by_the_rules_refunds_the_old_owner_and_debits_the_new(pool):
    lead = make_lead()
    services.assign_lead(lead.pk)
    decision = services.reassign_lead(lead.pk, reason="on holiday")
    assert decision.winner.name == "Ben"
    ann, ben, cleo = credits(pool)
    assert (ann, ben) == (0, -cleo)
    assert ben < 0


def test_a_lead_nobody_has_cannot_be_returned(pool):
    with pytest.raises(WrongState, match="Nobody has this lead"):
        services.return_lead(make_lead().pk, actor=None, reason="x")


def test_only_the_owner_accepts_and_only_once(pool):
    lead = make_lead()
    services.assign_lead(lead.pk)
    ann, ben = Rep.objects.get(name="Ann"), Rep.objects.get(name="Ben")
    with pytest.raises(NotYours):
        services.accept_lead(lead.pk, rep=ben)
    services.accept_lead(lead.pk, rep=ann)
    services.accept_lead(lead.pk, rep=ann)
    assert Event.objects.filter(lead=lead, kind="lead.accepted").count() == 1


# --- Offers, queues, holds ----------------------------------------------------------------------


def test_a_claim_pool_offers_to_all_and_the_first_to_accept_has_it():
    world("Ann", "Ben", method="claim")
    ann, ben = Rep.objects.get(name="Ann"), Rep.objects.get(name="Ben")
    lead = make_lead()
    services.assign_lead(lead.pk)
    assert Offer.objects.filter(lead=lead, ended_at=None).count() == 2
    services.claim_lead(lead.pk, rep=ben)
    services.claim_lead(lead.pk, rep=ben)
    with pytest.raises(AlreadyTaken):
        services.claim_lead(lead.pk, rep=ann)
    lead.refresh_from_db()
    assert lead.owner == ben.user
    assert not Offer.objects.filter(ended_at=None).exists()


def test_someone_it_was_not_offered_to_cannot_claim():
    world("Ann", method="claim")
    lead = make_lead()
    services.assign_lead(lead.pk)
    with pytest.raises(NotYours):
        services.claim_lead(lead.pk, rep=make_rep("Zoe"))


def test_who_claimed_a_lead_and_gave_it_back_cannot_claim_it_again():
    world("Ann", "Ben", method="claim")
    ann = Rep.objects.get(name="Ann")
    lead = make_lead()
    services.assign_lead(lead.pk)
    services.claim_lead(lead.pk, rep=ann)
    services.release_lead(lead.pk, actor=ann.user, reason="no time")
    with pytest.raises(AlreadyTaken, match="the offer has ended"):
        services.claim_lead(lead.pk, rep=ann)
    assert has(lead) is None


def test_a_full_rep_cannot_claim_and_the_offer_stays():
    world(make_rep("Ann", capacity=1), method="claim")
    lead = make_lead()
    services.assign_lead(lead.pk)
    Rep.objects.update(open_leads=1)
    with pytest.raises(Full):
        services.claim_lead(lead.pk, rep=Rep.objects.get(name="Ann"))
    assert Offer.objects.filter(lead=lead, ended_at=None).count() == 1


def test_pulling_gives_the_most_urgent_then_the_oldest_lead():
    world("Ann", method="pull")
    old, new = make_lead(email="a@x.example"), make_lead(email="b@x.example")
    urgent = make_lead(email="c@x.example", priority=5)
    for lead in (old, new, urgent):
        services.assign_lead(lead.pk)
    ann = Rep.objects.get(name="Ann")
    assert [services.pull_next(ann).lead for _ in range(3)] == [urgent, old, new]
    assert services.pull_next(ann) is None


def test_offers_that_ran_out_are_routed_again():
    world("Ann", method="claim")
    lead = make_lead()
    services.assign_lead(lead.pk)
    expires_at = Offer.objects.get().expires_at
    assert services.sweep_offers(now=expires_at - timedelta(seconds=1)) == 0
    assert services.sweep_offers(now=expires_at) == 1
    services.sweep_unassigned(now=expires_at)
    assert Offer.objects.filter(lead=lead, ended_at=None).count() == 1


def test_a_held_lead_waits_and_is_tried_again():
    ann = make_rep("Ann", status="away")
    rules = make_rule_set()
    make_rule(rules, "Hold", pool=make_pool("Sales", ann), if_unavailable="hold")
    publish(rules)
    lead = make_lead()
    services.assign_lead(lead.pk)
    hold = Hold.objects.get(lead=lead)
    assert hold.code == "nobody_available"
    Rep.objects.filter(pk=ann.pk).update(status="available")
    assert services.sweep_holds(now=hold.retry_at) == 1
    assert Hold.objects.get(pk=hold.pk).released_at == hold.retry_at


# --- Preview ------------------------------------------------------------------------------------


def test_a_hundred_previews_change_nothing_and_equal_the_first_real_assignment(pool):
    make_leads(4)
    services.assign_leads(Lead.objects.values_list("pk", flat=True))
    lead = make_lead(email="next@x.example")
    before = _everything()
    from distribution.digests import digest
    from distribution.engine.trace import render_trace

    digests = {digest(render_trace(preview_lead(leads_to_route().get(pk=lead.pk)))) for _ in range(100)}
    assert _everything() == before
    assert digests == {services.assign_lead(lead.pk).digest}


def _everything() -> list[list[tuple[Any, ...]]]:
    """Every row of what a decision could touch."""
    models = (
        Lead,
        PoolMember,
        Rep,
        RepCounter,
        Assignment,
        Offer,
        Hold,
        Decision,
        DecisionTrace,
        CreditCorrection,
        Event,
    )
    return [list(model.objects.order_by("pk").values_list()) for model in models]


@pytest.mark.parametrize("method", ["claim", "pull"])
def test_whoever_takes_a_lead_is_held_to_the_cap_in_the_pool(method):
    pool = world("Ann", method=method)
    PoolMember.objects.filter(pool=pool).update(max_open=1)
    ann = Rep.objects.get(name="Ann")
    leads = make_leads(2)
    for lead in leads:
        services.assign_lead(lead.pk)
    services.claim_lead(leads[0].pk, rep=ann)
    with pytest.raises(Full, match="1 of 1 open in this pool"):
        services.claim_lead(leads[1].pk, rep=ann)


def test_a_paused_member_cannot_take_what_was_offered_before():
    pool = world("Ann", method="claim")
    lead = make_lead()
    services.assign_lead(lead.pk)
    PoolMember.objects.filter(pool=pool).update(paused=True)
    with pytest.raises(NotYours, match="paused in this pool"):
        services.claim_lead(lead.pk, rep=Rep.objects.get(name="Ann"))


def test_a_paused_member_pulls_nothing():
    pool = world("Ann", method="pull")
    services.assign_lead(make_lead().pk)
    PoolMember.objects.filter(pool=pool).update(paused=True)
    ann = Rep.objects.get(name="Ann")
    assert services.pull_next(ann) is None
    PoolMember.objects.filter(pool=pool).update(paused=False)
    assert services.pull_next(ann) is not None


def test_a_person_gives_a_lead_also_to_somebody_who_is_full_and_away():
    world("Ann", make_rep("Ben", capacity=1, open_leads=1, cap_per_day=1, status="away"))
    lead = make_lead()
    services.assign_lead(lead.pk)
    ben = Rep.objects.get(name="Ben")
    services.reassign_lead(lead.pk, to=ben, reason="knows them")
    ben.refresh_from_db()
    assert (has(lead), ben.open_leads) == ("Ben", 2)


def test_a_lead_that_was_given_back_is_not_pulled_again_by_the_same_person():
    world("Ann", method="pull")
    lead = make_lead()
    services.assign_lead(lead.pk)
    ann = Rep.objects.get(name="Ann")
    services.pull_next(ann)
    services.release_lead(lead.pk, actor=None, reason="not mine")
    assert services.pull_next(ann) is None


def test_one_poisoned_lead_does_not_stop_a_batch(pool, monkeypatch):
    from distribution.services import batch

    bad, *good = make_leads(4)
    real = batch.facts_of

    def failing(subject, attributes):
        if subject.lead.pk == bad.pk:
            raise RuntimeError
        return real(subject, attributes)

    monkeypatch.setattr(batch, "facts_of", failing)
    monkeypatch.setattr("distribution.services.assigning.facts_of", failing)
    result = services.assign_leads([bad.pk, *(lead.pk for lead in good)])
    bad.refresh_from_db()
    assert (result.assigned, result.failed, bad.routing_state) == (3, 1, "error")


def test_a_batch_that_falls_to_a_deadlock_decides_again_on_what_is_really_there(pool, monkeypatch):
    from django.db import OperationalError

    from distribution.services import batch

    Rep.objects.update(cap_per_day=2)
    real, fallen = batch.record, []

    def falling(*written):
        real(*written)
        if not fallen:
            fallen.append(True)
            raise OperationalError("database is locked")

    monkeypatch.setattr(batch, "record", falling)
    monkeypatch.setattr("leadcrm.lib.transactions.connection", type("Free", (), {"in_atomic_block": False}))
    leads = make_leads(6)
    assert services.assign_leads([lead.pk for lead in leads]).assigned == 6
    assert sorted(owners()) == ["Ann", "Ann", "Ben", "Ben", "Cleo", "Cleo"]
