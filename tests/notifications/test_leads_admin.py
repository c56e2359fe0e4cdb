"""What admins do about messages to leads: stop, lift, sequences, the guard."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from notifications.models import GuardPolicy, Notification, Sequence, SequenceRun, Stop
from pipeline.models import Consent
from tests.distribution.world import make_lead
from tests.notifications.sequences import make_sequence

PHONE = "+4915112345678"


@pytest.fixture
def boss(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


def add(boss, model, **values):
    return boss.post(f"/admin/notifications/{model}/add/", values, follow=True)


def test_a_stop_entered_by_hand_takes_back_what_is_queued_and_keeps_a_consent_record(boss):
    lead = make_lead(phone=PHONE)
    row = Notification.objects.create(lead=lead, kind="follow_up", channel="sms", key="k", next_at=timezone.now())
    add(boss, "stop", channel="sms", address="0049 151 12345678", reason="asked")
    stop = Stop.objects.get()
    row.refresh_from_db()
    assert (stop.address, stop.origin, row.state) == (PHONE, "entered by boss", "suppressed")
    consent = lead.consents.get()
    assert (consent.granted, consent.wording, consent.origin) == (False, "", "entered by boss")


@pytest.mark.parametrize(
    ("channel", "address"), [("sms", "nonsense"), ("email", PHONE), ("pigeon", PHONE), ("sms", ""), ("sms", "\x00")]
)
def test_a_stop_of_no_address_is_refused(boss, channel, address):
    answer = add(boss, "stop", channel=channel, address=address)
    assert answer.status_code == 200
    assert not Stop.objects.exists()


def test_an_address_that_does_not_work_is_stopped_for_that_reason(boss):
    add(boss, "stop", channel="email", address="ada@acme.example", reason="bounced")
    assert Stop.objects.get().reason == "bounced"
    add(boss, "stop", channel="email", address="bob@acme.example", reason="word")
    assert Stop.objects.count() == 1


def test_a_second_stop_of_one_address_says_so(boss):
    for _ in range(2):
        answer = add(boss, "stop", channel="email", address="Ada@Acme.example", reason="asked")
    assert b"This address is on the list already." in answer.content
    assert Stop.objects.get().address == "ada@acme.example"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([], [False]),
        ([False], [False, False]),
        ([True], [True, False, True]),
        ([False, True], [False, True, False, True]),
        ([True, False], [True, False, False]),
    ],
)
def test_a_stop_is_lifted_and_the_consent_is_what_it_was(boss, before, after):
    lead = make_lead(phone=PHONE)
    for granted in before:
        Consent.objects.create(lead=lead, channel="sms", granted=granted, wording="By SMS, please", origin="/form")
    add(boss, "stop", channel="sms", address=PHONE, reason="asked")
    boss.post("/admin/notifications/stop/", {"action": "lift", "_selected_action": Stop.objects.get().pk})
    assert Stop.objects.get().lifted_at is not None
    assert Stop.objects.get().lifted_by == "lifted by boss"
    assert [consent.granted for consent in lead.consents.order_by("pk")] == after
    if after[-1]:
        latest = lead.consents.latest("pk")
        assert (latest.wording, latest.origin[:22]) == ("By SMS, please", "lifted by boss; agreed")
    assert lead.events.latest("pk").data["granted"] == after[-1]


def test_a_consent_that_came_after_the_stop_is_the_latest_word(boss):
    lead = make_lead(phone=PHONE)
    Consent.objects.create(lead=lead, channel="sms", granted=True)
    add(boss, "stop", channel="sms", address=PHONE, reason="asked")
    Consent.objects.create(lead=lead, channel="sms", granted=False)
    boss.post("/admin/notifications/stop/", {"action": "lift", "_selected_action": Stop.objects.get().pk})
    assert not lead.consents.latest("pk").granted


def steps(*rows):
    values = {"steps-TOTAL_FORMS": len(rows), "steps-INITIAL_FORMS": 0}
    for number, (hours, kind) in enumerate(rows):
        values |= {
            f"steps-{number}-position": number,
            f"steps-{number}-after_hours": hours,
            f"steps-{number}-kind": kind,
        }
    return values


def test_a_sequence_is_made_with_its_messages(boss):
    answer = add(
        boss,
        "sequence",
        name="Web",
        start="assigned",
        max_age_days=7,
        active="on",
        **steps((0, "first_response"), (24, "follow_up")),
    )
    assert answer.status_code == 200
    assert list(Sequence.objects.get().steps.values_list("after_hours", "kind")) == [
        (0, "first_response"),
        (24, "follow_up"),
    ]


def test_a_sequence_that_leads_got_is_switched_off_and_not_deleted(boss):
    sequence = make_sequence(0)
    SequenceRun.objects.create(sequence=sequence, lead=make_lead(), started_at=timezone.now())
    assert boss.post(f"/admin/notifications/sequence/{sequence.pk}/delete/", {"post": "yes"}).status_code == 403


POLICY = {"opens": "09:00", "closes": "20:00", "per_lead": 2, "per_address": 2, "channels": "SMS, email"}


def test_a_country_gets_hours_limits_and_an_order_of_channels(boss):
    add(boss, "guardpolicy", country="Germany", assumed_countries="de, at", **POLICY)
    policy = GuardPolicy.objects.get()
    assert (policy.country, policy.channels, policy.assumed_countries) == ("DE", ["sms", "email"], ["DE", "AT"])


def test_a_postal_address_is_asked_for_until_there_is_one(boss):
    sequence = {"name": "Web", "start": "assigned", "max_age_days": 7, "active": "on", **steps((0, "first_response"))}
    asked = "Leads get e-mail without your postal address"
    assert asked in add(boss, "sequence", **sequence).text
    assert asked in add(boss, "guardpolicy", **POLICY).text
    policy = GuardPolicy.objects.get()
    address = "  Acme Ltd \r\n\r\n\r\n\r\n1 Mill   Lane\r\n"
    page = f"/admin/notifications/guardpolicy/{policy.pk}/change/"
    assert asked not in boss.post(page, {**POLICY, "postal_address": address}, follow=True).text
    policy.refresh_from_db()
    assert policy.postal_address == "Acme Ltd\n\n1 Mill Lane"


def test_a_postal_address_is_no_novel(boss):
    answer = add(boss, "guardpolicy", **POLICY, postal_address="x" * 301)
    assert "at most 300 characters" in answer.text
    assert not GuardPolicy.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"closes": "08:00"}, "the first before the second, or neither"),
        ({"closes": ""}, "the first before the second, or neither"),
        ({"channels": "sms, pigeon"}, "pigeon: no channel. Use"),
        ({"assumed_countries": "DE, XQ"}, "XQ: no country."),
        ({"country": "Nowhere"}, "is not a country"),
    ],
)
def test_what_makes_no_sense_is_named(boss, wrong, words):
    answer = add(boss, "guardpolicy", **(POLICY | wrong))
    assert words in answer.content.decode()
    assert not GuardPolicy.objects.exists()
