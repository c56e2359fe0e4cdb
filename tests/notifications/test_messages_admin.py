"""Admins see what went out and what did not, send it again, stop a channel and try one."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from notifications.channels import CHANNELS as REGISTRY
from notifications.models import ChannelSwitch, ContactAddress, Notification, Stop
from notifications.services import claiming, deliver, switches
from tests.notifications.messages import NOW, Recorder, channels, passing, queued, user

pytestmark = pytest.mark.django_db

MESSAGES = "admin:notifications_notification_changelist"
CHANNELS = "admin:notifications_channelswitch_changelist"


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", "boss@sales.example", "secret"))
    return client


def failed(name: str = "ann", **more: object) -> Notification:
    fields = {"state": "failed", "reason": "No such address.", "error_code": "smtp-550", "attempts": 1}
    return queued(user(name), "email", **{**fields, **more})


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ({"state__exact": "failed"}, True),
        ({"state__exact": "sent"}, False),
        ({"channel": "email"}, True),
        ({"channel": "sms"}, False),
        ({"kind": "mention"}, True),
        ({"kind": "assigned"}, False),
        ({"error_code": "smtp-550"}, True),
        ({"q": "ann@sales"}, True),
        ({"q": "nobody"}, False),
    ],
)
def test_messages_are_found_by_state_channel_kind_and_error(boss, query, seen):
    failed()
    page = boss.get(reverse(MESSAGES), query).content.decode()
    assert ("No such address." in page) == seen


def send_again(client: Client, *rows: Notification) -> str:
    data = {"action": "send_again", "_selected_action": [row.pk for row in rows]}
    return client.post(reverse(MESSAGES), data, follow=True).content.decode()


def test_what_failed_is_sent_again_under_its_old_token_and_nothing_else_is(boss, mailoutbox):
    dead, sent = failed(), queued(user("ben"), "email", state="sent", sent_at=NOW)
    page = send_again(boss, dead, sent)
    assert "1 message will be sent again" in page
    deliver("email")
    assert [mail.to for mail in mailoutbox] == [["ann@sales.example"]]
    assert mailoutbox[0].extra_headers["Message-ID"].startswith(f"<{dead.token}@")


def test_sent_again_it_has_all_its_attempts_again(boss):
    row = failed(attempts=3)
    send_again(boss, row)
    ContactAddress.objects.create(user=user("ann"), channel="recorder", address="ann", verified_at=NOW)
    Notification.objects.update(channel="recorder")
    recorder = Recorder()
    recorder.answers = [passing()]
    with channels(recorder):
        deliver("recorder")
    row.refresh_from_db()
    assert (row.state, claiming.tries(row)) == ("retry", 1)


def test_who_may_only_look_cannot_send_again():
    staff = User.objects.create_user("staff", password="secret", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_notification"))
    client = Client()
    client.force_login(staff)
    row = failed()
    assert "send_again" not in client.get(reverse(MESSAGES)).content.decode()
    send_again(client, row)
    row.refresh_from_db()
    assert row.state == "failed"


@pytest.mark.parametrize("page", ["add", "delete", "change"])
def test_messages_are_only_read(boss, page):
    args = () if page == "add" else (failed().pk,)
    answer = boss.post(reverse(f"admin:notifications_notification_{page}", args=args), {"state": "sent"})
    assert answer.status_code == 403


def test_every_channel_is_listed_with_what_it_lacks_and_what_left_today(boss):
    failed()
    page = boss.get(reverse(CHANNELS)).content.decode()
    assert "TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are not set." in page
    assert "VAPID_PRIVATE_KEY is not set." in page
    assert "All channels at once" in page
    assert "No such address." in page


def test_the_emergency_stop_notes_who_pulled_it(boss):
    boss.get(reverse(CHANNELS))
    url = reverse("admin:notifications_channelswitch_change", args=["email"])
    boss.post(url, {"stopped": "on", "reason": "Wrong text", "per_minute": ""})
    switch = ChannelSwitch.objects.get(channel="email")
    assert (switch.stopped, switch.reason, switch.changed_by.username) == (True, "Wrong text", "boss")
    assert "Wrong text" in boss.get(reverse(CHANNELS)).content.decode()


def test_under_the_stop_of_all_each_channel_says_so_but_the_bell_goes_on(boss):
    ChannelSwitch.objects.create(channel="all", stopped=True, reason="Wrong text")
    page = boss.get(reverse(CHANNELS)).content.decode()
    outside = len([key for key in REGISTRY if key != "in_app"])
    assert page.count("Stopped with all") == outside + 1  # and calls
    waiting, bell = queued(user("ann"), "email"), queued(user("ann"), "in_app")
    deliver("email")
    deliver("in_app")
    waiting.refresh_from_db()
    bell.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("queued", "Emergency stop: Wrong text")
    assert bell.state == "delivered"


def test_calls_are_stopped_beside_the_channels(boss):
    boss.get(reverse(CHANNELS))
    boss.post(reverse("admin:notifications_channelswitch_change", args=["phone"]), {"stopped": "on", "reason": "Wrong"})
    assert switches.stop_of("phone") == "Emergency stop: Wrong"


def test_a_channel_is_tried_with_an_address(boss, mailoutbox):
    boss.get(reverse(CHANNELS))
    url = reverse("admin:notifications_channelswitch_try_it", args=["email"])
    assert "boss@sales.example" in boss.get(url).content.decode()
    page = boss.post(url, {"address": "ops@sales.example"}, follow=True).content.decode()
    assert "The test went out to ops@sales.example." in page
    assert [mail.to for mail in mailoutbox] == [["ops@sales.example"]]


@pytest.mark.parametrize(
    ("channel", "address", "why"),
    [
        ("sms", "+4930123456", "TWILIO_ACCOUNT_SID"),
        ("webhook", "https://10.0.0.1/", "private network"),
        ("apprise", "json://127.0.0.1", "cannot be used"),
        ("sms", "rubbish 123", "Write it as +49 30 123456"),
        ("whatsapp", "rubbish 123", "Write it as +49 30 123456"),
        ("email", "ada@acme.example", "The receiver said STOP."),
        ("email", "nobody", "valid email address"),
    ],
)
def test_a_test_that_fails_says_why(boss, channel, address, why):
    Stop.objects.create(channel="email", address="ada@acme.example")
    boss.get(reverse(CHANNELS))
    url = reverse("admin:notifications_channelswitch_try_it", args=[channel])
    assert why in boss.post(url, {"address": address}, follow=True).content.decode()


def test_a_stopped_channel_sends_no_test_either(boss, mailoutbox):
    ChannelSwitch.objects.create(channel="all", stopped=True, reason="Wrong text")
    boss.get(reverse(CHANNELS))
    url = reverse("admin:notifications_channelswitch_try_it", args=["email"])
    assert "Wrong text" in boss.post(url, {"address": "ops@sales.example"}, follow=True).content.decode()
    assert mailoutbox == []
