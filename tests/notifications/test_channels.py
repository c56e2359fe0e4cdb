"""Each channel against a server that answers as the real one does."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import UUID

import pytest
from apprise.plugins.slack import NotifySlack
from django.core.management import call_command
from py_vapid import Vapid02

from notifications.channels import CHANNELS, Message, SendError
from notifications.channels.push import application_server_key
from notifications.channels.webhook import secret_of
from notifications.twilioclient import is_passing
from tests.support.peers import Answer, Browser, HttpPeer, PushPeer, SlackPeer, SmtpPeer, TwilioPeer, running

TOKEN = UUID("11111111-2222-4333-8444-555555555555")
AT = datetime.now(UTC) - timedelta(seconds=30)


def message(to: str, **more: object) -> Message:
    fields = {"subject": "New lead: Novak", "text": "Ada Novak, Pumps", "token": TOKEN, "kind": "assigned", "at": AT}
    return Message(**{**fields, "to": to, **more})


def error_of(channel: str, sent: Message) -> SendError:
    with pytest.raises(SendError) as caught:
        CHANNELS[channel].send(sent)
    return caught.value


# --- E-mail ---


@pytest.fixture
def smtp(settings) -> Iterator[SmtpPeer]:
    with running(SmtpPeer()) as peer:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", peer.port, 5
        yield peer


def test_mail_carries_text_html_name_and_thread(smtp):
    CHANNELS["email"].send(message("ann@sales.example", html="<p>Ada Novak</p>", thread="abc"))
    mail = smtp.mails[0]
    assert mail["Message-ID"] == f"<{TOKEN}@crm.example.com>"
    assert mail["References"] == mail["In-Reply-To"] == "<lead.abc@crm.example.com>"
    assert mail.get_body(("plain",)).get_content().strip() == "Ada Novak, Pumps"
    assert "<p>Ada Novak</p>" in mail.get_body(("html",)).get_content()
    assert mail["List-Unsubscribe"] is None


def test_mail_says_how_to_leave_where_due(smtp):
    CHANNELS["email"].send(message("ann@sales.example", unsubscribe_url="https://crm.example.com/leave/1"))
    assert smtp.mails[0]["List-Unsubscribe"] == "<https://crm.example.com/leave/1>"
    assert smtp.mails[0]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_subject_on_two_lines_adds_no_header(smtp):
    CHANNELS["email"].send(message("ann@sales.example", subject="New lead\r\nBcc: eve@evil.example"))
    assert smtp.mails[0]["Bcc"] is None


@pytest.mark.parametrize(
    ("answer", "code", "permanent"),
    [("550 no such user", "smtp-550", True), ("451 come back later", "smtp-451", False)],
)
def test_what_the_mail_server_says_of_a_receiver_decides(smtp, answer, code, permanent):
    smtp.refusals["ann@sales.example"] = answer
    error = error_of("email", message("ann@sales.example"))
    assert (error.code, error.permanent, error.unsure) == (code, permanent, False)


def test_a_mail_server_that_hangs_up_may_have_taken_the_message(smtp):
    smtp.breaks_off = True
    error = error_of("email", message("ann@sales.example"))
    assert (error.permanent, error.unsure) == (False, True)
    assert len(smtp.mails) == 1


def test_a_mail_server_that_is_down_is_tried_again(smtp, settings):
    settings.EMAIL_PORT = 1
    assert not error_of("email", message("ann@sales.example")).permanent


# --- Twilio ---


@pytest.fixture
def twilio(settings) -> Iterator[TwilioPeer]:
    with running(TwilioPeer()) as peer:
        settings.TWILIO_API_BASE = peer.url
        settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN = peer.sid, peer.token
        settings.TWILIO_FROM = settings.TWILIO_WHATSAPP_FROM = "+15005550006"
        yield peer


def test_a_text_message_goes_with_a_way_back_for_its_status(twilio):
    receipt = CHANNELS["sms"].send(message("+4930123456"))
    form = twilio.seen[0].form
    assert (form["To"], form["From"], form["Body"]) == ("+4930123456", "+15005550006", "Ada Novak, Pumps")
    assert form["StatusCallback"] == f"https://crm.example.com/hooks/twilio/status/?message={TOKEN}"
    assert receipt.provider_id == twilio.messages[0]["sid"]


def test_a_messaging_service_chooses_the_number(twilio, settings):
    settings.TWILIO_MESSAGING_SERVICE_SID = "MG1"
    CHANNELS["sms"].send(message("+4930123456"))
    assert twilio.seen[0].form["MessagingServiceSid"] == "MG1"
    assert "From" not in twilio.seen[0].form


def test_whatsapp_takes_a_template_with_its_values(twilio):
    CHANNELS["whatsapp"].send(message("+4930123456", content_sid="HX1", content_variables={"1": "Ada"}))
    form = twilio.seen[0].form
    assert (form["To"], form["From"]) == ("whatsapp:+4930123456", "whatsapp:+15005550006")
    assert (form["ContentSid"], json.loads(form["ContentVariables"])) == ("HX1", {"1": "Ada"})
    assert "Body" not in form


@pytest.mark.parametrize(
    ("number", "code", "permanent"),
    [
        ("+15005550001", "21211", True),
        ("+15005550004", "21610", True),
        ("+15005550029", "20429", False),
        ("+15005550050", "20503", False),
    ],
)
def test_twilios_codes_decide_whether_it_is_tried_again(twilio, number, code, permanent):
    error = error_of("sms", message(number))
    assert (error.code, error.permanent) == (code, permanent)


@pytest.mark.parametrize(("code", "passing"), [(30003, True), (30008, True), (30005, False), (30007, False)])
def test_reports_about_a_message_decide_the_same_way(code, passing):
    assert is_passing(code) == passing


def test_wrong_credentials_are_named_and_no_secret_is(twilio, settings):
    settings.TWILIO_AUTH_TOKEN = "a-wrong-token"
    error = error_of("sms", message("+4930123456"))
    assert error.permanent
    assert "TWILIO_AUTH_TOKEN" in error.text
    assert "a-wrong-token" not in error.text


@pytest.mark.parametrize("answer", [Answer(201, b"{", broken=True), Answer(500, b"<html>")])
def test_an_answer_that_breaks_off_may_hide_a_message_that_went(twilio, answer):
    twilio.answers = [answer]
    error = error_of("sms", message("+4930123456"))
    assert (error.permanent, error.unsure) == (False, True)


def test_after_a_crash_twilios_list_is_asked_before_it_is_sent_again(twilio):
    first = CHANNELS["sms"].send(message("+4930123456"))
    again = CHANNELS["sms"].send(message("+4930123456", again=True))
    assert again.provider_id == first.provider_id
    assert len(twilio.messages) == 1


def test_another_message_to_the_same_number_is_not_taken_for_it(twilio):
    CHANNELS["sms"].send(message("+4930123456", text="Something else"))
    twilio.messages[0]["date_created"] = format_datetime(AT + timedelta(seconds=5))
    CHANNELS["sms"].send(message("+4930123456", again=True))
    assert len(twilio.messages) == 2


def test_what_twilio_could_not_deliver_is_sent_again(twilio):
    CHANNELS["sms"].send(message("+4930123456"))
    twilio.messages[0]["status"] = "failed"
    CHANNELS["sms"].send(message("+4930123456", again=True))
    assert len(twilio.messages) == 2


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("sms", "TWILIO_ACCOUNT_SID"),
        ("sms", "TWILIO_FROM"),
        ("whatsapp", "TWILIO_WHATSAPP_FROM"),
        ("push", "VAPID_PRIVATE_KEY"),
    ],
)
def test_a_channel_names_the_setting_that_it_lacks(twilio, settings, channel, name):
    setattr(settings, name, "")
    assert name in CHANNELS[channel].unavailable()


# --- Webhook ---


@pytest.fixture
def receiver(settings) -> Iterator[HttpPeer]:
    settings.OUTGOING_LOCAL_HOSTS = ["127.0.0.1"]
    with running(HttpPeer()) as peer:
        yield peer


def test_a_webhook_is_signed_as_the_standard_says(receiver):
    url = f"{receiver.url}/hook"
    secret = secret_of(url, "salt")
    CHANNELS["webhook"].send(message(url, data={"lead": "abc"}, secret=secret))
    seen = receiver.seen[0]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{TOKEN}.{seen.headers['webhook-timestamp']}.".encode() + seen.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert seen.headers["webhook-id"] == str(TOKEN)
    assert seen.headers["webhook-signature"] == f"v1,{expected}"
    assert json.loads(seen.body)["type"] == "assigned"
    assert json.loads(seen.body)["data"]["lead"] == "abc"


def test_each_receiver_has_a_secret_of_its_own():
    of = {secret_of(url, salt) for url in ("https://a.example/hook", "https://b.example/hook") for salt in "xy"}
    assert len(of) == 4


def test_what_signs_is_not_shown_where_a_message_is():
    assert "whsec" not in repr(message("https://a.example/hook", secret="whsec_x"))


def test_without_a_secret_nothing_is_signed(receiver):
    CHANNELS["webhook"].send(message(f"{receiver.url}/hook"))
    assert "webhook-signature" not in receiver.seen[0].headers


@pytest.mark.parametrize(
    ("answer", "code", "permanent"),
    [
        (Answer(500), "500", False),
        (Answer(429, headers={"Retry-After": "120"}), "429", False),
        (Answer(410), "410", True),
        (Answer(404), "404", True),
        (Answer(302, headers={"Location": "http://169.254.169.254/latest/"}), "redirect", True),
        (Answer(200, broken=True), "unreachable", False),
    ],
)
def test_what_the_receiver_answers_decides(receiver, answer, code, permanent):
    receiver.answers = [answer]
    error = error_of("webhook", message(f"{receiver.url}/hook"))
    assert (error.code, error.permanent) == (code, permanent)
    assert len(receiver.seen) == 1


def test_a_receiver_that_asks_for_patience_is_heard(receiver):
    receiver.answers = [Answer(429, headers={"Retry-After": "120"})]
    assert error_of("webhook", message(f"{receiver.url}/hook")).retry_after == 120


def test_a_slow_receiver_is_given_up(receiver, monkeypatch):
    from leadcrm.lib import outgoing

    monkeypatch.setattr("notifications.channels.webhook.LIMITS", outgoing.Limits(seconds=0.3))
    receiver.answers = [Answer(after=1.0)]
    error = error_of("webhook", message(f"{receiver.url}/hook"))
    assert (error.code, error.permanent, error.unsure) == ("unreachable", False, True)


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000/", "https://127.0.0.1/", "https://169.254.169.254/", "https://[::1]/", "https://10.0.0.1/"],
)
def test_an_address_of_our_own_network_is_refused(settings, url):
    settings.OUTGOING_LOCAL_HOSTS = []
    error = error_of("webhook", message(url))
    assert (error.code, error.permanent) == ("refused", True)


# --- Slack and others ---


@pytest.fixture
def slack(monkeypatch) -> Iterator[SlackPeer]:
    with running(SlackPeer()) as peer:
        monkeypatch.setattr(NotifySlack, "webhook_url", f"{peer.url}/services")
        yield peer


@pytest.mark.parametrize("form", ["slack://{}", "https://hooks.slack.com/services/{}"])
def test_slack_is_told_by_its_address(slack, form):
    CHANNELS["apprise"].send(message(form.format(slack.token), link="https://crm.example.com/leads/1/"))
    sent = slack.seen[0].body.decode()
    assert "New lead: Novak" in sent
    assert "Ada Novak, Pumps" in sent


def test_what_slack_answers_decides(slack):
    gone = error_of("apprise", message("slack://TAAAAAAAA/BBBBBBBBB/dddddddddddddddddddddddd"))
    assert (gone.code, gone.permanent) == ("404", True)
    slack.answers = [Answer(503, b"busy")]
    assert not error_of("apprise", message(f"slack://{slack.token}")).permanent
    slack.answers = [Answer(429, b"slow down")]
    assert not error_of("apprise", message(f"slack://{slack.token}")).permanent


@pytest.mark.parametrize(
    "address",
    [
        "json://127.0.0.1/",
        "mailto://user:password@10.0.0.1",
        "workflows://10.0.0.1:443/workflow/signature",
        "ntfy://192.168.0.1/topic",
        "file:///etc/passwd",
        "nothing at all",
        "http://[",
        "tgram://[abc",
    ],
)
def test_an_address_that_could_lead_into_our_network_is_refused(address):
    assert error_of("apprise", message(address)).permanent


def test_options_of_an_address_cannot_read_files_or_make_a_worker_wait(slack):
    CHANNELS["apprise"].send(message(f"slack://{slack.token}?template=/etc/passwd&retry=9&wait=60&rto=900&verify=no"))
    assert "root:" not in slack.seen[0].body.decode()
    slack.answers = [Answer(500), Answer(500)]
    assert not error_of("apprise", message(f"slack://{slack.token}?retry=9&wait=60")).permanent
    assert len(slack.seen) == 2


# --- Browser ---


@pytest.fixture
def push(settings, receiver, capsys) -> Iterator[PushPeer]:
    call_command("vapid_key")
    settings.VAPID_PRIVATE_KEY = capsys.readouterr().out.strip().partition("=")[2]
    with running(PushPeer()) as peer:
        yield peer


def test_a_browser_can_read_what_it_is_pushed_and_who_sent_it(push):
    browser = Browser()
    CHANNELS["push"].send(message(json.dumps([browser.subscription(f"{push.url}/one")]), urgent=True))
    seen = push.seen[0]
    assert json.loads(browser.read(seen.body))["title"] == "New lead: Novak"
    assert (seen.headers["urgency"], seen.headers["content-encoding"]) == ("high", "aes128gcm")
    assert len(seen.headers["topic"]) <= 32
    signature, key = seen.headers["authorization"].removeprefix("vapid ").split(",")
    assert key.strip() == f"k={application_server_key()}"
    assert Vapid02.verify(seen.headers["authorization"])
    assert signature.startswith("t=")


def test_a_push_service_refuses_what_another_key_or_for_another_service_was_signed(push, settings, capsys):
    endpoint = f"{push.url}/one"
    push.key = application_server_key()
    CHANNELS["push"].send(message(json.dumps([Browser().subscription(endpoint)])))
    call_command("vapid_key")
    settings.VAPID_PRIVATE_KEY = capsys.readouterr().out.strip().partition("=")[2]
    assert error_of("push", message(json.dumps([Browser().subscription(endpoint)]))).code == "403"
    push.key, push.origin = application_server_key(), "https://push.example"
    assert error_of("push", message(json.dumps([Browser().subscription(endpoint)]))).code == "403"


def test_one_browser_of_several_is_enough_and_those_gone_are_named(push):
    push.gone = {"/old"}
    browsers = [Browser().subscription(f"{push.url}{path}") for path in ("/old", "/new")]
    receipt = CHANNELS["push"].send(message(json.dumps(browsers)))
    assert receipt.gone == (f"{push.url}/old",)


def test_when_every_browser_is_gone_it_has_failed(push):
    push.gone = {"/old"}
    error = error_of("push", message(json.dumps([Browser().subscription(f"{push.url}/old")])))
    assert (error.code, error.permanent) == ("gone", True)


def test_a_push_service_of_our_own_network_is_refused(push, settings):
    settings.OUTGOING_LOCAL_HOSTS = []
    error = error_of("push", message(json.dumps([Browser().subscription("https://10.0.0.1/x")])))
    assert error.permanent


def test_a_key_that_is_none_is_told(settings):
    settings.VAPID_PRIVATE_KEY = "nonsense"
    assert "vapid_key" in CHANNELS["push"].unavailable()
