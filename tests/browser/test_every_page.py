"""Every page of the project, and what else one may see of it: no serious fault of accessibility, light or dark, on a
laptop or a phone, and nothing that sticks out.

What is a page is found out by asking: every address of ``tests/addresses.py`` is, unless it is listed here as none.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, Final

import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from playwright.sync_api import Page, Route, expect

from distribution import services
from distribution.models import AwayReason, Rep
from pipeline.models import LostReason
from tests.addresses import OWN, TABLE, VISITORS, WHO, make_roles, make_things, path_of
from tests.browser.pages import WIDER, settled
from tests.distribution.setups import make_pool, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead
from tests.pipeline.people import signed_in

SIZES: Final = {"laptop": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
# In the dark only the colours are others.
WAYS: Final = (
    *(("laptop", "light"), ("laptop", "dark", "color-contrast")),
    *(("phone", "light"), ("phone", "dark", "color-contrast")),
)
ACROSS: Final = (("laptop", "light"), ("phone", "dark"))

# What is no page: it takes forms, leads on, or answers machines and pages that are open.
NO_PAGE: Final = re.compile(
    r"^$|logout/|appearance/|healthz|readyz|api/$|api/v1/(leads|schema)|hooks/|my/(bell/$|changes/|inbox/(read|<))"
    r"|my/notifications/(browser|webhook|<)|offers/next/|reassign/|team/<"
    r"|board/<slug:slug>/(changes|undo|bulk|export|views)"
    r"|leads/<uuid:uid>/(accept|claim|edit|stage|tasks|contact|note|snooze|wake|call|return|give-back|pass-on/$)"
    r"|tasks/<int:pk>/(done|drop)|availability/<int:pk>/(status|calendar/$|(hand-over/)?leave/$|leave/<int:leave_pk>/cancel)"
    r"|availability/<int:pk>/calendar/reading"
)
# Drawn by others: the documents of the API, and the admin, which tests/browser/test_*admin.py look at.
OF_OTHERS: Final = {"api/v1/docs/", "admin/login/"}


@pytest.fixture
def people():
    return make_roles()


@pytest.fixture
def things(people) -> dict[str, Any]:
    """A lead that the engine gave to the owner, one that it offers, and what else there is to see."""
    AwayReason.objects.create(name="Lunch", minutes=45)
    LostReason.objects.create(name="Too dear")
    owner = people["owner"]
    team, rep = owner.lead_teams.get(), Rep.objects.get(user=owner)
    rules = make_rule_set(pool=make_pool("DACH", rep, team=team))
    make_rule(rules, "Offers", ("city", "is", "Vienna"), pool=make_pool("Vienna", rep, method="claim", team=team))
    make_rule(rules, "Everything else", pool=make_pool("Sales", rep, team=team))
    publish(rules)
    for city in ("Vienna", "Berlin"):
        lead = make_lead(
            first_name="Ada", last_name=city, city=city, email=f"ada@{city.lower()}.example", phone="+442071838750",
            value=5000, currency="EUR", score=82, product="Pumps",
        )  # fmt: skip
        services.assign_lead(lead.pk)
    lead.refresh_from_db()
    assert lead.owner == owner
    found = make_things(owner, lead) | {"decision": lead.decisions.get().pk}
    lead.refresh_from_db()
    return found


def looker(address: str) -> str:
    """Who looks at a page: the owner where that is allowed, else whoever it is for; nobody where none need sign in."""
    whom = TABLE[address]
    if whom == VISITORS:
        return ""
    return "owner" if whom == OWN else next(role for role in ("owner", "manager") if role in WHO[whom])


def is_page(answer: Any) -> bool:
    if answer.streaming:
        answer.close()
    return answer.status_code == 200 and not answer.streaming and b"<html" in answer.content


@pytest.fixture
def check(page: Page, axe) -> Callable[..., list[str]]:
    """Looks at what is shown in several ways; returns what is wrong with it, after ``name``."""

    def look(name: str, ways: Iterable[tuple[str, ...]] = ACROSS) -> list[str]:
        wrong = []
        for size, scheme, *rules in ways:
            page.set_viewport_size(SIZES[size])
            page.emulate_media(color_scheme=scheme)
            wrong += [f"{name} {size} {scheme}: {fault}" for fault in axe(page, *rules)]
            if (wider := page.evaluate(WIDER)) > 0:
                wrong.append(f"{name} {size}: {wider} pixels wider than the window")
        page.set_viewport_size(SIZES["laptop"])
        page.emulate_media(color_scheme="light")
        return wrong

    return look


def test_every_address_either_is_a_page_or_is_listed_as_none(people, things):
    wrong = []
    for address in TABLE:
        role = looker(address)
        client = signed_in(people[role]) if role else Client()
        page = is_page(client.get(path_of(address, things)))
        if page is bool(NO_PAGE.search(address)):
            wrong.append(address)
    assert wrong == []


def pages(role: str) -> Iterator[str]:
    """The addresses of the pages that one of these sees."""
    for address in TABLE:
        if looker(address) == role and not NO_PAGE.search(address) and address not in OF_OTHERS:
            yield address


@pytest.mark.parametrize("role", ["", "owner", "manager"], ids=["visitor", "owner", "manager"])
def test_every_page_is_accessible_and_fits(live_server, page: Page, sign_in, people, things, check, complaints, role):
    if role:
        sign_in(people[role], page.context)
    wrong = []
    for address in pages(role):
        page.goto(live_server.url + path_of(address, things))
        wrong += check(address, WAYS)
    assert not wrong, "\n".join(wrong)
    assert complaints == []


# --- What one may see beside -----------------------------------------------------------------------


def open_move(page: Page) -> None:
    page.locator(".card").first.hover()
    page.locator(".card a[data-dialog]").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()


def lose_without_reason(page: Page) -> None:
    open_move(page)
    page.get_by_role("dialog").get_by_label("Stage").select_option(value="lost")
    page.get_by_role("dialog").get_by_role("button", name="Move").click()
    expect(page.get_by_role("dialog").get_by_text("Say why the lead was lost.")).to_be_visible()


def open_filters(page: Page) -> None:
    page.get_by_text("Filter", exact=True).click()
    expect(page.get_by_label("Text")).to_be_visible()


def keep_view(page: Page) -> None:
    page.locator("summary", has_text="Keep as a view").click()
    expect(page.get_by_label("Name of the view")).to_be_visible()


def add_nothing(page: Page) -> None:
    page.get_by_role("link", name="Add lead").click()
    page.get_by_role("dialog").get_by_role("button").last.click()
    expect(page.get_by_role("dialog").get_by_role("alert").first).to_be_visible()


def choose(page: Page) -> None:
    page.locator(".pick").first.check(force=True)
    expect(page.get_by_role("form", name="With the selected leads")).to_be_visible()


def go_offline(page: Page) -> None:
    page.context.set_offline(True)
    expect(page.get_by_text("Offline")).to_be_visible()


def open_menu(page: Page) -> None:
    page.locator("summary", has_text="Your menu").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def open_keys(page: Page) -> None:
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()


def save_nonsense(page: Page) -> None:
    page.get_by_label("E-mail").fill("nonsense")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#edit_email_error")).to_be_visible()


def note_nothing(page: Page) -> None:
    page.get_by_role("button", name="Add this note").click()
    expect(page.locator("#note_text_error")).to_be_visible()


def hand_over_without_reason(page: Page) -> None:
    page.get_by_role("button", name="Hand over").click()
    expect(page.get_by_text("Say why.")).to_be_visible()


def pause_without_reason(page: Page) -> None:
    page.locator("summary", has_text="Away …: Owner Person").click()
    page.get_by_role("button", name="Set away").click()
    expect(page.get_by_text("Say why, such as")).to_be_visible()


def nothing_more(page: Page) -> None:
    """The page as it comes."""


# Who, where, and what they do there.
STATES: Final = {
    "a card that is moved": ("owner", "/board/sales/?who=team", open_move),
    "a reason that is missing": ("owner", "/board/sales/?who=team", lose_without_reason),
    "filters": ("owner", "/board/sales/?who=team", open_filters),
    "a view that is kept": ("owner", "/board/sales/?who=team&q=Ada", keep_view),
    "a lead without a name": ("owner", "/board/sales/?who=team", add_nothing),
    "cards that are chosen": ("manager", "/board/sales/?who=team", choose),
    "rows that are chosen": ("manager", "/board/sales/table/?who=team", choose),
    "a board on which nothing fits": ("owner", "/board/sales/?q=nobody", nothing_more),
    "a table in which nothing fits": ("owner", "/board/sales/table/?q=nobody&overdue=1", nothing_more),
    "a board without a network": ("owner", "/board/sales/?who=team", go_offline),
    "the menu": ("manager", "/board/sales/?who=team", open_menu),
    "what was found": ("owner", "/search/?q=Ada", nothing_more),
    "that nothing was found": ("owner", "/search/?q=Qwxyz", nothing_more),
    "the keys of a lead": ("owner", "/leads/{lead.uid}/", open_keys),
    "a field that is wrong": ("owner", "/leads/{lead.uid}/?edit", save_nonsense),
    "a note without words": ("owner", "/leads/{lead.uid}/", note_nothing),
    "a lead one may only read": ("watcher", "/leads/{lead.uid}/", nothing_more),
    "a day of a manager": ("manager", "/my/", nothing_more),
    "a handing over without a reason": ("manager", "/availability/{rep.pk}/hand-over/", hand_over_without_reason),
    "somebody set away without a reason": ("manager", "/team/availability/", pause_without_reason),
    "a team without people": ("boss", "/team/availability/", nothing_more),
    "no board": ("outsider", "/board/", nothing_more),
    "no profile": ("outsider", "/my/availability/", nothing_more),
    "no such page": ("owner", "/nothing/", nothing_more),
    "no such page for a visitor": ("", "/nothing/", nothing_more),
    "no admin": ("owner", "/admin/", nothing_more),
    "a link that is not ours": ("", "/act/nonsense/", nothing_more),
}


@pytest.mark.parametrize("role", sorted({role for role, _, _ in STATES.values()}))
def test_every_state_is_accessible_and_fits(live_server, page: Page, sign_in, people, things, check, role):
    if role:
        sign_in(people[role], page.context)
    wrong = []
    for name, (whose, address, act) in STATES.items():
        if whose == role:
            page.context.set_offline(False)
            page.goto(live_server.url + address.format(**things))
            act(settled(page))
            wrong += check(name)
    assert not wrong, "\n".join(wrong)


MESSAGES: Final = ("400.html", "403.html", "403_csrf.html", "500.html", "registration/locked_out.html")


def test_what_is_told_when_something_went_wrong_is_accessible_and_fits(live_server, page: Page, check):
    told, wrong = {"cooloff_timedelta": timedelta(hours=1)}, []
    bodies = {name: render_to_string(name, told, RequestFactory().get("/")) for name in MESSAGES}

    def answer(route: Route) -> None:
        route.fulfill(body=bodies[route.request.url.partition("?")[2]], content_type="text/html")

    page.route("**/broken/**", answer)
    for name in MESSAGES:
        page.goto(f"{live_server.url}/broken/?{name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        wrong += check(name)
    assert not wrong, "\n".join(wrong)
