"""Leads as nobody wants them: on no page do they run anything, push anything out of place or turn what is beside them.

Markup, text from right to left, emoji, names of 200 letters, invisible and stacked signs, templates, formulas.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Dialog, Page, expect

from distribution import services
from distribution.models import Rep
from notifications.services import deliver, fan_out
from pipeline.models import Account, AttributeDefinition, Event, Lead, Task
from tests.browser.pages import DESKTOP, SIZES, settled, unfold_all
from tests.distribution.setups import make_pool, make_rule, make_rule_set, publish
from tests.distribution.world import make_lead, make_source, stages
from tests.pipeline.people import make_people

SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])

ARABIC, HEBREW = "شركة النور للتجارة العامة", "חברת האור בע״מ"
ROUGH = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>\"'></bdi></a><b>",
    "arabic": ARABIC,
    "hebrew": HEBREW,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈👨🏿‍🚀" * 8,
    "letters": "W" * 100,
    "words": "Ostrelle Logistik und Fördertechnik " * 6,
    "override": "\u202egnp.exe\u202d abc",
    "stacked": "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
    "invisible": "a\u200bb\u00adc\u2060d\ufeffe\u200ff\u180e" * 4,
    "template": "{{ 7|add:7 }}{% now 'Y' %}${7*7}<%= 7 %>%s%n{0}",
    "formula": '=HYPERLINK("http://evil.example","Click")',
    "address": "https://" + "subdomain-of-somebody." * 4 + "example/?" + "q=1&" * 20,
}

# What is wrong on a page, each in a line.
WRONG = r"""() => {
    const found = [], root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) found.push(`the page is ${root.scrollWidth} wide`);
    const styleOf = (element) => getComputedStyle(element);
    const seen = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    const name = (element) => `${element.tagName}.${element.className} ${element.textContent.trim().slice(0, 40)}`;
    const scrolls = (element) => {
        for (let at = element.parentElement; at && at !== root; at = at.parentElement) {
            if (at.scrollWidth > at.clientWidth && /auto|scroll|hidden|clip/.test(styleOf(at).overflowX)) return true;
        }
        return false;
    };
    for (const button of document.querySelectorAll("button, .button, .icon-button")) {
        if (!seen(button) || button.closest(".visually-hidden") || scrolls(button)) continue;
        const box = button.getBoundingClientRect();
        if (box.width < 20 || box.height < 20) found.push(`cannot be pressed: ${name(button)}`);
        if (box.left < 0 || box.right > root.clientWidth + 1) found.push(`out of sight: ${name(button)}`);
    }
    for (const box of document.querySelectorAll(".box, .card, .line, .piece, .found li, .told, dd, .field, h1, h2")) {
        if (!seen(box) || box.closest(".visually-hidden") || styleOf(box).overflowX !== "visible") continue;
        if (box.scrollWidth > box.clientWidth + 1) found.push(`spills over: ${name(box)}`);
    }
    const turned = /[\u0590-\u07ff\u202a-\u202e\u2066-\u2069]/;
    const alone = "bdi, [dir], option, title, textarea, script, .visually-hidden";
    const isByItself = (text) => styleOf(text.parentElement).display !== "inline"
        && [...text.parentElement.childNodes].every((node) => node === text || !node.textContent.trim());
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode, around = text.parentElement;
        if (turned.test(text.data) && !around.closest(alone) && !isByItself(text)) found.push(`turns: ${name(around)}`);
    }
    return found.concat(window.violations ?? []);
}"""
WATCH = """
    window.violations = [];
    const report = ({ violatedDirective, blockedURI }) => violations.push(`${violatedDirective} ${blockedURI}`);
    addEventListener("securitypolicyviolation", report);
