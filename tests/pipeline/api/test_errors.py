"""Every error has one shape, whatever went wrong."""

import json

import pytest
from django.db import OperationalError

from pipeline.api import submission
from pipeline.models import Lead
from tests.pipeline.api.partner import BULK, LEADS, Partner, faults

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"{", "not JSON"),
        (b"", "Send at least one field"),
        (b"null", "Send a JSON object"),
        (b"[]", "Send a JSON object"),
        (b'"x"', "Send a JSON object"),
        (b'{"email": "a@acme.example", "email": "b@acme.example"}', "names a field twice"),
        (b'{"score": NaN}', "NaN is not JSON"),
        (b'{"value": Infinity}', "Infinity is not JSON"),
        (b'{"value": 1e99999999999999999999}', "too large"),
        (b'{"value": ' + b"9" * 5000 + b"}", "cannot be read: a number has too many digits."),
        (b'{"company": "\xff\xfe"}', "not UTF-8"),
        (b'{"company": "\xed\xa0\x80"}', "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"attributes":' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
        (b'{"a": 1} x', "not JSON"),
        (b"\x00", "not JSON"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused_with_the_reason(raw, says):
    answer = Partner().post(raw)
    assert answer.status_code == 400
    faults(answer)
    assert says in answer.content.decode()
    assert not Lead.objects.exists()


def test_a_byte_order_mark_is_forgiven():
    assert Partner().post(b'\xef\xbb\xbf{"email": "ada@acme.example"}').status_code == 201


@pytest.mark.parametrize("path", [LEADS, BULK])
def test_a_body_above_the_limit_is_refused_unread(path, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = Partner().post({"message": "x" * 1000}, path)
    assert (answer.status_code, faults(answer)) == (413, {})


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "x"]
)
def test_a_body_not_announced_as_json_is_refused(content_type):
    answer = Partner().client.post(LEADS, b'{"email": "a@b.com"}', content_type=content_type)
    assert (answer.status_code, faults(answer)) == (415, {})
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options", "trace"])
@pytest.mark.parametrize("path", [LEADS, BULK, f"{LEADS}00000000-0000-4000-8000-000000000000/"])
def test_a_method_that_is_not_served_says_which_are(method, path):
    answer = getattr(Partner().client, method)(path)
    assert (answer.status_code, faults(answer)) == (405, {})
    assert answer["Allow"]


def test_a_client_that_takes_no_json_is_told_so():
    answer = Partner().client.get(LEADS, headers={"Accept": "image/png"})
    assert (answer.status_code, faults(answer)) == (406, {})


@pytest.mark.parametrize(
    "path",
    ["/api/", "/api/v1/", "/api/v2/leads/", "/api/v1/leads", "/api/v1/leads/7/", "/api/v1/leads/x/y/", "/api/%00"],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_address_that_does_not_exist_is_told_in_the_same_shape(client, path, method):
    answer = getattr(client, method)(path)
    assert (answer.status_code, faults(answer)) == (404, {})


@pytest.mark.parametrize("path", ["/api/v1/schema/", "/api/v1/docs/"])
def test_the_pages_about_the_api_refuse_in_the_same_shape(client, path):
    answer = client.post(path)
    assert (answer.status_code, faults(answer)) == (405, {})


def test_a_database_that_is_away_is_told_as_try_again(monkeypatch):
    partner = Partner()
    partner.client.raise_request_exception = False

    def away(*args, **more):
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(submission, "create_lead", away)
    answer = partner.post({"email": "ada@acme.example"})
    assert (answer.status_code, answer["Retry-After"], faults(answer)) == (503, "5", {})
    assert "connection" not in answer.content.decode()


def test_an_error_of_our_own_is_logged_and_told_without_its_text(monkeypatch, caplog):
    partner = Partner()
    partner.client.raise_request_exception = False

    def broken(*args, **more):
        raise KeyError("a secret")

    monkeypatch.setattr(submission, "create_lead", broken)
    answer = partner.post({"email": "ada@acme.example"})
    assert (answer.status_code, faults(answer)) == (500, {})
    assert "secret" not in answer.content.decode()
    assert any(record.exc_info for record in caplog.records)


def test_a_thousand_faults_are_told_as_a_hundred():
    answer = Partner().post(json.dumps({f"field{number}": 1 for number in range(1000)}))
    assert 0 < len(faults(answer)) <= 100
