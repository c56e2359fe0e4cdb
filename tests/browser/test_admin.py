"""The admin in a browser: everything works without faults for people who cannot see, and on a phone."""

from collections.abc import Callable
from typing import Literal

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from playwright.sync_api import Page, expect

from distribution.models import Decision, Pool, PoolMember, Rep, Territory
from pipeline.models import Lead, LeadSource, Pipeline
from tests.distribution.admin.company import build_company
from tests.distribution.setups import make_rep

Check = Callable[[Page], list[str]]


@pytest.fixture
def go(live_server, page: Page, sign_in) -> Callable[[str], None]:
    """Opens an admin page as a superuser, and waits until its scripts run."""
    sign_in(User.objects.create_superuser("boss", password="secret"), page.context)

    def open_page(address: str) -> None:
        page.goto(live_server.url + address)
        page.wait_for_selector("html:not([x-cloak])")

    return open_page


def main_pages() -> list[str]:
    """Lists and forms that people use most, of the first thing of each kind."""
    lists = [Lead, Rep, Pool, Territory, Decision, LeadSource]
    forms = [Lead, Rep, Pool, Territory, Decision, LeadSource, Pipeline]
    steps = [reverse("admin:pipeline_lead_reassign_to", args=[Lead.objects.earliest("pk").pk])]
    return [
        reverse("admin:index"),
        reverse("admin:pipeline_lead_add"),
        *(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") for model in lists),
        *(
            reverse(
                f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[model.objects.earliest("pk").pk]
            )
            for model in forms
        ),
        *steps,
    ]


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_main_pages_have_no_serious_faults(
    page: Page, go, axe: Check, complaints: list[str], width: int, scheme: Literal["light", "dark"]
):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    build_company(0, 2)
    faults = {}
    for address in main_pages():
        go(address)
        if found := axe(page) + complaints:
            faults[address] = found[:]
        complaints.clear()
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if overflow > 0:
            faults.setdefault(address, []).append(f"{overflow} pixels wider than the screen")
    assert faults == {}


def test_a_member_is_added_to_a_pool_by_searching(page: Page, go):
    build_company(0, 1)
    make_rep("Zoe Newcomer")
    pool = Pool.objects.get(name="Pool 0")
    go(reverse("admin:distribution_pool_change", args=[pool.pk]))
    page.get_by_role("link", name="Add another Pool member").click()
    page.locator("#id_members-1-rep + .select2-container").click()
    page.locator(".select2-search__field").fill("Zoe")
    found = page.locator(".select2-results__option")
    expect(found).to_have_text(["Zoe Newcomer"])  # until then the list is drawn again
    found.click()
    page.locator("#id_members-1-weight").fill("3")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
    assert PoolMember.objects.get(pool=pool, rep__name="Zoe Newcomer").weight == 3


def test_a_lead_is_reassigned_from_its_page(page: Page, go):
    build_company(0, 1)
    receiver = make_rep("Zoe Newcomer")
    lead = Lead.objects.filter(owner__isnull=False).earliest("pk")
    go(reverse("admin:pipeline_lead_change", args=[lead.pk]))
    page.get_by_text("Who has it").click()
    page.get_by_role("link", name="Reassign to a person").click()
    page.locator("#id_to").select_option(label="Zoe Newcomer", force=True)
    page.get_by_label("Reason").fill("knows them")
    page.get_by_role("button", name="Reassign to a person").click()
    expect(page.get_by_text("1 lead: 1 given to Zoe Newcomer.")).to_be_visible()
    lead.refresh_from_db()
    assert lead.owner == receiver.user
