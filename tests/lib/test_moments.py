"""Moments as people read them: in their own zone, also those inside stored sentences."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from distribution.engine.moments import utc_text
from leadcrm.lib.moments import in_readers_zone, moment_text
from pipeline.models import Event
from pipeline.timeline import build_timeline
from tests.distribution.world import make_lead

NOON = datetime(2026, 11, 26, 12, 4, tzinfo=UTC)


def test_a_stored_sentence_speaks_the_zone_of_its_reader():
    with timezone.override("Europe/Berlin"):
        told = in_readers_zone(f"To accept by {utc_text(NOON)}, with Ann.")
        assert (
            told == f"To accept by {moment_text(NOON)}, with Ann." == "To accept by 26 Nov 2026, 13:04 CET, with Ann."
        )


@pytest.mark.parametrize("words", ["", "Ann called.", "on 2026-13-45 12:04 UTC", "0001-01-01 00:00 UTC", "12:04 UTC"])
def test_what_is_no_moment_stays_as_it_is(words):
    with timezone.override("America/New_York"):
        assert in_readers_zone(words) == words


@pytest.mark.django_db
def test_a_timeline_has_one_clock():
    lead = make_lead(created_at=NOON)
    Event.objects.create(lead=lead, kind=Event.Kind.REMINDED, at=NOON, data={"sentence": f"Due by {utc_text(NOON)}."})
    with timezone.override("Europe/Berlin"):
        assert "Due by 26 Nov 2026, 13:04 CET." in [line.detail for line in build_timeline(lead, NOON).lines]
