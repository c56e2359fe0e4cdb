"""Working hours, leave and SLA policies in a browser: entered, drawn, and without faults for people who cannot see."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Literal

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from distribution.models import (
    EscalationStep,
    HoursException,
    Leave,
    Rep,
    SLAPolicy,
    TeamHours,
    WorkingHours,
    WorkShift,
)
from pipeline.models import Team
from tests.distribution.setups import make_rep

Check = Callable[[Page], list[str]]


@pytest.fixture
def go(live_server, page: Page, sign_in) -> Callable[[str], None]:
    """Opens an admin page as a superuser who is a rep in New York, and waits until its scripts run."""
    boss = User.objects.create_superuser("boss", password="secret")
    Rep.objects.create(user=boss, name="Boss", time_zone="America/New_York")
    sign_in(boss, page.context)

    def open_page(address: str) -> None:
        page.goto(live_server.url + address)
        page.wait_for_selector("html:not([x-cloak])")

    return open_page


@transaction.atomic
def build() -> list[str]:
    """Something of everything, and the addresses of its pages."""
    hours = WorkingHours.objects.create(
        name="Munich office", time_zone="Europe/Berlin", holiday_country="DE", holiday_region="BY", is_default=True
    )
    for weekday in range(1, 6):
        WorkShift.objects.create(hours=hours, weekday=weekday, start=time(9), end=time(12))
        WorkShift.objects.create(hours=hours, weekday=weekday, start=time(13), end=time(18))
    HoursException.objects.create(hours=hours, date=date(2026, 3, 27), start=time(9), end=time(12), name="stocktaking")
    team = Team.objects.create(name="Sales")
    TeamHours.objects.create(team=team, hours=hours)
    reps = [make_rep(name, time_zone="Europe/Berlin") for name in ("Ada Lovelace", "Bo Diddley", "Cy Twombly")]
    today = datetime.combine(timezone.now().date(), time(), timezone.get_current_timezone())
    for number, rep in enumerate(reps):
        team.members.add(rep.user)
        starts = today + timedelta(days=4 * number)
        cover = reps[1] if number == 0 else None
        Leave.objects.create(
            rep=rep, starts_at=starts, ends_at=starts + timedelta(days=5), reason="on leave", cover=cover
        )
    policy = SLAPolicy.objects.create(
        name="Fast", accept_minutes=15, contact_minutes=60, lead_minutes=240, time="clock", is_default=True
    )
    for clock, percent, minutes, action in (
        ("accept", 80, None, "remind"),
        ("accept", 100, None, "backup"),
        ("accept", None, 20, "reassign"),
        ("accept", None, 40, "manager"),
        ("contact", None, 50, "remind"),
    ):
        EscalationStep.objects.create(
            policy=policy, clock=clock, after_percent=percent, after_minutes=minutes, action=action
        )
    return [
        reverse("admin:distribution_workinghours_changelist"),
        reverse("admin:distribution_workinghours_change", args=[hours.pk]) + "?week=2026-03-27",
        reverse("admin:distribution_rep_change", args=[reps[0].pk]),
        reverse("admin:pipeline_team_leave", args=[team.pk]),
        reverse("admin:pipeline_team_change", args=[team.pk]),
        reverse("admin:distribution_leave_changelist"),
        reverse("admin:distribution_leave_add"),
        reverse("admin:distribution_leave_import"),
        reverse("admin:distribution_slapolicy_changelist"),
        reverse("admin:distribution_slapolicy_change", args=[policy.pk]),
    ]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_pages_have_no_serious_faults(
    page: Page, go, axe: Check, complaints: list[str], width: int, scheme: Literal["light", "dark"]
):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    faults = {}
    for address in build():
        go(address)
        found = axe(page) + complaints
        complaints.clear()
        if (overflow := page.evaluate("document.documentElement.scrollWidth - window.innerWidth")) > 0:
            found.append(f"{overflow} pixels wider than the screen")
        if found:
            faults[address] = found
    assert faults == {}


def test_hours_are_entered_and_their_week_is_drawn(page: Page, go):
    go(reverse("admin:distribution_workinghours_add"))
    page.locator("#id_name").fill("Night shift")
    page.get_by_role("link", name="Add another Work shift").click()
    page.locator("#id_shifts-0-weekday").select_option(label="Saturday")
    page.locator("#id_shifts-0-start").fill("22:00")
    page.locator("#id_shifts-0-end").fill("06:00")
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_text("was added successfully")).to_be_visible()
    page.get_by_label("With the day").fill("2026-03-28")
    page.get_by_role("button", name="Show", exact=True).click()
    saturday = page.get_by_role("row").filter(has_text="28 Mar")
    expect(saturday).to_contain_text("22:00–24:00")
    expect(page.get_by_role("row").filter(has_text="29 Mar")).to_contain_text("00:00–06:00")


def test_a_ladder_is_entered_and_drawn_with_its_warning(page: Page, go):
    go(reverse("admin:distribution_slapolicy_add"))
    page.locator("#id_name").fill("Fast")
    page.get_by_label("Accept within").fill("15")
    for row, (minutes, action) in enumerate((("10", "Reassign"), ("12", "Tell the manager"))):
        page.get_by_role("link", name="Add another Step").click()
        page.locator(f"#id_steps-{row}-after_minutes").fill(minutes)
        label = page.locator(f"#id_steps-{row}-action option").filter(has_text=action).inner_text()
        page.locator(f"#id_steps-{row}-action").select_option(label=label)
    page.get_by_role("button", name="Save and continue editing").click()
    expect(page.get_by_role("heading", name="Accept within")).to_be_visible()
    expect(page.get_by_text("is never taken")).to_be_visible()
    expect(page.locator(".ladder circle")).to_have_count(3)
