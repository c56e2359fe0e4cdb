"""Only Twilio reaches the webhooks."""

import logging

import pytest
from django.test import Client
from django.urls import reverse
from twilio.request_validator import RequestValidator

from notifications.models import InboundMessage
from notifications.urls import urlpatterns
from tests.notifications.twilio_calls import OURS, TOKEN, call, signature, use_twilio

PATH = "/hooks/twilio/message/"
VALUES = {"MessageSid": "SM1", "From": "+15005550006", "To": OURS, "Body": "Hello"}


@pytest.fixture(autouse=True)
def _twilio(settings, db):
    use_twilio(settings)


def post(path=PATH, values=None, signed=None, **more):
    headers = {} if signed is None else {"X-Twilio-Signature": signed}
    return Client(enforce_csrf_checks=True).post(path, VALUES if values is None else values, headers=headers, **more)


def test_a_signed_call_is_let_in_behind_a_proxy_that_ends_tls():
    assert call(PATH, **VALUES).status_code == 200


@pytest.mark.parametrize(
    "signed",
    [None, "", "nonsense", "ÄÖ", "A" * 10_000],
)
def test_a_missing_or_wrong_signature_is_403_and_nothing_is_kept(signed):
    assert post(signed=signed).status_code == 403
    assert not InboundMessage.objects.exists()


@pytest.mark.parametrize(
    "changed",
    [
        {**VALUES, "Body": "Hallo"},
        {**VALUES, "Extra": "1"},
        {name: value for name, value in VALUES.items() if name != "To"},
    ],
)
def test_a_changed_body_is_403(changed):
    assert post(values=changed, signed=signature(PATH, VALUES)).status_code == 403


def test_a_signature_of_another_account_is_403():
    assert post(signed=signature(PATH, VALUES, token="another")).status_code == 403


def test_a_signature_of_another_address_is_403():
    assert post(signed=signature("/hooks/twilio/voice/", VALUES)).status_code == 403
    assert post(path=f"{PATH}?a=1", signed=signature(PATH, VALUES)).status_code == 403


def test_the_query_string_is_part_of_what_is_signed():
    path = f"{PATH}?message=a%20b&x=%C3%A4"
    assert post(path=path, signed=signature(path, VALUES)).status_code == 200


@pytest.mark.parametrize("site", ["https://crm.example.com", "https://crm.example.com:8443", "http://127.0.0.1:8000"])
def test_the_public_address_counts_whatever_the_proxy_says(settings, site):
    settings.SITE_URL = site
    answer = post(signed=signature(PATH, VALUES), HTTP_HOST="testserver", HTTP_X_FORWARDED_PROTO="http")
    assert answer.status_code == 200


def test_twilio_may_sign_with_or_without_the_standard_port():
    signed = RequestValidator(TOKEN).compute_signature(f"https://crm.example.com:443{PATH}", VALUES)
    assert post(signed=signed).status_code == 200


def test_http_is_not_https(settings):
    signed = RequestValidator(TOKEN).compute_signature(f"http://crm.example.com{PATH}", VALUES)
    assert post(signed=signed).status_code == 403


def test_without_a_token_nobody_gets_in(settings):
    signed = signature(PATH, VALUES, token="")
    settings.TWILIO_AUTH_TOKEN = ""
    assert post(signed=signed).status_code == 403


def test_a_refusal_is_logged_without_secrets(caplog):
    caplog.set_level(logging.WARNING)
    post(path=f"{PATH}?message=secret-in-address", signed="wrong-signature")
    assert f"call of {PATH} refused: its signature is wrong" in caplog.text
    for secret in (TOKEN, "wrong-signature", "Hello", "+15005550006", "secret-in-address"):
        assert secret not in caplog.text


SAMPLES = {"uid": "7d444840-9dc0-11d1-b245-5ffdce74fad2", "rep": 1}
HOOKS = [
    reverse(str(entry.name), kwargs={name: SAMPLES[name] for name in entry.pattern.converters})
    for entry in urlpatterns
    if str(entry.pattern).startswith("hooks/")
]


@pytest.mark.parametrize("path", HOOKS)
def test_every_webhook_asks_for_a_signature_and_takes_only_post(path):
    assert post(path=path).status_code == 403
    assert Client().get(path).status_code == 405


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"a=" + b"x" * 3_000_000])
@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"]
)
def test_rubbish_is_refused(body, kind):
    answer = Client().post(PATH, body, content_type=kind, headers={"X-Twilio-Signature": "x"})
    assert answer.status_code in (400, 403)
