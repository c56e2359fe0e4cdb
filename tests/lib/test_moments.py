"""Moments as people read them: in their own zone, also those inside stored sentences."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from django.utils.formats import date_format

from distribution.engine.moments import utc_text
from leadcrm.lib.moments import in_readers_zone, moment_text, short_moment
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


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Sao_Paulo"])
def test_moments_look_as_djangos_own_formats_say(zone, month):
    at = datetime(2026, month, 3, 9, 5, tzinfo=UTC)
    with timezone.override(zone):
        local = timezone.localtime(at)
        assert moment_text(at) == date_format(local, "DATETIME_FORMAT")
        assert short_moment(at, at) == date_format(local, "H:i")
        assert short_moment(at, datetime(2026, 2, 27, tzinfo=UTC)) == date_format(local, "j M, H:i")
        assert short_moment(at, datetime(2025, 5, 9, tzinfo=UTC)) == date_format(local, "j M Y, H:i")


@pytest.mark.parametrize("words", ["", "Ann called.", "on 2026-13-45 12:04 UTC", "0001-01-01 00:00 UTC", "12:04 UTC"])
def test_what_is_no_moment_stays_as_it_is(words):
    with timezone.override("America/New_York"):
        assert in_readers_zone(words) == words


@pytest.mark.django_db
def test_a_timeline_has_one_clock():
    lead = make_lead(created_at=NOON)
    Event.objects.create(lead=lead, kind=Event.Kind.REMINDED, at=NOON, data={"sentence": f"Due by {utc_text(NOON)}."})
    with timezone.override("Europe/Berlin"):
        assert "Due by 26 Nov 2026, 13:04 CET." in [
            line.detail for line in build_timeline(lead, AnonymousUser(), NOON).lines
        ]
