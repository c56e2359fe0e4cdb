"""Rubbish in every field: a clear 4xx or a clean lead, and nothing stored half."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.api.inputs import CONSENT_PARTS, FIELDS, PARTS
from pipeline.models import Consent, Event, Lead
from tests.pipeline.api.partner import Partner, faults

pytestmark = pytest.mark.django_db

NAMES = (*FIELDS, *PARTS)
RUBBISH = [
    True, 0, -1, 1.5, 1e308, 10**400, "", " ", "\x00", "a\x00b", "\ud800", "\udfff\ud800", "\u202e\u200b",
    "x" * 1_000_000, "é" * 250, "-1", "NaN", "1e9", "０", "' OR 1=1 --", "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "${jndi:ldap://x}", "../../etc/passwd", "\r\nX: y", [], [[]], [None], ["\x00"], [1], ["x"] * 10_000, {}, {"": ""},
    {"\x00": "\x00"},
    {"\ud800": "\ud800"}, {"a": {"b": {"c": []}}}, [{}], [{"channel": []}], [{"channel": "email", "granted": 1}],
    [{"channel": "email", "granted": True, "at": "0001-01-01T00:00:00+14:00"}],
    [{"channel": "email", "granted": True, "at": "9999-12-31T23:59:59-14:00"}],
    [{"channel": "email", "granted": True, "wording": "\ud800\x00"}],
]  # fmt: skip


def check(partner, body):
    """The request is refused in the shape of errors, or made one whole lead of storable text."""
    before = Lead.objects.count(), Event.objects.count(), Consent.objects.count()
    answer = partner.post(json.dumps(body))
    assert answer.status_code in (200, 201, 400), answer.content[:300]
    if answer.status_code == 400:
        assert faults(answer)
        assert len(answer.content) < 50_000
        assert (Lead.objects.count(), Event.objects.count(), Consent.objects.count()) == before
    elif answer.status_code == 201:
        assert (Lead.objects.count(), Event.objects.count()) == (before[0] + 1, before[1] + 1)
        assert_clean(Lead.objects.get(uid=answer.json()["id"]))


def assert_clean(lead):
    texts = [value for value in vars(lead).values() if isinstance(value, str)]
    for text in (*texts, *lead.tags, *(consent.wording for consent in lead.consents.all())):
        assert not any(unicodedata.category(char) == "Cc" and char != "\n" for char in text)
        text.encode()
    lead.full_clean(exclude=("stage", "source"), validate_unique=False)


@pytest.mark.parametrize("name", NAMES)
def test_rubbish_in_a_field_is_refused_or_made_harmless(name):
    partner = Partner(requests_per_minute=100_000)
    partner.source.attributes.create(key="a", label="A", type="text")
    for value in RUBBISH:
        check(partner, {name: value})


@pytest.mark.parametrize("name", CONSENT_PARTS)
def test_rubbish_in_a_consent_is_refused_or_made_harmless(name):
    partner = Partner(requests_per_minute=100_000)
    for value in RUBBISH:
        check(partner, {"consents": [{"channel": "email", "granted": True, name: value}]})


@pytest.mark.parametrize("kind", ["text", "number", "boolean", "date", "choice"])
def test_rubbish_in_an_attribute_is_refused_or_made_harmless(kind):
    partner = Partner(requests_per_minute=100_000)
    partner.source.attributes.create(key="a", label="A", type=kind, choices=["x"])
    for value in RUBBISH:
        check(partner, {"attributes": {"a": value}})


TEXTS = [name for name in (*FIELDS, "external_id") if name not in ("employees", "score", "value")]


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize(("rubbish", "named"), [("a\x00b", "NUL"), ("a\ud800", "U+D800")])
def test_what_cannot_be_stored_is_refused_with_its_field_and_its_name(name, rubbish, named):
    answer = Partner().post({"message": "Hello", "company": rubbish, name: [rubbish] if name == "tags" else rubbish})
    assert answer.status_code == 400
    errors = {error["field"]: error["detail"] for error in answer.json()["errors"]}
    assert errors.keys() == {name, "company"}
    assert errors[name].startswith("Contains a character that cannot be stored: ")
    assert named in errors[name]
    assert not Lead.objects.exists()


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(suppress_health_check=list(HealthCheck), max_examples=150)
@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=12), anything, max_size=6))
def test_any_json_is_refused_or_made_one_whole_lead(body):
    partner = Partner(requests_per_minute=100_000)
    check(partner, body)


@settings(suppress_health_check=list(HealthCheck), max_examples=100)
@given(st.binary(max_size=60))
def test_any_bytes_are_answered(raw):
    answer = Partner(requests_per_minute=100_000).post(raw)
    assert answer.status_code in (201, 400)


@pytest.mark.data
def test_naughty_strings_in_every_field(data_dir: Path):
    partner = Partner(requests_per_minute=1_000_000)
    strings = json.loads((data_dir / "hard_inputs" / "blns.json").read_text())
    assert len(strings) > 500
    for text in strings:
        check(partner, dict.fromkeys(("first_name", "company", "message", "external_id", "utm_term"), text))
        for name in ("email", "phone", "website", "country", "time_zone", "attributes", "value"):
            check(partner, {name: text})
