"""Who stands in for people on leave, and open leads that are lent and come back."""

from datetime import UTC, datetime, timedelta

import pytest

from distribution import services
from distribution.models import Assignment, Leave, Loan, PoolMember, Rep, SLAClock
from distribution.services import availability, covering
from pipeline.models import Account, Event
from pipeline.services.activity import record_contact
from tests.distribution.calendars import make_leave
from tests.distribution.promises import make_policy, running
from tests.distribution.setups import make_rep, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, win, world

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def ann():
    return make_rep("Ann")


@pytest.fixture
def ben():
    return make_rep("Ben")


def lent(ann, ben, **more):
    """Ann's open lead, and her leave of tomorrow during which Ben has it."""
    pool = world(ann)
    lead = make_lead(created_at=NOW)
    services.assign_lead(lead.pk, now=NOW)
    terms = {"created_at": NOW, "cover": ben, "lend_leads": True, **more}
    return lead, make_leave(ann, NOW + DAY, NOW + 3 * DAY, **terms), pool


def owner_of(lead):
    lead.refresh_from_db()
    return lead.owner.rep.name


def says(lead):
    lead.refresh_from_db()
    return lead.routing_sentence


def consistent():
    for rep in Rep.objects.all():
        assert rep.open_leads == Assignment.objects.filter(rep=rep, ended_at=None).count()
    for member in PoolMember.objects.all():
        assert member.open_leads == Assignment.objects.filter(member=member, ended_at=None).count()


def test_new_leads_of_an_account_go_to_who_stands_in_and_the_sentence_says_so(ann, ben):
    rules = make_rule_set()
    make_rule(rules, "Owners", target="account_owner")
    publish(rules)
    account = Account.objects.create(name="Novak", owner=ann.user)
    make_leave(ann, NOW, NOW + DAY, cover=ben)
    for moment, name in ((NOW - DAY, "Ann"), (NOW, "Ben"), (NOW + DAY, "Ann")):
        lead = make_lead(account=account)
        decision = services.assign_lead(lead.pk, now=moment)
        assert decision.winner.name == name
    told = Assignment.objects.get(rep=ben).decision
    assert "stands in for Ann" in told.sentence
    assert told.trace.data["attempts"][0]["note"] == "stands in for Ann"


def test_a_person_with_an_open_lead_stays_with_its_owner_on_leave(ann, ben):
    world(ann)
    make_leave(ann, NOW, NOW + DAY, cover=ben)
    services.assign_lead(make_lead(email="same@x.example").pk, now=NOW - DAY)
    assert services.assign_lead(make_lead(email="same@x.example").pk, now=NOW).winner == ann


def test_open_leads_are_lent_when_the_leave_begins_and_come_back_when_it_ends(ann, ben):
    lead, _, _ = lent(ann, ben)
    for moment, name in ((NOW, "Ann"), (NOW + DAY, "Ben"), (NOW + 2.9 * DAY, "Ben"), (NOW + 3 * DAY, "Ann")):
        services.sweep_cover(now=moment)
        assert owner_of(lead) == name
        consistent()
    assert list(Event.objects.filter(lead=lead, kind__in=("lead.lent", "lead.given_back")).order_by("pk").values_list(
        "kind", "data__user"
    )) == [("lead.lent", ben.user_id), ("lead.given_back", ann.user_id)]  # fmt: skip
    assert Loan.objects.get().ended_at == NOW + 3 * DAY


def test_a_lead_that_is_back_counts_for_its_pool_again_and_takes_no_turn(ann, ben):
    lead, _, pool = lent(ann, ben)
    services.sweep_cover(now=NOW + DAY)
    assert pool.members.get().open_leads == 0
    services.sweep_cover(now=NOW + 3 * DAY)
    member = pool.members.get()
    assert (member.open_leads, member.credit) == (1, 0)
    assert Assignment.objects.get(lead=lead, ended_at=None).member == member


def test_a_loan_counts_for_no_cap_and_no_counter(ann, ben):
    Rep.objects.filter(pk=ben.pk).update(capacity=0, cap_per_day=0)
    lead, _, _ = lent(ann, ben)
    services.sweep_cover(now=NOW + DAY)
    assert owner_of(lead) == "Ben"
    assert not ben.counters.exists()


def test_what_was_accepted_stays_accepted(ann, ben):
    lead, _, _ = lent(ann, ben)
    services.accept_lead(lead.pk, rep=ann, now=NOW)
    services.sweep_cover(now=NOW + DAY)
    lead.refresh_from_db()
    assert lead.accepted_at == NOW
    assert Assignment.objects.get(lead=lead, ended_at=None).accepted_at == NOW


def test_a_second_sweep_changes_nothing(ann, ben):
    lent(ann, ben)
    assert [services.sweep_cover(now=NOW + DAY) for _ in range(2)] == [(1, 0), (0, 0)]
    assert [services.sweep_cover(now=NOW + 3 * DAY) for _ in range(2)] == [(0, 1), (0, 0)]


