"""The search page, its list for the box in the header, and the page of an account."""

import pytest
from django.urls import reverse

from pipeline.models import Account, Lead
from tests.distribution.world import make_lead
from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def account(people):
    account = Account.objects.create(
        name="Acme", domain="acme.example", owner=people.owner, city="Berlin", employees=1200
    )
    lead = make_lead(first_name="Ada", last_name="Byron", company="Acme", email="ada@acme.example", team=people.team)
    Lead.objects.filter(pk=lead.pk).update(account=account)
    return account


def search(user, text, **more):
    return signed_in(user).get(reverse("search"), {"q": text}, **more)


def test_the_page_shows_leads_and_accounts_and_links_to_them(people, account):
    page = search(people.owner, "acme").content.decode()
    lead = Lead.objects.get()
    assert reverse("lead", args=[lead.uid]) in page
    assert "Ada Byron" in page
    assert reverse("account", args=[account.uid]) in page


def test_the_box_in_the_header_gets_only_the_list(people, account):
    part = search(people.owner, "acme", headers={"HX-Request": "true"}).content.decode()
    assert "Ada Byron" in part
    assert "<html" not in part


def test_a_lead_that_somebody_spoke_with_says_in_which_stage_it_is(people, account):
    lead = Lead.objects.get()
    Lead.objects.filter(pk=lead.pk).update(
        owner=people.owner,
        routing_state="assigned",
        accepted_at=lead.created_at,
        first_contacted_at=lead.created_at,
    )
    assert f'<span class="badge good">{lead.stage.name}</span>' in search(people.owner, "acme").content.decode()


def test_nothing_found_says_what_to_try(people, account):
    assert "Nothing fits" in search(people.stranger, "acme").content.decode()
    assert "Nothing fits" not in search(people.stranger, "").content.decode()


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "\x00", "a" * 10_000, "\u202eevil", "' OR 1=1 --", "%"])
def test_rubbish_is_answered_and_escaped(people, account, text):
    answer = search(people.owner, text)
    assert answer.status_code == 200
    assert "<script>alert" not in answer.content.decode()


def test_an_account_shows_what_is_known_and_those_of_its_leads_one_may_see(people, account):
    hidden = make_lead(last_name="Hidden", email="hidden@acme.example", team=people.other_team)
    Lead.objects.filter(pk=hidden.pk).update(account=account)
    page = signed_in(people.owner).get(reverse("account", args=[account.uid])).content.decode()
    assert "acme.example" in page
    assert "1,200" in page
    assert "Ada Byron" in page
    assert "Hidden" not in page


def test_an_account_of_others_does_not_exist_for_a_stranger(people, account):
    assert signed_in(people.stranger).get(reverse("account", args=[account.uid])).status_code == 404


def test_who_has_not_signed_in_is_asked_to(client, people, account):
    for address in (reverse("search"), reverse("account", args=[account.uid])):
        assert client.get(address).url.startswith("/login/")