"""
# In which order the parts of a line are seen, in the directions of lines of English.
ORDER = """(parts) => parts.map((part) => part.getBoundingClientRect()).every(
    (box, at, all) => !at || box.top > all[at - 1].top + 2 || box.left >= all[at - 1].left
)"""


@pytest.fixture
def people():
    people = make_people()
    Rep.objects.filter(user=people.owner).update(name=ARABIC)
    type(people.owner).objects.filter(pk=people.owner.pk).update(first_name=ARABIC, last_name="<b>Owner</b>")
    return people


@pytest.fixture
def leads(people) -> dict[str, Lead]:
    """A lead of the owner for each rough text, with all that pages tell of it."""
    stages()
    pool = make_pool(ARABIC, Rep.objects.get(user=people.owner), team=people.team)
    offers = make_pool("<i>Offers</i>", *Rep.objects.filter(user=people.owner), method="claim", blind=False)
    rules = make_rule_set("<u>Rules</u>", pool=pool)
    make_rule(rules, HEBREW, ("industry", "is", "offered"), pool=offers)
    make_rule(rules, ROUGH["markup"][:60], pool=pool)
    publish(rules)
    AttributeDefinition.objects.create(key="odd", label=ARABIC)
    found = {name: rough(text, number) for number, (name, text) in enumerate(ROUGH.items())}
    services.assign_lead(make_lead(last_name=ARABIC, company=HEBREW, product=ARABIC, industry="offered").pk)
    for lead in found.values():
        happen(lead, people)
    fan_out()
    deliver("in_app")
    return found


def rough(text: str, number: int) -> Lead:
    account = Account.objects.create(name=text[:200], city=text[:100], industry=text[:100])
    return make_lead(
        source=make_source(f"source-{number}"),
        first_name=text[:100], last_name=text[:100], company=text[:200], job_title=text[:100], product=text[:100],
        city=text[:100], industry=text[:100], message=text * 5, tags=[text[:60], ARABIC, "plain"], account=account,
        email=f"{'x' * 60}{number}@{'very-long-' * 12}domain.example", phone=f"+49307778889{number:02}", value=12500,
        currency="EUR", attributes={"odd": text}, utm_campaign=text[:100], respond_by=timezone.now(), score=50,
    )  # fmt: skip


def happen(lead: Lead, people) -> None:
    """Routed, written about, answered, with something to do."""
    text, now = lead.first_name, timezone.now()
    services.assign_lead(lead.pk)
    Task.objects.create(lead=lead, text=text, due_at=now + timedelta(minutes=5), assignee=people.owner)
    for kind in (Event.Kind.NOTED, Event.Kind.REPLIED):
        Event.objects.create(lead=lead, kind=kind, data={"text": text * 3, "channel": "email"}, actor=people.owner)
    changes = {"city": ["Berlin", text], "company": [text, ARABIC]}
    Event.objects.create(lead=lead, kind=Event.Kind.EDITED, actor=people.owner, data={"changes": changes})


def pages_of_a_lead(lead: Lead) -> Iterator[str]:
    yield from (f"/leads/{lead.uid}/{end}" for end in ("", "?edit", "?done=1", "history/", "plan/", "decision/"))
    yield from (f"/leads/{lead.uid}/pass-on/ways/", f"/accounts/{lead.account.uid}/", f"/tasks/{lead.tasks.get().pk}/")
    yield f"/board/sales/move/{lead.uid}/"


REPS = (
    *("/board/sales/?who=mine", "/board/sales/table/?who=mine", "/board/sales/?who=team&q=nobody", "/my/", "/offers/"),
    *("/my/inbox/", "/my/availability/", "/my/fairness/", f"/search/?q={ARABIC[:5]}", "/search/?q=example"),
    *("/search/?q=<script>alert(1)</script>", "/board/sales/add/"),
)
MANAGERS = (
    *("/board/sales/?who=team", "/board/sales/table/?who=team", "/team/availability/", "/my/", "/my/inbox/"),
    *("/board/sales/filters/?who=team&q=%E2%80%AEabc", "/board/sales/?who=team&q=%D8%B4%D8%B1%D9%83%D8%A9"),
)


@pytest.fixture
def looked_at(page: Page, live_server, sign_in, size, scheme, tmp_path, complaints):
    """Opens pages as somebody, and says what is wrong with each; their pictures are in the test's directory."""
    dialogs: list[str] = []

    def answer(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", answer)
    page.add_init_script(WATCH)
    page.set_default_navigation_timeout(120_000)  # as the pages, the machine has much to do
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)

    def look(user, path: str) -> list[str]:
        sign_in(user, page.context)
        page.goto(live_server.url + path)
        settled(page).screenshot(path=tmp_path / f"{path.strip('/').replace('/', '_')[:60]}.png", full_page=True)
        wrong = page.evaluate(WRONG)
        unfold_all(page)
        return [f"{path}: {line}" for line in (*wrong, *page.evaluate(WRONG), *dialogs, *complaints)]

    return look


