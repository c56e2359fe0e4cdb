"""How people say how they want to be told, and prove that an address is theirs."""

import json
import re
from datetime import time, timedelta

import pytest
from django.core import mail
from django.test import Client

from notifications.channels import CHANNELS
from notifications.choosing import address_of
from notifications.models import ChannelChoice, ContactAddress, Preference, PushSubscription, Stop
from tests.distribution.setups import make_rep
from tests.notifications.messages import NOW, Recorder, passing
from tests.pipeline.people import signed_in

pytestmark = pytest.mark.django_db

PAGE = "/my/notifications/"
NUMBER = "+4915123456789"


@pytest.fixture
def user(db):
    rep = make_rep("Sam Rivera")
    type(rep.user).objects.filter(pk=rep.user_id).update(email="sam@sales.example")
    rep.user.refresh_from_db()
    return rep.user


@pytest.fixture
def browser(user):
    return signed_in(user)


def wishes(**changed):
    sent = {f"first_{urgency}": "email" for urgency in ("urgent", "normal", "low")}
    return {**sent, "backup_minutes": "5", **changed}


def code_of(recorder) -> str:
    found = re.match(r"\d{6}", recorder.seen[-1].text)
    assert found
    return found[0]


# --- Wishes --------------------------------------------------------------------------------------


