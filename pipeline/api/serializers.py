"""The shapes of requests and answers, as the schema describes them.

Requests are read by ``inputs`` and answers are made by ``answers``: building DRF's field objects for each request costs
more than routing the lead. Tests compare both with these declarations.
"""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from pipeline.api.answers import answer_of
from pipeline.consents import LONGEST_IP, MOST_CONSENTS
from pipeline.intake import (
    LARGEST_INTEGER,
    LARGEST_VALUE,
    LONGEST_ATTRIBUTE,
    LONGEST_EXTERNAL_ID,
    LONGEST_LINE,
    LONGEST_MESSAGE,
    LONGEST_WORD,
    MOST_TAGS,
)
from pipeline.models import Consent
from pipeline.selectors import STATUSES

MOST_LEADS: Final = 1_000


def _line(help_text: str, longest: int = LONGEST_LINE) -> serializers.CharField:
    return serializers.CharField(
        required=False, allow_null=True, allow_blank=True, max_length=longest, help_text=help_text
    )


@extend_schema_field(
    {
        "oneOf": [
            {"type": "number", "minimum": 0, "maximum": int(LARGEST_VALUE), "exclusiveMaximum": True},
            {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,2})?$"},
        ],
        "nullable": True,
        "description": "What it may be worth, such as 1200 or `1200.50`.",
    }
)
class AmountField(serializers.DecimalField):
    """An amount as a number or, to keep it exact, as a text."""


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {
            "oneOf": [{"type": "string"}, {"type": "number"}, {"type": "boolean"}],
            "nullable": True,
        },
        "nullable": True,
        "description": "Answers to the questions of your source, by key.",
    }
)
class AttributesField(serializers.JSONField):
    """Answers to a source's own questions."""


class ConsentIn(serializers.Serializer[Any]):
    """What the person agreed to or refused."""

    channel = serializers.ChoiceField(choices=Consent.Channel.choices)
    granted = serializers.BooleanField(help_text="false when the person refused.")
    wording = _line("The text that was shown.", LONGEST_MESSAGE)
    at = serializers.DateTimeField(
        required=False, allow_null=True, help_text="When, with its time zone; left out: when the lead came in."
    )
    origin = _line("Page, form or call where it was given.", LONGEST_ATTRIBUTE)
    ip = _line("The IPv4 or IPv6 address it was given from.", LONGEST_IP)


class LeadIn(serializers.Serializer[Any]):
    """A lead to store. All fields may be left out unless your source must send them; `null` and `""` are left out."""

    external_id = _line("Your own id of the lead; unique at your source.", LONGEST_EXTERNAL_ID)
    first_name = _line("First name.", 100)
    last_name = _line("Last name.", 100)
    email = _line("E-mail address, such as `ada@example.com`.")
    phone = _line("Phone number, best with its country code, such as `+49 30 901820`.")
    company = _line("Name of the company.", 200)
    job_title = _line("What the person does there.", 150)
    website = _line("Website, such as `https://example.com`.")
    country = _line("ISO 3166-1 code or name, such as `DE` or `Germany`.")
    region = _line("ISO 3166-2 code or name, such as `DE-BY` or `Bavaria`.")
    postal_code = _line("Postal code, as a text.")
    city = _line("City.", 100)
    language = _line("ISO 639-1 code or name, such as `de` or `German`.")
    time_zone = _line("IANA name, such as `Europe/Berlin`; else inferred from the place.")
    industry = _line("Industry.", 100)
    employees = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=LARGEST_INTEGER)
    currency = _line("ISO 4217 code of the value, such as `EUR`.")
    value = AmountField(required=False, allow_null=True, max_digits=14, decimal_places=2)
    product = _line("Product the person asks for.", 100)
    message = _line("What the person wrote.", LONGEST_MESSAGE)
    score = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=100, help_text="How promising, 0 to 100."
    )
    tags = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_WORD, allow_blank=True),
        required=False,
        allow_null=True,
        max_length=MOST_TAGS,
    )
    utm_source = _line("Campaign source.", 200)
    utm_medium = _line("Campaign medium.", 200)
    utm_campaign = _line("Campaign name.", 200)
    utm_term = _line("Campaign term.", 200)
    utm_content = _line("Campaign content.", 200)
    attributes = AttributesField(required=False, allow_null=True)
    consents = serializers.ListField(child=ConsentIn(), required=False, allow_null=True, max_length=MOST_CONSENTS)


