"""Admins write message templates: checked, previewed, versioned."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from notifications.content import content_of
from notifications.models import ActionLink, GuardPolicy, MessageTemplate
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead
from tests.notifications.messages import NOW
from tests.notifications.test_content import message

pytestmark = pytest.mark.django_db

LIST = "/admin/notifications/messagetemplate/"


@pytest.fixture
def boss() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", "boss@sales.example", "secret"))
    return client


def filled(**changed):
    defaults = {"kind": "assigned", "channel": "", "language": "en", "subject": "Hi", "text": "{{ lead }}", "html": ""}
    return {**defaults, "content_sid": "", "active": "on", **changed}


def test_a_template_is_saved_and_used(boss):
    assert boss.post(f"{LIST}add/", filled(text="Look: {{ lead }}")).status_code == 302
    assert content_of(message(make_rep("Sam Rivera"), channel="sms"), NOW).text == "Look: Ada Lovelace"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"text": "a\n{% load x %}"}, "Line 2: the tag &#x27;load&#x27; is not allowed"),
        ({"subject": "{{ nobody }}"}, "Line 1: there is no field &#x27;nobody&#x27;"),
        ({"html": "{{ name|safe }}"}, "the filter &#x27;safe&#x27; is not allowed"),
        ({"text": ""}, "This field is required."),
        ({"kind": "pigeon"}, "pigeon is not one of the available choices"),
        ({"channel": "pigeon"}, "pigeon is not one of the available choices"),
        ({"language": "xx"}, "xx is not one of the available choices"),
        ({"content_sid": "HX1"}, "Only WhatsApp has approved templates."),
    ],
)
def test_what_cannot_be_sent_is_not_saved_and_says_why_at_its_field(boss, changed, said):
    answer = boss.post(f"{LIST}add/", filled(**changed))
    assert answer.status_code == 200
    assert said in answer.text
    assert not MessageTemplate.objects.exists()


def test_a_second_template_for_the_same_is_refused(boss):
    boss.post(f"{LIST}add/", filled())
    assert "already exists" in boss.post(f"{LIST}add/", filled()).text


def test_a_new_template_begins_with_the_default_text(boss):
    page = boss.get(f"{LIST}add/?kind=reminder&channel=sms&language=de").text
    assert "Erinnerung: {{ lead }} wartet auf Sie" in page
    assert boss.get(f"{LIST}add/?kind=pigeon&language=%00").status_code == 200


def test_an_earlier_version_can_be_put_back_and_so_can_the_default(boss):
    boss.post(f"{LIST}add/", filled(text="First {{ lead }}"))
    template = MessageTemplate.objects.get()
    boss.post(f"{LIST}{template.pk}/change/", filled(text="Second {{ lead }}"))
    first = template.history.earliest()
    version = f"{LIST}{template.pk}/history/{first.history_id}/"
    assert "First" in boss.get(version).text
    boss.post(version, filled(text="First {{ lead }}"))
    template.refresh_from_db()
    assert template.text == "First {{ lead }}"
    default = reverse("admin:notifications_messagetemplate_take_default", args=[template.pk])
    assert "become those of the default set" in boss.get(default).text
    template.refresh_from_db()
    assert template.text == "First {{ lead }}"
    boss.post(default)
    template.refresh_from_db()
    assert template.subject == "New lead: {{ lead }}"
    assert template.history.count() >= 4


def preview(boss, **changed):
    return boss.post(f"{LIST}preview/", filled(**changed)).text


def test_the_preview_fills_in_a_real_lead_and_stores_nothing(boss):
    lead = make_lead(last_name="Novak<b>", company="Nov Ltd")
    shown = preview(boss, text="{{ lead }}: {{ link_accept }}", preview_lead=str(lead.pk), channel="sms")
    assert "Novak&lt;b&gt;: https://crm.example/act/a/" in shown
    assert "characters, 1 message (GSM-7)" in shown
    assert not ActionLink.objects.exists()
    assert not MessageTemplate.objects.exists()


def test_the_preview_works_without_a_lead_and_for_kinds_that_go_to_leads(boss):
    assert "Ada Lovelace" in preview(boss)
    lead = make_lead(first_name="Ada", last_name="Novak", phone="+4930123456")
    assert "Hello Ada" in preview(boss, kind="follow_up", text="Hello {{ first_name }}", preview_lead=str(lead.pk))
    assert "Ada Lovelace" in preview(boss, preview_lead="99999999999999999999")


def test_the_preview_shows_the_postal_address_below_what_leads_get(boss):
    GuardPolicy.objects.create(postal_address="Acme Ltd\n1 Mill Lane")
    assert "1 Mill Lane" in preview(boss, kind="follow_up", channel="email")
    assert "1 Mill Lane" not in preview(boss, kind="assigned", channel="email")


def test_the_preview_counts_what_costs_more(boss):
    assert "because of ç" in preview(boss, text="ç {{ lead }}", channel="sms")
    assert "characters" not in preview(boss, channel="email")


def test_the_preview_says_what_is_wrong_while_one_types(boss):
    assert "Line 1: the tag &#x27;include&#x27; is not allowed" in preview(boss, text="{% include 'x' %}")


def test_the_preview_is_for_who_may_see_templates(boss):
    rep = make_rep("Sam Rivera").user
    client = Client()
    client.force_login(rep)
    assert client.post(f"{LIST}preview/", filled()).status_code in (302, 403)
    User.objects.filter(pk=rep.pk).update(is_staff=True)
    assert client.post(f"{LIST}preview/", filled()).status_code == 403
    assert boss.get(f"{LIST}preview/").status_code == 405


@pytest.mark.parametrize("model", ["messagetemplate", "contactaddress", "channelchoice"])
def test_the_lists_open(boss, model):
    boss.post(f"{LIST}add/", filled())
    assert boss.get(f"/admin/notifications/{model}/").status_code == 200
