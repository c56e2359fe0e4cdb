"""What the guard reads before it judges, and that the daily limits hold whatever the number of workers."""

from datetime import UTC, datetime, time, timedelta
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from notifications import guard
from notifications.models import ChannelSwitch, GuardPolicy, InboundMessage, Notification, Stop
from notifications.verdicts import Outcome
from pipeline.models import Consent
from tests.concurrency.threads import all_before_any_goes_on, at_once
from tests.distribution.world import make_lead

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)
PHONE = "+4915112345678"


@pytest.fixture
def lead(db):
    lead = make_lead(phone=PHONE, email="ada@acme.example", country="DE", time_zone="Europe/Berlin")
    for channel in ("sms", "whatsapp", "email"):
        agree(lead, channel)
    return lead


def agree(lead, channel, granted=True, at=NOON - timedelta(days=1)):
    return Consent.objects.create(lead=lead, channel=channel, granted=granted, at=at)


def ask(lead, channel="sms", address=PHONE, now=NOON, approved_template=False):
    return guard.check(lead, channel, address, now, approved_template=approved_template)


def message(lead, channel="sms", **more):
    return Notification.objects.create(
        lead=lead,
        kind="first_response",
        channel=channel,
        **{"state": "sending", "key": f"test {Notification.objects.count()}"} | more,
    )


def send(lead, now=NOON, channel="sms", address=PHONE):
    return guard.let_pass(message(lead, channel), address, now, approved_template=True)


def test_a_message_that_no_rule_forbids_goes(lead):
    assert ask(lead).allowed


@pytest.mark.parametrize(
    ("records", "allowed"),
    [
        ([], False),
        ([True], True),
        ([True, False], False),
        ([False, True], True),
    ],
)
def test_the_latest_consent_of_the_channel_counts(lead, records, allowed):
    lead.consents.filter(channel="sms").delete()
    for days, granted in enumerate(records):
        agree(lead, "sms", granted, NOON - timedelta(days=10 - days))
    assert ask(lead).allowed == allowed


def test_stop_holds_for_its_channel_and_number_until_it_is_lifted(lead):
    stop = Stop.objects.create(channel="sms", address=PHONE)
    assert ask(lead).reason == "The receiver said STOP."
    assert ask(lead, "whatsapp", approved_template=True).allowed
    assert ask(lead, address="+4915112345679").allowed
    stop.lifted_at = NOON
    stop.save()
    assert ask(lead).allowed


def test_addresses_are_compared_as_they_are_listed(lead):
    Stop.objects.create(channel="email", address="ada@acme.example")
    Stop.objects.create(channel="whatsapp", address=PHONE)
    assert not ask(lead, "email", "Ada@ACME.example").allowed
    assert not ask(lead, "whatsapp", f"whatsapp:{PHONE}", approved_template=True).allowed


@pytest.mark.parametrize("switch", ["sms", ChannelSwitch.ALL])
def test_the_emergency_stop_holds_the_next_message_of_one_channel_or_of_all(lead, switch):
    row = ChannelSwitch.objects.create(channel=switch, stopped=True, reason="Wrong text")
    verdict = ask(lead)
    assert (verdict.outcome, verdict.reason) == (Outcome.DELAYED, "Emergency stop: Wrong text")
    assert ask(lead, "email", "ada@acme.example").allowed == (switch == "sms")
    row.stopped = False
    row.save()
    assert ask(lead).allowed


@pytest.mark.parametrize("column", ["closed_at", "archived_at"])
def test_a_lead_that_is_done_with_gets_no_automatic_message(lead, column):
    setattr(lead, column, NOON)
    assert ask(lead).outcome == Outcome.SUPPRESSED


def test_free_text_over_whatsapp_needs_a_message_of_the_lead_within_24_hours(lead):
    assert ask(lead, "whatsapp").outcome == Outcome.SUPPRESSED
    assert ask(lead, "whatsapp", approved_template=True).allowed
    InboundMessage.objects.create(
        channel="whatsapp", provider_id="SM1", sender=PHONE, receiver="+1", at=NOON - timedelta(hours=24)
    )
    assert ask(lead, "whatsapp").outcome == Outcome.SUPPRESSED
    InboundMessage.objects.create(
        channel="whatsapp", provider_id="SM2", sender=PHONE, receiver="+1", at=NOON - timedelta(hours=23)
    )
    assert ask(lead, "whatsapp").allowed


