"""Stops of the addresses of our own people: what they are told, and which they may lift by a code."""

import re
from datetime import timedelta

import pytest
from django.core import mail

from notifications.channels import CHANNELS
from notifications.guard import stop_of
from notifications.models import ContactAddress, Stop
from notifications.services import optouts
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead
from tests.notifications.messages import NOW, Recorder
from tests.pipeline.people import signed_in

pytestmark = pytest.mark.django_db

PAGE = "/my/notifications/"
OWN, NUMBER = "sam@sales.example", "+4915123456789"
DAY = timedelta(days=1)
Reason = Stop.Reason


@pytest.fixture(autouse=True)
def clock(time_machine):
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def user():
    rep = make_rep("Sam Rivera")
    type(rep.user).objects.filter(pk=rep.user_id).update(email=OWN)
    return type(rep.user).objects.get(pk=rep.user_id)


@pytest.fixture
def browser(user):
    return signed_in(user)


def stopped(reason, channel="email", address=OWN, at=NOW):
    optouts.stop(channel, address, reason=reason, origin="test", now=at)


def is_stopped(channel, address):
    return stop_of(channel, address) is not None


def code_of(message):
    found = re.match(r"\d{6}", message)
    assert found
    return found[0]


def lift(browser):
    """Ask for a code and enter it, if one came."""
    asked = browser.post(f"{PAGE}email/lift/", follow=True).text
    if mail.outbox:
        browser.post(f"{PAGE}email/code/", {"code": code_of(mail.outbox[-1].body)})
    return asked


@pytest.mark.parametrize(
    ("reason", "words", "liftable"),
    [
        (Reason.WORD, "The receiver said STOP. Send START from there", False),
        (Reason.LINK, "The receiver unsubscribed. If it is yours and works", True),
        (Reason.ASKED, "The receiver asked for it. An administrator entered it", False),
        (Reason.BOUNCED, "Messages come back from there. If it is yours and works", True),
    ],
)
def test_the_page_says_why_nothing_comes_and_what_helps(browser, reason, words, liftable):
    stopped(reason)
    page = browser.get(PAGE).text
    assert "Nothing goes there since 10 Mar 2026, 09:00 UTC" in page
    assert words in page
    assert ("Send a code there" in page) == liftable
    lift(browser)
    assert (is_stopped("email", OWN), len(mail.outbox)) == (not liftable, int(liftable))


def test_the_address_of_the_account_is_confirmed_by_that_and_who_lifted_it_is_kept(browser, user):
    stopped(Reason.BOUNCED)
    assert f"A code went to {OWN}." in lift(browser)
    assert (Stop.objects.get().lifted_at, Stop.objects.get().lifted_by) == (NOW, f"{user.username}, by a code")
    row = ContactAddress.objects.get()
    assert (row.address, row.verified_at, row.code_hash) == (OWN, NOW, "")


def test_an_address_that_was_confirmed_before_the_stop_is_ones_own(browser, user):
    ContactAddress.objects.create(user=user, channel="email", address="Sam@home.example", verified_at=NOW - DAY)
    stopped(Reason.LINK, address="sam@home.example")
    lift(browser)
    assert not is_stopped("email", "sam@home.example")
    assert ContactAddress.objects.get().verified_at == NOW - DAY


@pytest.mark.parametrize("verified_at", [None, NOW + timedelta(hours=1)])
def test_an_address_that_was_not_known_as_ones_own_before_gets_no_code(browser, user, verified_at):
    ContactAddress.objects.create(user=user, channel="email", address="ada@acme.example", verified_at=verified_at)
    type(user).objects.update(email="")
    stopped(Reason.BOUNCED, address="ada@acme.example")
    assert "was not confirmed as yours before" in lift(browser)
    assert (is_stopped("email", "ada@acme.example"), mail.outbox) == (True, [])


def test_what_a_lead_unsubscribed_stays_so(browser):
    make_lead(email=OWN)
    stopped(Reason.LINK)
    assert "A lead has the same address." in lift(browser)
    assert (is_stopped("email", OWN), mail.outbox) == (True, [])


def test_a_lead_that_unsubscribes_between_the_code_and_its_entry_is_heard(browser):
    stopped(Reason.BOUNCED)
    browser.post(f"{PAGE}email/lift/")
    optouts.start("email", OWN, origin="test", now=NOW)
    make_lead(email=OWN)
    stopped(Reason.LINK)
    browser.post(f"{PAGE}email/code/", {"code": code_of(mail.outbox[-1].body)})
    assert is_stopped("email", OWN)


def test_a_wrong_code_lifts_nothing_and_too_many_end_it(browser):
    stopped(Reason.BOUNCED)
    browser.post(f"{PAGE}email/lift/")
    right = code_of(mail.outbox[-1].body)
    for _ in range(5):
        assert "This is not the code." in browser.post(f"{PAGE}email/code/", {"code": "x"}).text
    browser.post(f"{PAGE}email/code/", {"code": right})
    assert is_stopped("email", OWN)


def test_codes_go_out_once_a_minute(browser):
    stopped(Reason.BOUNCED)
    for _ in range(2):
        asked = browser.post(f"{PAGE}email/lift/", follow=True).text
    assert "less than a minute ago" in asked
    assert len(mail.outbox) == 1


def test_nothing_to_lift_is_said(browser):
    assert "on no stop list" in browser.post(f"{PAGE}email/lift/", follow=True).text
    assert browser.post(f"{PAGE}pigeon/lift/").status_code == 404
    assert not ContactAddress.objects.exists()


def test_another_address_that_waits_is_confirmed_or_removed_first(browser, user):
    ContactAddress.objects.create(user=user, channel="email", address="other@sales.example")
    stopped(Reason.BOUNCED)
    asked = browser.post(f"{PAGE}email/lift/", follow=True).text
    assert "Confirm or remove the address that you entered first." in asked
    assert ContactAddress.objects.get().address == "other@sales.example"


def test_a_number_that_works_again_is_lifted_by_a_text_message(browser, user, monkeypatch):
    recorder = Recorder("sms")
    monkeypatch.setitem(CHANNELS._entries, "sms", recorder)
    ContactAddress.objects.create(user=user, channel="sms", address=NUMBER, verified_at=NOW - DAY)
    stopped(Reason.BOUNCED, "sms", NUMBER)
    browser.post(f"{PAGE}sms/lift/")
    browser.post(f"{PAGE}sms/code/", {"code": code_of(recorder.seen[-1].text)})
    assert not is_stopped("sms", NUMBER)


def test_an_address_that_does_not_work_is_no_word_of_a_lead(user):
    lead = make_lead(email="ada@acme.example")
    stopped(Reason.BOUNCED, address=lead.email)
    assert not lead.consents.exists()
    assert "test" in lead.events.get(kind="lead.consent").data["sentence"]
