import json
import re
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command

from distribution import services
from distribution.digests import digest
from distribution.models import Decision, DecisionTrace, PoolMember
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead, make_source, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead():
    world("Ann", "Ben", make_rep("Cyd", status="away", away_reason="on leave"))
    lead = make_lead(last_name="Lovelace", external_id="A-1")
    services.assign_lead(lead.pk)
    lead.refresh_from_db()
    return lead


def explain(capsys, *arguments):
    call_command("explain", *map(str, arguments))
    return capsys.readouterr().out


def test_it_prints_the_sentence_the_rules_and_the_candidates(lead, capsys):
    text = explain(capsys, lead.uid)
    assert text.startswith(lead.routing_sentence)
    assert "1. Everything: matched" in text
    assert "rank  name  result" in text
    assert "Ann   Gets it" in text
    assert "Away: on leave" in text
    assert Decision.objects.get().digest in text


@pytest.mark.parametrize("name", ["uid", "pk", "external_id"])
def test_a_lead_is_found_by_its_uid_its_number_or_its_id_at_the_source(lead, capsys, name):
    assert lead.routing_sentence in explain(capsys, getattr(lead, name))


def test_json_is_the_decision_and_trace_as_stored_and_its_digest_can_be_checked(lead, capsys):
    answer = json.loads(explain(capsys, lead.uid, "--json"))
    assert answer["decision"]["sentence"] == lead.routing_sentence
    assert answer["trace"] == DecisionTrace.objects.get().data
    assert answer["digest"] == Decision.objects.get().digest == digest(answer["trace"])


def test_after_pruning_the_sentence_is_still_told(lead, capsys):
    DecisionTrace.objects.all().delete()
    assert "past their time of keeping" in explain(capsys, lead.uid)
    assert json.loads(explain(capsys, lead.uid, "--json"))["trace"] is None


def test_an_earlier_decision_is_told_on_wish(lead, capsys):
    first = Decision.objects.get()
    services.reassign_lead(lead.pk, reason="Ill")
    assert first.sentence in explain(capsys, lead.uid, "--decision", first.pk)
    assert f"{first.pk}" in explain(capsys, lead.uid).partition("ALL DECISIONS")[2]


@pytest.mark.parametrize("name", ["nobody", "", "9" * 30, "00000000-0000-4000-8000-000000000000"])
def test_an_unknown_lead_is_one_clear_line(name):
    with pytest.raises(CommandError, match="There is no lead"):
        call_command("explain", name)


def test_an_id_that_two_sources_gave_asks_which_lead_is_meant(lead):
    other = make_lead(external_id="A-1", source=make_source("ads"))
    with pytest.raises(CommandError, match=str(other.uid)):
        call_command("explain", "A-1")


def test_a_lead_without_a_decision_is_one_clear_line(lead):
    other = make_lead(last_name="New")
    with pytest.raises(CommandError, match="no decision yet about New"):
        call_command("explain", str(other.uid))
    with pytest.raises(CommandError, match="There is no decision 12345 about"):
        call_command("explain", str(lead.uid), "--decision", "12345")


def test_names_cannot_steer_the_terminal(capsys):
    world("Eve\x1b[31m\nroot#\u202e")
    lead = make_lead(last_name="x")
    services.assign_lead(lead.pk)
    text = explain(capsys, lead.pk)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\nroot#" not in text


def test_moments_are_written_in_one_way_with_their_zone(capsys, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    away = {"status": "away", "away_until": datetime(2990, 1, 31, 13, 5, tzinfo=UTC)}
    world(make_rep("Ann", last_assigned_at=datetime(2024, 3, 2, 12, tzinfo=UTC)), make_rep("Cyd", **away))
    PoolMember.objects.update(last_assigned_at=datetime(2024, 3, 2, 12, tzinfo=UTC))
    lead = make_lead(last_name="Lovelace")
    services.assign_lead(lead.pk)
    text = explain(capsys, lead.uid)
    assert text.count("away until 31 Jan 2990, 14:05 CET") == 2  # in the sentence and in the table
    assert "2 Mar 2024, 13:00 CET" in text
    assert not re.search(r"\d{4}-\d\d-\d\d|UTC", text)