@pytest.mark.parametrize(
    ("where", "until"),
    [
        ({"time_zone": "Asia/Tokyo", "country": "DE"}, 23),  # what is stored counts first
        ({"time_zone": "", "country": "", "phone": "+81312345678"}, 23),
        ({"time_zone": "", "country": "US", "phone": ""}, 18),  # eight o'clock in Hawaii
        ({"time_zone": "", "country": "US", "region": "US-CA", "phone": ""}, 16),
        ({"time_zone": "", "country": "US", "postal_code": "94105", "phone": ""}, 16),
        ({"time_zone": "Not/AZone", "country": "JP", "phone": ""}, 23),
    ],
)
def test_quiet_hours_are_those_where_the_lead_is(lead, where, until):
    for name, value in where.items():
        setattr(lead, name, value)
    assert ask(lead).until == NOON.replace(hour=until)


def test_of_whom_nothing_is_known_gets_no_message_until_the_admin_says_where_leads_are(lead):
    lead.time_zone = lead.country = lead.phone = ""
    assert ask(lead, "email", lead.email).outcome == Outcome.SUPPRESSED
    GuardPolicy.objects.create(assumed_countries=["DE", "GB"])
    assert ask(lead, "email", lead.email).allowed
    assert ask(lead, "email", lead.email, NOON.replace(hour=7, minute=30)).until == NOON.replace(hour=8)


def test_a_country_may_have_hours_and_limits_of_its_own(lead):
    GuardPolicy.objects.create(country="", opens=time(8), closes=time(21))
    GuardPolicy.objects.create(country="DE", opens=time(14), closes=time(15), per_lead=1)
    assert ask(lead).until == NOON.replace(hour=13)
    lead.country, lead.phone = "", "+41446681800"
    assert ask(lead).allowed


def test_without_quiet_hours_any_time_will_do(lead):
    GuardPolicy.objects.create(opens=None, closes=None)
    assert ask(lead, now=NOON.replace(hour=2)).allowed


@pytest.mark.parametrize("hours", [(time(9), None), (None, time(9)), (time(9), time(9)), (time(21), time(8))])
def test_hours_that_make_no_sense_are_refused(db, hours):
    policy = GuardPolicy(opens=hours[0], closes=hours[1])
    with pytest.raises(ValidationError, match="the first before the second, or neither"):
        policy.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        policy.save()


def test_what_passed_counts_for_the_lead_and_the_address_for_24_hours(lead):
    GuardPolicy.objects.create(per_lead=2, per_address=1)
    assert send(lead).allowed
    assert send(lead, NOON + timedelta(minutes=1)).until == NOON + timedelta(days=1)
    assert send(lead, NOON + timedelta(minutes=2), "email", lead.email).allowed
    assert "for one lead" in send(lead, NOON + timedelta(minutes=3), "whatsapp").reason
    assert send(lead, NOON + timedelta(days=1)).allowed


def test_a_message_that_was_never_sent_does_not_count_and_one_tried_again_counts_once(lead):
    GuardPolicy.objects.create(per_lead=1)
    row = message(lead)
    assert guard.let_pass(row, PHONE, NOON, approved_template=True).allowed
    assert guard.let_pass(row, PHONE, NOON, approved_template=True).allowed
    assert not send(lead).allowed
    Notification.objects.filter(pk=row.pk).update(state="failed", reason="No such number")
    assert send(lead).allowed


def test_the_limit_of_our_own_number_counts_all_leads_together(lead):
    GuardPolicy.objects.create(per_channel=1)
    other = make_lead(phone="+4915112345679", country="DE")
    agree(other, "sms")
    assert send(lead).allowed
    assert "of our own number" in send(other, address=other.phone).reason


def test_the_guard_looks_at_the_lead_as_it_is_now(lead):
    row = message(lead)
    type(lead).objects.filter(pk=lead.pk).update(closed_at=NOON)
    assert guard.let_pass(row, PHONE, NOON, approved_template=True).reason == "The lead is closed."


def passed_at_once(lead):
    """Of eight messages to one lead at once, how many the guard lets go."""
    rows = [message(lead, key=f"test {number}") for number in range(8)]
    verdicts = at_once(partial(guard.let_pass, row, PHONE, NOON, approved_template=True) for row in rows)
    return sum(verdict.allowed for verdict in verdicts)


@pytest.mark.django_db(transaction=True)
def test_many_workers_at_once_do_not_exceed_a_limit(lead):
    GuardPolicy.objects.create(per_lead=2)
    assert passed_at_once(lead) == 2


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_they_would(lead, monkeypatch):
    GuardPolicy.objects.create(per_lead=2)
    monkeypatch.setattr(guard, "_one_at_a_time", lambda: None)
    monkeypatch.setattr(guard, "check", all_before_any_goes_on(8, guard.check))
    assert passed_at_once(lead) == 8


def test_the_guard_asks_the_same_few_questions_whatever_the_history(lead, django_assert_max_num_queries):
    GuardPolicy.objects.create()
    for number in range(30):
        message(lead, key=str(number), passed_at=NOON, address=PHONE)
    with django_assert_max_num_queries(6):
        ask(lead)
