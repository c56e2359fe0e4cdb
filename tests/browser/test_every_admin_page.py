"""Every list and every form of the admin: it opens, fits, and has no serious fault of accessibility, light or dark."""

import re
from collections.abc import Callable, Iterator
from typing import Final

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import RequestFactory
from playwright.sync_api import Page, expect

from tests.browser.pages import DESKTOP, WIDER
from tests.distribution.admin.company import MODELS, address, build_company

# The theme's own key then makes a page dark without asking for it again.
LIGHT: Final = """window === top && localStorage.setItem("adminTheme", '"light"')"""
DARKER: Final = "Control+e"
# Colours that glide would be judged half-way.
ARRIVE: Final = "document.getAnimations().forEach((one) => one.finish())"


@pytest.fixture
def boss(page: Page, sign_in) -> User:
    found = User.objects.create_superuser("boss")
    sign_in(found, page.context)
    page.set_viewport_size(DESKTOP)
    page.add_init_script(LIGHT)
    return found


def paths(kind: str, user: User) -> Iterator[str]:
    """Where the pages of this kind are that somebody may see; a form is of the first thing of its kind."""
    request = RequestFactory().get("/")
    request.user = user
    for model in MODELS:
        if kind == "change":
            yield address(model, kind, model._default_manager.earliest("pk").pk)
        elif kind == "changelist" or admin.site.get_model_admin(model).has_add_permission(request):
            yield address(model, kind)


def darken(page: Page) -> None:
    page.keyboard.press(DARKER)
    expect(page.locator("html")).to_have_class(re.compile(r"\bdark\b"))
    page.evaluate(ARRIVE)


@pytest.fixture
def check(live_server, page: Page, axe, complaints: list[str]) -> Callable[..., list[str]]:
    """Opens a page, and looks at it in the dark too where that is asked for; returns what is wrong with it."""

    def look(path: str, *, dark: bool) -> list[str]:
        complaints.clear()
        answer = page.goto(live_server.url + path)
        assert answer
        if not answer.ok:
            return [f"answers {answer.status}"]
        page.wait_for_selector("html:not([x-cloak])")
        wrong = [f"light: {fault}" for fault in axe(page)]
        if (wider := page.evaluate(WIDER)) > 0:
            wrong.append(f"{wider} pixels wider than the window")
        if dark:
            darken(page)
            wrong += [f"dark: {fault}" for fault in axe(page, "color-contrast")]
        return wrong + complaints

    return look


# A form to add with has the fields of the one to change with, so that its colours are seen there.
@pytest.mark.parametrize(("kind", "dark"), [("changelist", True), ("add", False), ("change", True)])
def test_every_page_of_the_admin_opens_fits_and_is_accessible(boss: User, check, kind: str, dark: bool):
    build_company(0, 1)
    wrong = [f"{path} {fault}" for path in paths(kind, boss) for fault in check(path, dark=dark)]
    assert not wrong, "\n".join(wrong)