@SCHEMES
@SIZES
def test_rough_leads_stay_in_their_place_on_every_page_of_a_rep(looked_at, people, leads, size, scheme):
    wrong = [line for path in REPS for line in looked_at(people.owner, path)]
    assert not wrong, "\n".join(wrong)


@SCHEMES
@SIZES
def test_rough_leads_stay_in_their_place_on_every_page_of_a_manager(looked_at, people, leads, size, scheme):
    rep = Rep.objects.get(user=people.owner)
    of_rep = (f"/availability/{rep.pk}/{end}" for end in ("", "fairness/", "hand-over/"))
    wrong = [line for path in (*MANAGERS, *of_rep) for line in looked_at(people.manager, path)]
    assert not wrong, "\n".join(wrong)


@SCHEMES
@SIZES
@pytest.mark.parametrize("name", ["markup", "arabic", "letters", "override"])
def test_a_rough_lead_stays_in_its_place_on_all_pages_about_it(looked_at, people, leads, name, size, scheme):
    wrong = [line for path in pages_of_a_lead(leads[name]) for line in looked_at(people.owner, path)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("scheme", ["light"])
@SIZES
def test_a_rough_lead_fits_on_paper(looked_at, page: Page, people, leads, size, scheme, tmp_path):
    for name in ("markup", "arabic", "letters"):
        looked_at(people.owner, f"/leads/{leads[name].uid}/")
        page.emulate_media(media="print")
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0, name
        expect(page.locator("button:not(:disabled):visible, .button:visible")).to_have_count(0)
        page.screenshot(path=tmp_path / f"paper-{name}.png", full_page=True)
        page.emulate_media(media="screen")


@pytest.mark.parametrize("scheme", ["light"])
@SIZES
def test_what_stands_beside_a_name_from_right_to_left_keeps_its_place(
    looked_at, page: Page, people, leads, size, scheme
):
    arabic = leads["arabic"]
    for path, line in (
        (f"/search/?q={ARABIC[:5]}", f".found li:has(a[href*='{arabic.uid}']) .who bdi"),
        ("/my/", f"#lead-{arabic.uid} .what :is(.text, bdi, time)"),
        (f"/leads/{arabic.uid}/", ".who p bdi"),
        # On a phone each row of the table is a card.
        *([("/board/sales/table/?who=team", f"tr:has(a[href*='{arabic.uid}']) td")] if size == DESKTOP else []),
    ):
        looked_at(people.owner, path)
        expect(page.locator(line).first).to_be_visible()
        assert page.locator(line).evaluate_all(ORDER), path


@pytest.mark.parametrize("scheme", ["light"])
@pytest.mark.parametrize("size", [DESKTOP], ids=["desktop"])
def test_sentences_of_ours_about_a_name_from_right_to_left_run_as_ours(
    looked_at, page: Page, people, leads, size, scheme
):
    looked_at(people.owner, f"/leads/{leads['arabic'].uid}/")
    page.reload()  # what the search found is closed again
    page.get_by_label("Note", exact=True).fill(HEBREW)
    assert page.get_by_label("Note", exact=True).evaluate("field => getComputedStyle(field).unicodeBidi") == "plaintext"
    page.get_by_role("button", name="Add this note").click()
    sentence = page.locator(".messages bdi")
    expect(sentence).to_be_visible()
    assert sentence.evaluate("words => getComputedStyle(words).direction") == "ltr"
