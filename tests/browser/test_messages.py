"""Bell, inbox, preferences, the page behind a link and the template editor in a real browser."""

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from notifications import links
from notifications.leaving import url_of
from notifications.models import ActionLink, Call, GuardPolicy, Notification
from notifications.services import optouts
from pipeline.models import Lead
from tests.browser.pages import DESKTOP, SIZES, settled
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead
from tests.notifications.sequences import make_sequence


@pytest.fixture(autouse=True)
def _without_tls(settings):
    settings.CSRF_COOKIE_SECURE = False


@pytest.fixture
def rep():
    rep = make_rep("Sam Rivera")
    User.objects.filter(pk=rep.user_id).update(email="sam@sales.example", first_name="Sam", last_name="Rivera")
    rep.user.refresh_from_db()
    return rep


@pytest.fixture
def lead(rep):
    return make_lead(
        first_name="Ada",
        last_name="Lovelace",
        job_title="Head of Operations",
        company="Engines Ltd",
        product="Analytics",
        phone="+442071234567",
        score=82,
        owner=rep.user,
        routing_state="assigned",
        routing_sentence="Next in turn in the pool London.",
        respond_by=timezone.now() + timedelta(minutes=12),
    )


def told(rep, lead, subject="New lead: Ada Lovelace", **more) -> Notification:
    defaults = {"kind": "assigned", "urgency": "urgent", "channel": "in_app", "state": "delivered"}
    text = "Head of Operations, Engines Ltd\nWants: Analytics\nScore 82 (from web)"
    key = f"told:{Notification.objects.count()}"
    return Notification.objects.create(
        user=rep.user, lead=lead, subject=subject, text=text, key=key, **{**defaults, **more}
    )


@pytest.fixture
def reps_page(page: Page, sign_in, rep):
    sign_in(rep.user, page.context)
    return page


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


@SIZES
def test_the_bell_rings_by_itself_and_opens_a_lead(live_server, reps_page: Page, rep, lead, axe, complaints, size):
    page = reps_page
    page.set_viewport_size(size)
    page.goto(live_server.url + "/offers/")
    bell = page.locator(".bell > summary")
    expect(bell.get_by_role("status")).to_have_text("No unread messages")
    told(rep, lead)
    told(rep, lead, "Kim mentioned you: Ada Lovelace", kind="mention", urgency="normal")
    page.evaluate("htmx.trigger(document.body, 'bell-changed')")  # what the clock does every few seconds
    expect(bell.get_by_role("status")).to_have_text(re.compile("2 unread messages"))
    bell.click()
    expect(page.get_by_role("button", name=re.compile("New lead: Ada Lovelace")).first).to_be_visible()
    assert axe(page) == []
    assert fits(page)
    page.get_by_role("button", name="Mark as read: Kim mentioned you: Ada Lovelace").click()
    expect(bell.get_by_role("status")).to_have_text(re.compile(r"1 unread message\s*$"))
    page.keyboard.press("Escape")
    expect(page.locator(".bell-list")).to_be_hidden()
    bell.click()
    settled(page)  # the list is fetched again
    page.locator(".told-open").last.click()
    expect(page).to_have_url(f"{live_server.url}/leads/{lead.uid}/")
    assert Notification.objects.filter(read_at=None).count() == 0
    assert complaints == []


@SIZES
def test_the_inbox_fits_and_reads_well(live_server, reps_page: Page, rep, lead, axe, size):
    for number in range(5):
        told(rep, lead, read_at=timezone.now() if number < 3 else None)
    reps_page.set_viewport_size(size)
    reps_page.goto(live_server.url + "/my/inbox/")
    assert axe(reps_page) == []
    assert fits(reps_page)
    reps_page.locator("main").get_by_role("button", name="Mark all as read").click()
    expect(reps_page.locator(".told.unread")).to_have_count(0)


@SIZES
def test_wishes_are_saved_and_faults_stand_at_their_field(live_server, reps_page: Page, axe, complaints, size):
    page = reps_page
    page.set_viewport_size(size)
    page.goto(live_server.url + "/my/notifications/")
    assert axe(page) == []
    assert fits(page)
    assert complaints == []
    page.get_by_label("Urgent: First channel").select_option("sms")
    page.get_by_label("Quiet from").fill("22:00")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Give both times, or none.")).to_be_visible()
    assert axe(page) == []
    page.get_by_label("Urgent: First channel").select_option("email")
    page.get_by_label("to", exact=True).fill("07:00")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()