class OwnerOut(serializers.Serializer[Any]):
    """Who has the lead."""

    name = serializers.CharField()


class LeadOut(serializers.Serializer[Any]):
    """Where a lead stands, who has it and why."""

    id = serializers.UUIDField(help_text="Our id of the lead.")
    external_id = serializers.CharField(allow_blank=True, help_text="Your own id of it, if you sent one.")
    status = serializers.ChoiceField(choices=STATUSES)
    pipeline = serializers.CharField(help_text="Short name of the pipeline it is worked in.")
    stage = serializers.CharField(help_text="Short name of its stage there.")
    owner = OwnerOut(allow_null=True, help_text="Who has it.")
    team = serializers.CharField(allow_null=True)
    code = serializers.CharField(allow_blank=True, help_text="Why it is where it is, for programs.")
    summary = serializers.CharField(allow_blank=True, help_text="Why it is where it is, for people.")
    duplicate_of = serializers.UUIDField(
        allow_null=True, help_text="An open lead of the same person that you sent before."
    )
    created_at = serializers.DateTimeField()
    assigned_at = serializers.DateTimeField(allow_null=True)
    respond_by = serializers.DateTimeField(allow_null=True, help_text="Until when the person is to be contacted.")
    accepted_at = serializers.DateTimeField(allow_null=True)
    contacted_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)

    def to_representation(self, instance: dict[str, Any]) -> dict[str, Any]:
        return answer_of(instance)


_IGNORED: Final = (
    "Paths of what you sent again and what differs from what the lead has, such as `email`. The lead was not changed."
)


def _ignored() -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(), help_text=_IGNORED)


class SentOut(LeadOut):
    """The lead that was stored, or the one that had its `external_id` before."""

    existing = serializers.BooleanField(help_text="true when your source had this `external_id` already.")
    ignored = _ignored()


class FieldErrorOut(serializers.Serializer[Any]):
    """One fault of the request."""

    field = serializers.CharField(allow_blank=True, help_text="Path of the field, such as `consents.0.channel`.")
    code = serializers.CharField(help_text="Kind of fault, such as `required` or `invalid`.")
    detail = serializers.CharField(help_text="What would be right.")


class ProblemOut(serializers.Serializer[Any]):
    """An error, as RFC 9457 describes it."""

    type = serializers.CharField(help_text="Kind of error, for programs.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What went wrong, for people.")
    errors = FieldErrorOut(many=True)  # type: ignore[assignment]


class BulkIn(serializers.Serializer[Any]):
    """Up to 1,000 leads."""

    leads = serializers.ListField(child=LeadIn(), min_length=1, max_length=MOST_LEADS)


class BulkResultOut(serializers.Serializer[Any]):
    """What became of one lead of the request."""

    index = serializers.IntegerField(help_text="Its place in the request, from 0.")
    status = serializers.ChoiceField(choices=[201, 200, 400], help_text="201 created, 200 known before, 400 refused.")
    lead = LeadOut(allow_null=True)
    ignored = _ignored()
    errors = FieldErrorOut(many=True)  # type: ignore[assignment]


class BulkOut(serializers.Serializer[Any]):
    """What became of each lead of the request."""

    created = serializers.IntegerField()
    known = serializers.IntegerField(help_text="Leads whose external id was known before.")
    failed = serializers.IntegerField()
    results = BulkResultOut(many=True)