def test_wishes_are_stored_and_shown_again(browser, user):
    sent = wishes(quiet_from="22:00", quiet_to="07:00", backup_minutes="9", language="de", first_low="in_app")
    assert browser.post(PAGE, sent).status_code == 302
    preference = Preference.objects.get(user=user)
    assert (preference.quiet_from, preference.quiet_to) == (time(22), time(7))
    assert (preference.backup_minutes, preference.language) == (9, "de")
    assert ChannelChoice.objects.get(user=user, urgency="low").first == "in_app"
    shown = browser.get(PAGE).text
    assert 'value="22:00"' in shown
    assert '<option value="de" selected>' in shown


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"quiet_from": "22:00"}, "Give both times, or none."),
        ({"quiet_from": "99:00", "quiet_to": "x"}, "Enter a valid time."),
        ({"backup_minutes": "0"}, "greater than or equal to 1"),
        ({"backup_minutes": "many"}, "Enter a whole number."),
        ({"first_urgent": "pigeon"}, "pigeon is not one of the available choices"),
        ({"first_urgent": "webhook"}, "There is no confirmed address for it."),
        ({"first_urgent": "push"}, "cannot be used here yet: VAPID_PRIVATE_KEY is not set."),
        ({"backup_urgent": "email"}, "This is the first channel already."),
        ({"language": "xx"}, "xx is not one of the available choices"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_at_its_field_and_nothing_is_stored(browser, changed, said):
    answer = browser.post(PAGE, wishes(**changed))
    assert answer.status_code == 422
    assert said in answer.text
    assert not Preference.objects.exists()
    assert not ChannelChoice.objects.exists()


def test_a_stranger_is_asked_to_sign_in(client):
    for path in (PAGE, f"{PAGE}sms/test/", f"{PAGE}browser/"):
        assert client.get(path).status_code in (302, 405)
        assert client.post(path).status_code == 302


# --- A code over SMS -----------------------------------------------------------------------------


def test_a_number_counts_once_the_code_that_went_there_came_back(browser, user, sms):
    browser.post(f"{PAGE}sms/", {"address": "+49 151 234 567 89"})
    assert sms.seen[0].to == NUMBER
    assert address_of(user, "sms") == ""
    browser.post(f"{PAGE}sms/code/", {"code": f" {code_of(sms)} "})
    assert address_of(user, "sms") == NUMBER
    assert address_of(user, "whatsapp") == NUMBER


def test_the_code_is_not_stored_in_clear(browser, sms):
    browser.post(f"{PAGE}sms/", {"address": NUMBER})
    assert code_of(sms) not in str(ContactAddress.objects.values().get())


def test_a_wrong_code_says_how_often_it_may_be_tried_and_the_right_one_fails_after_that(browser, user, sms):
    browser.post(f"{PAGE}sms/", {"address": NUMBER})
    right = code_of(sms)
    wrong = "000000" if right != "000000" else "111111"
    assert "You can try 4 more times" in browser.post(f"{PAGE}sms/code/", {"code": wrong}).text
    for _ in range(4):
        browser.post(f"{PAGE}sms/code/", {"code": wrong})
    answer = browser.post(f"{PAGE}sms/code/", {"code": right})
    assert (answer.status_code, address_of(user, "sms")) == (422, "")
    assert "tried too often" in answer.text


def test_a_code_expires(browser, user, sms, clock):
    browser.post(f"{PAGE}sms/", {"address": NUMBER})
    clock.shift(timedelta(minutes=10))
    assert "too old" in browser.post(f"{PAGE}sms/code/", {"code": code_of(sms)}).text
    assert address_of(user, "sms") == ""


def test_a_code_works_once(browser, user, sms):
    browser.post(f"{PAGE}sms/", {"address": NUMBER})
    browser.post(f"{PAGE}sms/code/", {"code": code_of(sms)})
    first = ContactAddress.objects.get().verified_at
    assert browser.post(f"{PAGE}sms/code/", {"code": code_of(sms)}).status_code == 422
    assert ContactAddress.objects.get().verified_at == first


def test_codes_go_out_once_a_minute_whatever_the_number(browser, sms, clock):
    browser.post(f"{PAGE}sms/", {"address": NUMBER})
    again = browser.post(f"{PAGE}sms/", {"address": "+4915123456780"})
    assert "less than a minute ago" in again.text
    assert len(sms.seen) == 1
    clock.shift(timedelta(minutes=1))
    browser.post(f"{PAGE}sms/", {"address": "+4915123456780"})
    assert [message.to for message in sms.seen] == [NUMBER, "+4915123456780"]


def test_removing_the_number_is_no_way_around_that(browser, sms, clock):
    for _ in range(3):
        browser.post(f"{PAGE}sms/", {"address": NUMBER})
        browser.post(f"{PAGE}sms/forget/")
    assert len(sms.seen) == 1
    assert "less than a minute ago" in browser.post(f"{PAGE}sms/", {"address": NUMBER}).text


def test_what_was_removed_is_verified_by_no_code(browser, user, sms):
    browser.post(f"{PAGE}sms/", {"address": NUMBER})
    browser.post(f"{PAGE}sms/forget/")
    assert browser.post(f"{PAGE}sms/code/", {"code": code_of(sms)}).status_code == 404
    assert (address_of(user, "sms"), address_of(user, "whatsapp")) == ("", "")


@pytest.mark.parametrize(("channel", "address"), [("sms", NUMBER), ("email", "ada@acme.example")])
def test_no_code_or_link_goes_to_somebody_who_said_stop(browser, sms, channel, address):
    Stop.objects.create(channel=channel, address=address)
    page = browser.post(f"{PAGE}{channel}/", {"address": address})
    assert "Nothing was sent: It is on the stop list: The receiver said STOP." in page.text
    assert sms.seen == mail.outbox == []


def test_the_page_says_that_a_number_is_stopped(browser, user):
    ContactAddress.objects.create(user=user, channel="sms", address=NUMBER, verified_at=NOW)
    Stop.objects.create(channel="sms", address=NUMBER)
    assert "The receiver said STOP. Send START from there to undo it." in browser.get(PAGE).text


def test_a_code_for_one_number_does_not_verify_another(browser, user, sms, clock):
    browser.post(f"{PAGE}sms/", {"address": NUMBER})
    code = code_of(sms)
    browser.post(f"{PAGE}sms/", {"address": "+4915123456780"})
    browser.post(f"{PAGE}sms/code/", {"code": code})
    assert address_of(user, "sms") == ""


def test_a_code_that_could_not_be_sent_says_why(browser, sms):
    sms.answers = [passing("The number is not in use.")]
    assert "Nothing was sent: The number is not in use." in browser.post(f"{PAGE}sms/", {"address": NUMBER}).text


@pytest.mark.parametrize("text", ["", "123", "not a number", "+49", "0151 23456789", "+4915123456789\nBcc: x@y.z"])
def test_what_is_no_number_is_refused_at_the_field(browser, sms, text):
    answer = browser.post(f"{PAGE}sms/", {"address": text})
    assert answer.status_code == 422 or sms.seen[0].to.startswith("+")
    assert "Bcc" not in "".join(message.to for message in sms.seen)


# --- A link by e-mail ----------------------------------------------------------------------------


def link_in_mail() -> str:
    found = re.search(r"https?://[^/]+(/my/notifications/verify/\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def test_an_address_counts_once_the_link_that_went_there_was_pressed(browser, user, clock):
    browser.post(f"{PAGE}email/", {"address": "sam@home.example"})
    assert mail.outbox[0].to == ["sam@home.example"]
    stranger, url = Client(), link_in_mail()
    assert stranger.get(url).status_code == 200
    assert address_of(user, "email") == "sam@sales.example"
    stranger.post(url)
    assert address_of(user, "email") == "sam@home.example"


def test_a_link_verifies_only_the_address_it_went_to_and_only_for_a_day(browser, user, clock):
    browser.post(f"{PAGE}email/", {"address": "sam@home.example"})
    url = link_in_mail()
    ContactAddress.objects.update(address="boss@sales.example")
    assert browser.post(url).status_code == 404
    ContactAddress.objects.update(address="sam@home.example")
    assert browser.post(url[:-3] + "xx/").status_code == 404
    clock.shift(timedelta(days=1, seconds=1))
    assert browser.post(url).status_code == 404
    assert address_of(user, "email") == "sam@sales.example"


def test_a_changed_address_is_not_verified_any_more(browser, user, clock):
    ContactAddress.objects.create(user=user, channel="email", address="old@home.example", verified_at=NOW)
    browser.post(f"{PAGE}email/", {"address": "new@home.example"})
    assert address_of(user, "email") == "sam@sales.example"
    browser.post(f"{PAGE}email/forget/")
    assert list(ContactAddress.objects.values_list("address", "verified_at")) == [("", None)]
    assert 'value="new@home.example"' not in browser.get(PAGE).text


@pytest.mark.parametrize(
    ("channel", "text"),
    [
        ("email", "nobody"),
        ("webhook", "http://plain.example/"),
        ("webhook", "javascript:alert(1)"),
        ("apprise", "json://internal.example/"),
    ],
)
def test_what_is_no_address_is_refused_at_its_field(browser, channel, text):
    assert browser.post(f"{PAGE}{channel}/", {"address": text}).status_code == 422
    assert not ContactAddress.objects.exists()


def test_a_webhook_in_a_named_host_of_the_own_network_may_be_entered_by_http(browser, user, settings, monkeypatch):
    settings.OUTGOING_LOCAL_HOSTS = ["tools.internal"]
    monkeypatch.setitem(CHANNELS._entries, "webhook", Recorder("webhook"))
    browser.post(f"{PAGE}webhook/", {"address": "http://tools.internal/hook"})
    assert ContactAddress.objects.get(user=user).address == "http://tools.internal/hook"


def test_other_channels_have_no_addresses(browser):
    for channel in ("in_app", "push", "whatsapp", "pigeon"):
        assert browser.post(f"{PAGE}{channel}/", {"address": "x"}).status_code == 404


# --- Trying a channel ----------------------------------------------------------------------------


def test_a_test_goes_to_the_user_and_not_too_often(browser, clock):
    browser.post(f"{PAGE}email/test/")
    assert mail.outbox[0].to == ["sam@sales.example"]
    browser.post(f"{PAGE}email/test/")
    assert len(mail.outbox) == 1
    assert browser.post(f"{PAGE}sms/test/").status_code == 404


# --- Browsers ------------------------------------------------------------------------------------

SUBSCRIPTION = {"endpoint": "https://push.example/1", "keys": {"p256dh": "BPub", "auth": "secret"}}


def subscribe(browser, sent):
    return browser.post(f"{PAGE}browser/", sent if isinstance(sent, str) else json.dumps(sent), "application/json")


def test_a_browser_is_kept_once_and_belongs_to_who_signed_in_last(browser, user):
    for _ in range(2):
        assert subscribe(browser, SUBSCRIPTION).status_code == 204
    other = make_rep("Kim Novak").user
    subscribe(signed_in(other), SUBSCRIPTION)
    assert PushSubscription.objects.get().user == other
    signed_in(other).post(f"{PAGE}browser/forget/")
    assert not PushSubscription.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "[]",
        "{",
        "null",
        "3",
        {"endpoint": "https://push.example/1"},
        {**SUBSCRIPTION, "keys": []},
        {**SUBSCRIPTION, "keys": {"p256dh": None, "auth": {}}},
        {**SUBSCRIPTION, "endpoint": "http://push.example/"},
        {**SUBSCRIPTION, "endpoint": "https://["},
        {**SUBSCRIPTION, "endpoint": "https://push.example/\x00"},
        {**SUBSCRIPTION, "endpoint": ["https://push.example/"]},
        {**SUBSCRIPTION, "endpoint": "https://push.example/" + "x" * 500},
        {**SUBSCRIPTION, "keys": {"p256dh": "x" * 201, "auth": "x"}},
    ],
)
def test_what_is_no_browser_is_refused(browser, sent):
    assert subscribe(browser, sent).status_code == 422
    assert not PushSubscription.objects.exists()
