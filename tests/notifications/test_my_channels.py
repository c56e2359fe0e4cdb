"""My channels: how somebody is told now, and what keeps a channel off."""

from datetime import time, timedelta

import pytest
import time_machine
from django.core import mail

from notifications.channels import CHANNELS
from notifications.models import ChannelChoice, ChannelSwitch, ContactAddress, Preference, PushSubscription, Stop
from notifications.mychannels import build_my_channels
from tests.distribution.setups import make_rep
from tests.notifications.messages import NOW, Recorder
from tests.pipeline.people import signed_in

pytestmark = pytest.mark.django_db

PAGE = "/my/channels/"
NUMBER = "+4915123456789"


@pytest.fixture
def sms(monkeypatch):
    recorder = Recorder("sms")
    monkeypatch.setitem(CHANNELS._entries, "sms", recorder)
    return recorder


@pytest.fixture
def user(db):
    rep = make_rep("Sam Rivera", time_zone="Europe/Berlin")
    type(rep.user).objects.filter(pk=rep.user_id).update(email="sam@sales.example")
    rep.user.refresh_from_db()
    return rep.user


def number(user, **more):
    return ContactAddress.objects.create(user=user, channel="sms", address=NUMBER, **more)


def line(user, key):
    found = {line.key: line for line in build_my_channels(user, NOW).lines}
    return found.get(key)


def test_who_chose_nothing_is_told_in_the_app_and_at_the_address_of_the_account(user):
    lines = build_my_channels(user, NOW).lines
    assert [(line.key, line.works, line.state) for line in lines] == [
        ("in_app", True, "Always, behind the bell"),
        ("email", True, "Your account's address"),
    ]
    assert line(user, "email").uses == "first for urgent, normal and low"
    assert not line(user, "in_app").testable


def test_what_a_channel_was_chosen_for_is_told(user, sms):
    number(user, verified_at=NOW)
    ChannelChoice.objects.create(user=user, urgency="urgent", first="sms", backup="email")
    ChannelChoice.objects.create(user=user, urgency="low", first="in_app", backup="sms")
    assert line(user, "sms").uses == "first for urgent, second for low"
    assert line(user, "email").uses == "first for normal, second for urgent"


def none_yet(user, sms):
    """Chosen, and the number was removed since."""


def not_confirmed(user, sms):
    number(user)


def stopped_by_the_word(user, sms):
    number(user, verified_at=NOW)
    Stop.objects.create(channel="sms", address=NUMBER)


def stopped_by_an_admin(user, sms):
    number(user, verified_at=NOW)
    ChannelSwitch.objects.create(channel="sms", stopped=True, reason="Wrong texts")


def not_in_use(user, sms):
    number(user, verified_at=NOW)
    sms.missing = "TWILIO_FROM is not set."


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (none_yet, "No address"),
        (not_confirmed, "To be confirmed"),
        (stopped_by_the_word, "Send START from there to undo it."),
        (stopped_by_an_admin, "Emergency stop: Wrong texts"),
        (not_in_use, "TWILIO_FROM is not set."),
    ],
)
def test_a_channel_that_is_off_says_why_and_cannot_be_tested(user, sms, why, said):
    ChannelChoice.objects.create(user=user, urgency="urgent", first="sms")
    why(user, sms)
    found = line(user, "sms")
    assert (found.works, found.testable) == (False, False)
    assert said in found.state
    shown = signed_in(user).get(PAGE).text
    assert said in shown
    assert "/my/notifications/sms/test/" not in shown


def test_a_confirmed_number_serves_whatsapp_too(user, monkeypatch):
    monkeypatch.setitem(CHANNELS._entries, "whatsapp", Recorder("whatsapp"))
    number(user, verified_at=NOW)
    assert (line(user, "whatsapp").works, line(user, "whatsapp").state) == (True, "Confirmed")


def test_a_browser_is_on_while_it_can_be_reached(user, monkeypatch):
    monkeypatch.setitem(CHANNELS._entries, "push", Recorder("push"))
    assert line(user, "push") is None
    browser = PushSubscription.objects.create(user=user, endpoint="https://push.example/1", p256dh="B", auth="s")
    assert line(user, "push").works
    ChannelChoice.objects.create(user=user, urgency="urgent", first="push")
    PushSubscription.objects.filter(pk=browser.pk).update(failed_at=NOW)
    assert (line(user, "push").works, line(user, "push").state) == (False, "In no browser yet")


@pytest.mark.parametrize(
    ("now", "said"),
    [  # 9:00 in London is 10:00 in Berlin
        (NOW, "Quiet from 22:00 to 07:00, not now."),
        (NOW + timedelta(hours=12), "Quiet now, until 07:00: only what is urgent comes."),
    ],
)
def test_quiet_hours_are_those_of_the_readers_clock(user, now, said):
    assert build_my_channels(user, now).quiet == "No quiet hours."
    Preference.objects.create(user=user, quiet_from=time(22), quiet_to=time(7))
    assert build_my_channels(user, now).quiet == said


def test_my_day_loads_them_and_a_test_leads_back_there(user):
    browser = signed_in(user)
    assert f'hx-get="{PAGE}"' in browser.get("/my/").text
    part = browser.get(PAGE, headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert 'action="/my/notifications/email/test/"' in part
    with time_machine.travel(NOW, tick=False):
        sent = browser.post("/my/notifications/email/test/", {"next": "/my/"})
    assert sent.headers["Location"] == "/my/"
    assert mail.outbox[0].to == ["sam@sales.example"]
