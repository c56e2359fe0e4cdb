"""The description of the API says what the API does."""

import json

import pytest
import yaml
from drf_spectacular.validation import validate_schema

from pipeline.api.inputs import CONSENT_PARTS, FIELDS, PARTS
from pipeline.api.serializers import BulkOut, ConsentIn, LeadIn, LeadOut, SentOut
from pipeline.intake import READERS
from pipeline.models import Lead
from tests.pipeline.api.partner import LEADS, Partner

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema(client):
    return yaml.safe_load(client.get("/api/v1/schema/").content)


def test_the_schema_is_valid_openapi_without_warnings(schema, capsys):
    validate_schema(schema)
    assert "Warning" not in capsys.readouterr().err


def test_the_schema_declares_just_the_fields_that_are_read():
    assert set(LeadIn().fields) == {*FIELDS, *PARTS}
    assert set(FIELDS) == READERS.keys() - {"priority"}
    assert set(ConsentIn().fields) == set(CONSENT_PARTS)


def test_the_schema_declares_just_the_fields_that_are_answered():
    partner = Partner()
    sent = partner.post({"email": "ada@acme.example"}).json()
    assert list(SentOut().fields) == list(sent)
    assert list(LeadOut().fields) == list(partner.get(f"{LEADS}{sent['id']}/").json())
    bulk = partner.bulk({"email": "ben@acme.example"}).json()
    assert list(BulkOut().fields) == list(bulk)
    assert list(BulkOut().fields["results"].child.fields) == list(bulk["results"][0])


def test_a_text_as_long_as_the_schema_allows_is_stored():
    partner = Partner()
    for name in ("first_name", "company", "job_title", "message", "utm_term", "external_id", "city", "product"):
        longest = LeadIn().fields[name].max_length
        assert partner.post({name: "x" * longest}).status_code == 201
        assert partner.post({name: "x" * (longest + 1)}).status_code == 400
        assert Lead.objects.filter(**{name: "x" * longest}).exists()


def test_every_operation_says_who_may_call_it_and_how_it_refuses(schema):
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    assert len(operations) == 4
    for operation in operations:
        assert operation["security"] == [{"key": []}]
        assert operation["summary"]
        for status in ("400", "401", "429"):
            assert list(operation["responses"][status]["content"]) == ["application/problem+json"]


def test_the_pages_need_no_key_and_no_script_in_the_page(client):
    page = client.get("/api/v1/docs/")
    assert page.status_code == 200
    assert b"<style" not in page.content
    assert b"<script>" not in page.content
    script = client.get("/api/v1/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")
    assert "/api/v1/schema/" in script.content.decode()


def test_the_schema_comes_as_json_too(client):
    assert json.loads(client.get("/api/v1/schema/?format=json").content)["info"]["version"] == "1"