@SIZES
@pytest.mark.parametrize("action", ["accept", "decline", "snooze"])
def test_a_link_is_acted_on_from_a_phone_without_signing_in(
    live_server, page: Page, rep, lead, axe, complaints, size, action
):
    row = ActionLink.objects.create(
        action=action, user=rep.user, lead=lead, expires_at=timezone.now() + timedelta(hours=1)
    )
    page.set_viewport_size(size)
    page.goto(f"{live_server.url}/act/{links.token_of(row)}/")
    assert axe(page) == []
    assert fits(page)
    assert not Lead.objects.get(pk=lead.pk).accepted_at
    if action == "accept":
        page.get_by_role("button", name="Accept").click()
        expect(page.get_by_role("status")).to_have_text("You have accepted Ada Lovelace.")
        expect(page.get_by_role("link", name="Call +442071234567")).to_be_visible()
        assert axe(page) == []
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@SIZES
def test_a_lead_unsubscribes_in_its_language(live_server, page: Page, lead, axe, complaints, size, scheme):
    page.set_viewport_size(size)
    page.emulate_media(color_scheme=scheme)
    page.goto(live_server.url + urlsplit(url_of("ada@engines.example", "de")).path)
    assert (axe(page), fits(page)) == ([], True)
    page.get_by_role("button", name="Abmelden").click()
    expect(page.get_by_role("status")).to_have_text("Sie bekommen von uns keine E-Mails mehr an ada@engines.example.")
    assert axe(page) == []
    assert complaints == []


@SIZES
def test_the_template_editor_shows_what_one_types(live_server, page: Page, sign_in, axe, complaints, lead, size):
    sign_in(User.objects.create_superuser("boss", "boss@sales.example", "secret"), page.context)
    page.set_viewport_size(size)
    page.goto(f"{live_server.url}/admin/notifications/messagetemplate/add/?kind=assigned&channel=email")
    expect(page.locator(".template-subject")).to_have_text("New lead: Ada Lovelace")
    mail = page.frame_locator(".template-mail")
    expect(mail.get_by_role("heading", name="New lead: Ada Lovelace")).to_be_visible()
    page.get_by_label("with").select_option(str(lead.pk))
    page.locator("#id_text").fill("{% load x %}")
    expect(page.locator(".template-errors")).to_contain_text("the tag 'load' is not allowed")
    page.locator("#id_text").fill("Hurry: {{ lead }}")
    expect(page.locator(".template-text")).to_have_text("Hurry: Ada Lovelace")
    form, shown = (page.locator(name).bounding_box() for name in ("#messagetemplate_form", ".template-preview"))
    assert form
    assert shown
    if size == DESKTOP:  # beside the form, else below it
        assert (shown["x"] >= form["x"] + form["width"], abs(shown["y"] - form["y"]) < 5) == (True, True)
    else:
        assert (shown["x"], shown["y"] >= form["y"] + form["height"]) == (form["x"], True)
    assert (axe(page), fits(page)) == ([], True)
    assert complaints == []


def admin_pages(lead, rep) -> list[str]:
    """The pages on which admins set up and watch messages, with something on each."""
    told(rep, lead, channel="email", state="failed", reason="No such address.", error_code="smtp-550")
    Call.objects.create(lead=lead, rep=rep, direction="out", provider_id="CA1", status="completed", seconds=75)
    optouts.stop("sms", lead.phone, origin="STOP", now=timezone.now())
    sequence = make_sequence(0, 24)
    policy = GuardPolicy.objects.create(country="")
    lists = ("notification", "call", "stop", "inboundmessage", "channelswitch", "messagetemplate", "sequencerun")
    return [
        *(f"notifications/{name}/" for name in lists),
        f"notifications/guardpolicy/{policy.pk}/change/",
        f"notifications/sequence/{sequence.pk}/change/",
        f"notifications/call/{Call.objects.get().pk}/change/",
        "notifications/stop/add/",
        "pipeline/consent/",
    ]


@SIZES
def test_the_admin_pages_of_messages_fit_and_read_well(
    live_server, page: Page, sign_in, axe, complaints, rep, lead, size
):
    sign_in(User.objects.create_superuser("boss", "boss@sales.example", "secret"), page.context)
    page.set_viewport_size(size)
    for path in admin_pages(lead, rep):
        page.goto(f"{live_server.url}/admin/{path}")
        assert (path, axe(page), fits(page)) == (path, [], True)
    assert complaints == []


@SIZES
def test_the_secret_of_a_webhook_is_read_and_copied_once(live_server, reps_page: Page, axe, size):
    page = reps_page
    page.set_viewport_size(size)
    page.goto(live_server.url + "/my/notifications/")
    webhook = page.locator(".address", has=page.get_by_label("Webhook"))
    webhook.get_by_label("Webhook").fill("https://127.0.0.1/hook")
    webhook.get_by_role("button", name="Save and confirm").click()
    expect(page.get_by_label("Signing secret")).to_have_value(re.compile("^whsec_"))
    assert (axe(page), fits(page)) == ([], True)
    page.goto(live_server.url + "/my/notifications/")
    expect(page.get_by_role("button", name="Make a new signing secret")).to_be_visible()
    expect(page.get_by_label("Signing secret")).to_have_count(0)
