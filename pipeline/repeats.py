"""What a source sends again about a lead that it has: told apart from what is stored, and never written."""

from collections.abc import Iterator
from typing import Final

from pipeline.attributes import read_attributes
from pipeline.consents import read_consents
from pipeline.intake import ConsentInput, LeadInput, read_fields
from pipeline.models import Consent, Lead, LeadSource

_NOTHING: Final = object()


def ignored_parts(source: LeadSource, sent: LeadInput, lead: Lead) -> list[str]:
    """The paths of what was sent and differs from what the lead has, such as ``email`` or ``consents.0``.

    Blank means not sent. What cannot be read differs. Reads the lead's consents when some were sent.
    """
    return [*_fields(source, sent, lead), *_attributes(source, sent, lead), *_consents(sent, lead)]


def _fields(source: LeadSource, sent: LeadInput, lead: Lead) -> Iterator[str]:
    values, errors = read_fields(sent.fields, source)
    wrong = {error.field for error in errors}
    for name in sent.fields:
        if name in wrong or values.get(name, _NOTHING) not in (_NOTHING, getattr(lead, name)):
            yield name


def _attributes(source: LeadSource, sent: LeadInput, lead: Lead) -> Iterator[str]:
    answers, errors = read_attributes(sent.attributes, source.attributes.all()) if sent.attributes else ({}, [])
    yield from (error.field for error in errors)
    for key, value in answers.items():
        if lead.attributes.get(key, _NOTHING) != value:
            yield f"attributes.{key}"


def _consents(sent: LeadInput, lead: Lead) -> Iterator[str]:
    consents, errors = read_consents(sent.consents)
    if errors:
        yield "consents"
    stored = {_essence(consent) for consent in lead.consents.all()} if consents else set()
    for index, consent in enumerate(consents):
        if _essence(consent) not in stored:
            yield f"consents.{index}"


def _essence(consent: Consent | ConsentInput) -> tuple[str, bool, str, str]:
    """What was agreed to; a repeated request may tell another moment."""
    return consent.channel, consent.granted, consent.wording, consent.origin