ENDS = {
    "cancelled": lambda leave, ben: availability.cancel_leave(leave, actor=None, now=NOW + 2 * DAY),
    "sooner": lambda leave, ben: Leave.objects.filter(pk=leave.pk).update(ends_at=NOW + 2 * DAY),
    "no longer lending": lambda leave, ben: availability.change_leave(
        leave, lend_leads=False, actor=None, now=NOW + 1.5 * DAY
    ),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_leads_come_back_when_the_leave_is_cancelled_or_changed(end, ann, ben):
    lead, leave, _ = lent(ann, ben)
    services.sweep_cover(now=NOW + DAY)
    end(leave, ben)
    services.sweep_cover(now=NOW + 2 * DAY)
    assert owner_of(lead) == "Ann"


def test_another_cover_gets_the_leads_in_the_place_of_the_first(ann, ben):
    lead, leave, _ = lent(ann, ben)
    services.sweep_cover(now=NOW + DAY)
    availability.change_leave(leave, cover=make_rep("Cem"), actor=None, now=NOW + 1.5 * DAY)
    assert services.sweep_cover(now=NOW + 1.5 * DAY) == (1, 1)
    assert owner_of(lead) == "Cem"
    assert services.sweep_cover(now=NOW + 1.6 * DAY) == (0, 0)
    services.sweep_cover(now=NOW + 3 * DAY)
    assert owner_of(lead) == "Ann"


def test_a_loan_goes_on_when_one_leave_follows_another(ann, ben):
    lead, _, _ = lent(ann, ben)
    more = make_leave(ann, NOW + 3 * DAY, NOW + 5 * DAY, created_at=NOW, cover=ben, lend_leads=True)
    for moment, done in ((NOW + DAY, (1, 0)), (NOW + 3 * DAY, (0, 0)), (NOW + 4 * DAY, (0, 0))):
        assert services.sweep_cover(now=moment) == done
        assert owner_of(lead) == "Ben"
    assert (Loan.objects.get().leave, Loan.objects.get().until) == (more, NOW + 5 * DAY)
    services.sweep_cover(now=NOW + 5 * DAY)
    assert owner_of(lead) == "Ann"
    consistent()


def test_a_loan_that_goes_on_says_until_when_and_its_history_tells_of_it(ann, ben):
    lead, _, _ = lent(ann, ben)
    make_leave(ann, NOW + 3 * DAY, NOW + 5 * DAY, created_at=NOW, cover=ben, lend_leads=True)
    for moment in (NOW + DAY, NOW + 3 * DAY, NOW + 4 * DAY):
        services.sweep_cover(now=moment)
    assert says(lead) == "Lent to Ben until 2026-03-07 09:00 UTC, while Ann is on leave."
    assert [event.data["sentence"] for event in lead.events.filter(kind="lead.loan_changed")] == [says(lead)]


@pytest.mark.parametrize("days", [2, 4], ids=["sooner", "later"])
def test_a_loan_ends_when_its_changed_leave_does_and_its_lead_says_so(ann, ben, days):
    lead, leave, _ = lent(ann, ben)
    services.accept_lead(lead.pk, rep=ann, now=NOW)
    services.sweep_cover(now=NOW + DAY)
    ends = NOW + days * DAY
    availability.change_leave(leave, ends_at=ends, actor=None, now=NOW + 1.5 * DAY)
    assert [services.sweep_cover(now=NOW + hours * DAY) for hours in (1.5, 1.6)] == [(0, 0), (0, 0)]
    assert says(lead) == f"Lent to Ben until {ends:%Y-%m-%d %H:%M} UTC, while Ann is on leave."
    assert (owner_of(lead), lead.accepted_at, Loan.objects.get().until) == ("Ben", NOW, ends)
    assert lead.events.filter(kind="lead.loan_changed").count() == 1
    consistent()
    services.sweep_cover(now=ends)
    assert owner_of(lead) == "Ann"


def test_leave_that_is_prolonged_at_its_last_moment_brings_nothing_back(ann, ben):
    lead, leave, _ = lent(ann, ben)
    services.sweep_cover(now=NOW + DAY)
    Leave.objects.filter(pk=leave.pk).update(ends_at=NOW + 4 * DAY)
    assert services.sweep_cover(now=NOW + 3 * DAY) == (0, 0)
    assert owner_of(lead) == "Ben"


def test_a_lead_that_somebody_else_has_meanwhile_keeps_its_sentence(ann, ben):
    lead, leave, _ = lent(ann, ben)
    services.sweep_cover(now=NOW + DAY)
    services.reassign_lead(lead.pk, to=make_rep("Cem"), now=NOW + 1.2 * DAY)
    availability.change_leave(leave, ends_at=NOW + 4 * DAY, actor=None, now=NOW + 1.5 * DAY)
    services.sweep_cover(now=NOW + 1.5 * DAY)
    assert says(lead) == "Given to Cem by hand."


def test_a_lead_goes_from_cover_to_cover_when_leave_follows_leave_with_another(ann, ben):
    lead, _, _ = lent(ann, ben)
    make_leave(ann, NOW + 3 * DAY, NOW + 5 * DAY, created_at=NOW, cover=make_rep("Cem"), lend_leads=True)
    for moment, name in ((NOW + DAY, "Ben"), (NOW + 3 * DAY, "Cem"), (NOW + 5 * DAY, "Ann")):
        services.sweep_cover(now=moment)
        assert owner_of(lead) == name
    consistent()


def test_a_lead_closed_meanwhile_stays_closed(ann, ben):
    lead, _, _ = lent(ann, ben)
    services.sweep_cover(now=NOW + DAY)
    lead.refresh_from_db()
    win(lead)
    assert services.sweep_cover(now=NOW + 3 * DAY) == (0, 0)
    assert owner_of(lead) == "Ben"
    assert Loan.objects.get().ended_at == NOW + 3 * DAY


def test_a_lead_given_to_a_third_person_meanwhile_stays_there(ann, ben):
    lead, _, _ = lent(ann, ben)
    services.sweep_cover(now=NOW + DAY)
    services.reassign_lead(lead.pk, to=make_rep("Cem"), now=NOW + 2 * DAY)
    services.sweep_cover(now=NOW + 3 * DAY)
    assert owner_of(lead) == "Cem"
    consistent()


def test_nothing_is_lent_to_who_is_on_leave_too_until_they_are_back(ann, ben):
    lead, _, _ = lent(ann, ben)
    make_leave(ben, NOW, NOW + 2 * DAY)
    for moment, name in ((NOW + DAY, "Ann"), (NOW + 2 * DAY, "Ben")):
        services.sweep_cover(now=moment)
        assert owner_of(lead) == name


def test_what_is_given_to_somebody_during_leave_is_not_lent(ann, ben):
    lead, _, _ = lent(ann, ben)
    services.sweep_cover(now=NOW + DAY)
    later = make_lead(created_at=NOW + DAY)
    services.reassign_lead(later.pk, to=ann, now=NOW + 1.5 * DAY)
    services.sweep_cover(now=NOW + 2 * DAY)
    assert (owner_of(lead), owner_of(later)) == ("Ben", "Ann")


def test_one_that_fails_does_not_stop_the_others(ann, ben, monkeypatch):
    lead, _, _ = lent(ann, ben)
    other = make_lead(email="other@x.example")
    services.reassign_lead(other.pk, to=ann, now=NOW)
    real = covering.lock_held

    def failing(lead_id):
        if lead_id == lead.pk:
            raise ZeroDivisionError
        return real(lead_id)

    monkeypatch.setattr(covering, "lock_held", failing)
    assert services.sweep_cover(now=NOW + DAY) == (1, 0)
    assert (owner_of(lead), owner_of(other)) == ("Ann", "Ben")


def test_who_has_a_lead_on_loan_promises_what_the_owner_still_promised(ann, ben):
    make_policy(accept_minutes=15, contact_minutes=6000, idle_minutes=3000, lead_minutes=9000)
    lead, _, _ = lent(ann, ben)
    services.accept_lead(lead.pk, rep=ann, now=NOW)
    services.sweep_cover(now=NOW + DAY)
    assert owner_of(lead) == "Ben"
    assert set(running(lead)) == {"contact", "idle", "lead"}
    assert set(SLAClock.objects.filter(lead=lead, stopped_at=None).values_list("rep__name", flat=True)) == {"Ben"}


def test_a_lead_that_was_answered_promises_nothing_more_when_it_is_lent_and_comes_back(ann, ben, time_machine):
    make_policy(accept_minutes=15, contact_minutes=60, idle_minutes=30, lead_minutes=120)
    lead, _, _ = lent(ann, ben)
    time_machine.move_to(NOW + timedelta(minutes=5), tick=False)
    lead.refresh_from_db()
    record_contact(lead, channel="phone", outbound=True, automatic=False, actor=ann.user)
    for moment, name in ((NOW + DAY, "Ben"), (NOW + 3 * DAY, "Ann")):
        services.sweep_cover(now=moment)
        assert (owner_of(lead), running(lead), lead.respond_by) == (name, {}, None)


def test_a_lead_that_came_with_its_owner_promises_nothing_when_it_is_lent(ann, ben):
    make_policy(accept_minutes=15, contact_minutes=60)
    world(ann)
    lead = make_lead(created_at=NOW, owner=ann.user, routing_state="assigned")
    make_leave(ann, NOW + DAY, NOW + 3 * DAY, created_at=NOW, cover=ben, lend_leads=True)
    services.sweep_cover(now=NOW + DAY)
    assert (owner_of(lead), running(lead)) == ("Ben", {})
