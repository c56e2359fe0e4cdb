"""Moments look alike everywhere: one style on pages, in the reader's zone, and one in sentences, in UTC."""

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template
from django.utils.timezone import override

from distribution.engine.moments import utc_text
from pipeline.models import Lead
from tests.distribution.world import make_lead
from tests.pipeline.people import make_people, signed_in

ROOT = Path(__file__).parents[2]
APPS = ("distribution", "leadcrm", "notifications", "pipeline")
MOMENT = datetime(2026, 1, 31, 13, 5, tzinfo=UTC)


def test_in_sentences_a_moment_is_told_in_utc_whatever_its_zone():
    assert utc_text(MOMENT.astimezone(timezone(timedelta(hours=9)))) == "2026-01-31 13:05 UTC"


def test_on_pages_a_moment_has_a_short_month_and_names_its_zone():
    template = Template("{% load moments %}{% moment at %} {% moment at '5 min ago' %}")
    with override("Europe/Berlin"):
        shown = template.render(Context({"at": MOMENT}))
    assert shown == (
        '<time datetime="2026-01-31T13:05:00+00:00">31 Jan 2026, 14:05 CET</time> '
        '<time datetime="2026-01-31T13:05:00+00:00" title="31 Jan 2026, 14:05 CET">5 min ago</time>'
    )


@pytest.mark.parametrize(("number", "shown"), [(45, "45 min"), (60, "1 h"), (90, "1 h 30 min"), (240, "4 h")])
def test_minutes_are_told_in_hours_where_they_are_many(number, shown):
    assert Template("{% load moments %}{{ number|minutes }}").render(Context({"number": number})) == shown


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "shown"),
    [("Europe/Berlin", "14:05 CET"), ("America/New_York", "08:05 EST"), ("", "13:05 UTC"), ("../etc", "13:05 UTC")],
)
def test_pages_tell_moments_in_the_zone_that_the_browser_named(zone, shown):
    people = make_people()
    lead = make_lead(owner=people.owner, routing_state="assigned")
    Lead.objects.filter(pk=lead.pk).update(created_at=MOMENT)
    client = signed_in(people.owner)
    client.cookies["time_zone"] = zone
    assert f'title="31 Jan 2026, {shown}"' in client.get(f"/leads/{lead.uid}/").text


@pytest.mark.django_db
def test_the_admin_tells_moments_in_utc_as_they_are_typed_there(admin_client):
    User.objects.create_user("ann", last_login=MOMENT)
    admin_client.cookies["time_zone"] = "Europe/Berlin"
    assert "31 Jan 2026, 13:05 UTC" in admin_client.get("/admin/auth/user/").text


def test_nothing_writes_moments_in_a_style_of_its_own():
    # Dates alone, such as a day of a week's plan, are no moments.
    own = re.compile(r'\|date:"[^"]*[HGhgi]|:%Y-%m-%d %H|strftime')
    files = [*ROOT.glob("templates/**/*.html"), *(f for app in APPS for f in ROOT.glob(f"{app}/**/*.py"))]
    found = {str(file.relative_to(ROOT)) for file in files if own.search(file.read_text())}
    assert found == {"distribution/engine/moments.py"}
