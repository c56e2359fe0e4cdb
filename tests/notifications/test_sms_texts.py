"""What the default texts cost as text messages, for leads as they come."""

from datetime import timedelta

import pytest

from notifications.content import content_of
from notifications.defaults import LANGUAGES
from notifications.models import Notification
from notifications.smslength import GSM, plain_signs, sms_length, without_accents
from pipeline.models import Event
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead, make_source, world
from tests.notifications.messages import NOW

pytestmark = pytest.mark.django_db

PEOPLE = {
    "en": {"first_name": "Charlotte", "last_name": "Beaumont", "job_title": "Head of Procurement", "city": "Leeds"},
    "de": {"first_name": "Jürgen", "last_name": "Großmann", "job_title": "Leiter Einkauf", "city": "Düsseldorf"},
    "es": {"first_name": "Begoña", "last_name": "Ibarra Peña", "job_title": "Directora de Compras", "city": "Bilbao"},
    "fr": {"first_name": "Thérèse", "last_name": "Lefèvre", "job_title": "Responsable des achats", "city": "Grenoble"},
    "pt": {"first_name": "Henrique", "last_name": "Monteiro", "job_title": "Diretor de Compras", "city": "Porto"},
}
# Links carry the number of a row, which is longer after a year.
LONGER_NUMBER = 6
COMPANY, PRODUCT = "Hydraulics & Pumps International", "Predictive maintenance"


def told(kind: str, language: str, **data: object) -> str:
    """The text message about a lead with all that a form asks for, decided by a rule of a pool."""
    from distribution import services

    rep = make_rep("Sam Rivera")
    world(rep)
    lead = make_lead(
        **PEOPLE[language],
        company=COMPANY,
        product=PRODUCT,
        phone="+4921112345678",
        score=82,
        source=make_source("form", name="Contact form"),
        created_at=NOW,
    )
    services.assign_lead(lead.pk, now=NOW)
    lead.refresh_from_db()
    lead.respond_by = NOW + timedelta(minutes=12)
    lead.save(update_fields=["respond_by"])
    event = Event.objects.create(lead=lead, kind="lead.assigned", at=NOW, data=data)
    row = Notification(kind=kind, user=rep.user, channel="sms", lead=lead, event=event, language=language)
    return content_of(row, NOW).text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_lead_takes_two_text_messages_in_the_cheap_alphabet(language):
    text = told("assigned", language)
    length = sms_length(text)
    assert (length.alphabet, length.segments) == (GSM, 2), f"{length}\n{text}"
    assert length.units + LONGER_NUMBER <= 306, f"{length}\n{text}"
    for part in (PEOPLE[language]["last_name"], "+4921112345678", PRODUCT, "82", "12 min", "Sales", "/act/"):
        assert part in text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["reminder", "warning", "broken", "lent", "woken"])
def test_a_reminder_takes_no_more_than_two(kind, language):
    text = told(kind, language, notes=["Ask about the spring budget."])
    length = sms_length(text)
    assert (length.alphabet, length.segments <= 2) == (GSM, True), f"{length}\n{text}"


def test_a_lead_that_asked_for_no_product_is_told_with_what_it_wrote():
    rep = make_rep("Sam Rivera")
    lead = make_lead(last_name="Gomez", message="Could you call me today?", owner=rep.user, routing_state="assigned")
    row = Notification(kind="assigned", user=rep.user, channel="sms", lead=lead, language="en")
    assert "Could you call me today?" in content_of(row, NOW).text


def test_a_name_loses_its_accents_only_where_that_makes_the_whole_text_cheap():
    assert without_accents("João Conceição, à 5 €") == "Joao Conceicao, à 5 €"
    assert without_accents("João Łukasz") == "João Łukasz"
    assert without_accents("João и Иван") == "João и Иван"


def test_a_lead_is_written_to_with_its_accents():
    owner = make_rep("Ann").user
    lead = make_lead(first_name="João", language="pt", phone="+351210000000", owner=owner, routing_state="assigned")
    row = Notification(kind="first_response", channel="sms", lead=lead, language="pt")
    assert content_of(row, NOW).text.startswith("Olá, João")


def test_signs_that_only_look_better_do_not_make_a_text_dear():
    text = plain_signs("“Hi” – it’s « fine »… 5\u202f€")
    assert (text, sms_length(text).alphabet) == ('"Hi" - it\'s " fine "... 5 €', GSM)
    assert plain_signs("ç ã Łódź") == "ç ã Łódź"
