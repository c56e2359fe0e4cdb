"""The facts of a lead that just came in are those of the lead that is stored: it is routed without being read again."""

import pytest

from distribution.compiling import live_world
from distribution.engine.facts import plain
from distribution.snapshots import facts_of, read_lead, read_subject
from pipeline.services.leads import create_lead
from tests.distribution.world import make_source, stages, world

pytestmark = pytest.mark.django_db

FIELDS = {
    "first_name": " Zoë ",
    "email": "ZOE@Example.com",
    "phone": "+49 30 1234567",
    "country": "Germany",
    "value": "1200",
    "currency": "EUR",
    "employees": "250",
    "score": 70,
    "tags": ["a", "b"],
    "website": "https://example.com",
    "message": "Naïve\u200b text \U0001f600",
}


@pytest.mark.parametrize(
    "fields", [FIELDS, {"last_name": "Only"}, {"email": "a@b.example", "value": 0.1, "currency": "CHF"}]
)
def test_what_came_in_is_what_is_stored(fields):
    world("Ann")
    source = make_source(pipeline=stages()["open"].pipeline)
    for key, type in (("seats", "number"), ("start", "date"), ("pilot", "boolean"), ("note", "text")):
        source.attributes.create(key=key, label=key, type=type)
    answers = {"seats": "12.50", "start": "2026-11-26", "pilot": True, "note": " x "}
    lead = create_lead(source=source, fields=fields, attributes=answers)
    assert lead.is_as_stored
    came, stored = (facts_of(read_subject(one), live_world().attributes) for one in (lead, read_lead(lead.pk)))
    assert {key: (value, plain(value)) for key, value in came.values.items()} == {
        key: (value, plain(value)) for key, value in stored.values.items()
    }
