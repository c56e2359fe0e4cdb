"""Clocks, steps, loans and holds in the admin: found by their state, and a clock that failed is tried again."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from distribution.models import Hold, Loan, SLAClock
from tests.distribution.admin.company import build_company

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss(db: None) -> Client:
    build_company(0, 1)
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


def listed(client: Client, model: str, state: str) -> int:
    page = client.get(reverse(f"admin:distribution_{model}_changelist"), {"state": state})
    return len(page.context["cl"].result_list)


@pytest.mark.parametrize(
    ("changes", "states"),
    [
        ({}, {"running"}),
        ({"broken_at": timezone.now()}, {"running", "broken"}),
        ({"paused_at": timezone.now()}, {"paused"}),
        ({"failures": 3, "error": "boom"}, {"running", "failed"}),
        ({"stopped_at": timezone.now(), "outcome": "kept"}, {"stopped"}),
    ],
)
def test_clocks_are_found_by_their_state(boss: Client, changes: dict[str, Any], states: set[str]):
    SLAClock.objects.update(**changes)
    every = ("running", "paused", "broken", "failed", "stopped")
    assert {state for state in every if listed(boss, "slaclock", state)} == states


def test_a_clock_that_failed_is_left_to_the_next_sweep(boss: Client):
    clock = SLAClock.objects.get()
    SLAClock.objects.update(failures=3, error="boom", leased_until=timezone.now() + timedelta(hours=1))
    wish = {"action": "retry", "_selected_action": [clock.pk]}
    text = boss.post(reverse("admin:distribution_slaclock_changelist"), wish, follow=True).content.decode()
    clock.refresh_from_db()
    assert (clock.failures, clock.error, clock.leased_until) == (0, "", None)
    assert "1 SLA clock left to the next sweep" in text


def test_who_may_only_look_cannot_try_again(client: Client):
    build_company(0, 1)
    guest = User.objects.create_user("guest", is_staff=True)
    guest.user_permissions.add(Permission.objects.get(codename="view_slaclock"))
    client.force_login(guest)
    SLAClock.objects.update(failures=3)
    url = reverse("admin:distribution_slaclock_changelist")
    client.post(url, {"action": "retry", "_selected_action": [SLAClock.objects.get().pk]})
    assert SLAClock.objects.get().failures == 3


def test_a_lead_and_its_clocks_lead_to_one_another(boss: Client):
    clock = SLAClock.objects.get()
    page = boss.get(reverse("admin:distribution_slaclock_change", args=[clock.pk])).content.decode()
    lead_url = reverse("admin:pipeline_lead_change", args=[clock.lead_id])
    assert lead_url in page
    assert "The promise was broken" in page
    assert reverse("admin:distribution_slaclock_change", args=[clock.pk]) in boss.get(lead_url).content.decode()


def test_loans_and_holds_are_found_by_their_state(boss: Client):
    assert (listed(boss, "loan", "open"), listed(boss, "loan", "ended"), listed(boss, "loan", "late")) == (1, 0, 1)
    Loan.objects.update(ended_at=timezone.now())
    assert (listed(boss, "loan", "open"), listed(boss, "loan", "ended")) == (0, 1)
    assert (listed(boss, "hold", "waiting"), listed(boss, "hold", "due")) == (1, 1)
    Hold.objects.update(released_at=timezone.now())
    assert (listed(boss, "hold", "waiting"), listed(boss, "hold", "released")) == (0, 1)
