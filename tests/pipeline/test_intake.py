"""From what a source sends to the values of a lead."""

from decimal import Decimal

import pytest

from pipeline.intake import (
    READERS,
    blank_of,
    in_base_currency,
    missing_fields,
    read_fields,
)
from pipeline.models import ExchangeRate, Lead, LeadSource

SOURCE = LeadSource(name="Web", slug="web", default_country="DE", required_fields=["email", "company"])


def values(**fields):
    read, errors = read_fields(fields, SOURCE)
    assert errors == []
    return read


def faults(**fields):
    return {error.field: (error.code, error.detail) for error in read_fields(fields, SOURCE)[1]}


def test_a_spreadsheets_texts_and_numbers_are_read_alike():
    typed = values(postal_code=80331, country="DE", employees=50, value=Decimal("1234.50"), score=7, tags=["a", "b"])
    written = values(postal_code="80331", country="DE", employees=" 50 ", value="1.234,50", score="7.0", tags="a; b,a,")
    assert typed == written


def test_the_country_is_inferred_from_the_region_and_from_the_phone_number():
    assert values(region="US-CA")["country"] == "US"
    assert values(phone="+33 1 42 68 53 00")["country"] == "FR"
    assert values(phone="030 901820")["country"] == "DE"  # read as a number of the source's country
    assert values(country="Austria", phone="+49 30 901820")["country"] == "AT"  # what is said goes before


def test_region_and_time_zone_are_inferred_from_the_postal_code():
    assert values(country="US", postal_code="94105") | {} == {
        "country": "US",
        "postal_code": "94105",
        "region": "US-CA",
        "time_zone": "America/Los_Angeles",
    }
    assert values(country="US", postal_code="94105", region="NY", time_zone="UTC")["time_zone"] == "UTC"


def test_a_value_has_a_currency_from_itself_the_field_the_source_or_the_installation(settings):
    settings.BASE_CURRENCY = "EUR"
    assert values(value="5 USD")["currency"] == "USD"
    assert values(value="5", currency="gbp")["currency"] == "GBP"
    assert values(value="5")["currency"] == "EUR"
    swiss = LeadSource(default_currency="CHF")
    assert read_fields({"value": "5"}, swiss)[0]["currency"] == "CHF"
    assert "value" in faults(value="5 USD", currency="EUR")


@pytest.mark.parametrize("written", ["de", "DE-at", "German", "Deutsch", "deu"])
def test_a_language_is_read_by_code_or_name(written):
    assert values(language=written)["language"] == "de"


def test_a_value_is_read_with_its_currency():
    assert values(value="12,500", currency="EUR")["value"] == 12500
    assert faults(value="12,500", currency="KWD")["value"][0] == "invalid"


def test_blank_means_not_sent():
    assert values(email=" ", phone=None, tags=[], company="\u200b") == {"time_zone": ""}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("company", "x" * 201, "too_long"), ("message", "x" * 20_001, "too_long"), ("email", "x" * 5_000, "too_long"),
        ("company", True, "wrong_type"), ("company", ["x"], "wrong_type"), ("employees", True, "wrong_type"),
        ("employees", -1, "invalid"), ("employees", 1.5, "invalid"), ("employees", 2**31, "invalid"),
        ("employees", "many", "invalid"), ("employees", float("nan"), "invalid"), ("employees", "1e400", "invalid"),
        ("value", -1, "invalid"), ("value", 10**12, "invalid"), ("value", "1,234", "invalid"),
        ("score", 101, "invalid"),
        ("country", "Atlantis", "invalid"), ("region", "Atlantis", "invalid"), ("language", "klingon", "invalid"),
        ("language", "xx", "invalid"), ("time_zone", "Mars/Olympus", "invalid"), ("time_zone", "../etc", "invalid"),
        ("website", "javascript:alert(1)", "invalid"), ("currency", "$", "invalid"), ("tags", [1], "wrong_type"),
        ("tags", ["x"] * 51, "too_long"), ("tags", ["x" * 101], "too_long"), ("owner", "me", "unknown"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_with_its_kind_and_what_would_be_right(name, value, code):
    found, detail = faults(**{name: value})[name]
    assert found == code
    assert detail.endswith(".")


def test_every_fault_of_an_input_is_told_at_once():
    assert set(faults(email="x", phone="y", score="z", what="?")) == {"email", "phone", "score", "what"}


def test_every_reader_has_a_lead_field_of_its_name_and_a_blank_that_fits_it():
    for name in READERS:
        Lead._meta.get_field(name).clean(blank_of(name), Lead())


def test_text_is_made_safe_before_it_is_stored():
    read = values(first_name=" A\x01da\u202e ", message="a\r\nb\x07\n\n\n\nc")
    assert (read["first_name"], read["message"]) == ("Ada", "a\nb\n\nc")


@pytest.mark.parametrize("value", ["\x00", "12\x00", "\ud800", " \x00 "])
@pytest.mark.parametrize("name", [name for name in READERS if name not in ("tags", "employees", "score", "priority")])
def test_what_no_database_keeps_is_refused_and_never_taken_for_blank(name, value):
    found, detail = faults(**{name: value})[name]
    assert found == "invalid"
    assert detail.startswith("Contains a character that cannot be stored: ")


def test_a_tag_that_no_database_keeps_is_refused():
    assert faults(tags=["good", "ba\x00d"])["tags"] == ("invalid", "Contains a character that cannot be stored: NUL.")


def test_what_a_source_must_send_may_be_an_attribute():
    source = LeadSource(required_fields=["email", "attributes.budget"])
    asked = [error.field for error in missing_fields({"email": "a@b.com"}, {}, source)]
    assert asked == ["attributes.budget"]
    assert missing_fields({"email": "a@b.com"}, {"budget": 0}, source) == []


@pytest.mark.django_db
def test_a_value_is_worth_what_the_rate_says_and_nothing_without_one(settings):
    settings.BASE_CURRENCY = "EUR"
    ExchangeRate.objects.create(currency="USD", rate="0.9")
    assert in_base_currency({"value": Decimal(10), "currency": "USD"}) == Decimal("9.00")
    assert in_base_currency({"value": Decimal(10), "currency": "EUR"}) == Decimal(10)
    assert in_base_currency({"value": Decimal(10), "currency": "GBP"}) is None
    assert in_base_currency({}) is None
