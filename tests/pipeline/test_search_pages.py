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


def many_leads(number, **fields):
    """Named Zuse0 and so on, beside a lead that there is."""
    there = Lead.objects.first()
    same = {"source": there.source, "stage": there.stage, "team": there.team} | fields
    return Lead.objects.bulk_create(Lead(last_name=f"Zuse{n}", **same) for n in range(number))


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


@pytest.mark.parametrize(("there", "said"), [(30, 0), (31, 1)])
@pytest.mark.parametrize("what", ["leads", "accounts"])
def test_the_page_says_when_there_is_more_than_it_shows(people, account, what, there, said):
    if what == "leads":
        many_leads(there)
    else:
        Account.objects.bulk_create(Account(name=f"Zuse {n}", owner=people.owner) for n in range(there))
    page = search(people.owner, "zuse").content.decode()
    assert page.count("<bdi>Zuse") == 30
    assert page.count("The first 30. Type more to narrow it.") == said
    assert "More hits" not in page


def test_leads_one_may_not_see_are_not_more(people, account):
    many_leads(30)
    many_leads(5, team=people.other_team)
    assert "Type more" not in search(people.owner, "zuse").content.decode()


@pytest.mark.parametrize(("there", "leads_on"), [(6, False), (7, True)])
def test_the_box_in_the_header_leads_on_to_the_page_when_there_is_more(people, account, there, leads_on):
    many_leads(there, company="A & B/C")
    part = search(people.owner, "b/c zuse", headers={"HX-Request": "true"}).content.decode()
    assert part.count("<bdi>Zuse") == 6
    assert (f'href="{reverse("search")}?q=b%2Fc%20zuse">More hits</a>' in part) == leads_on
    assert "Type more" not in part


def test_a_page_that_the_browser_restores_is_whole(people, account):
    many_leads(7)
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    page = search(people.owner, "zuse", headers=headers).content.decode()
    assert "<html" in page
    assert page.count("<bdi>Zuse") == 7


def test_the_leads_of_an_account_stand_on_pages(people, account):
    many_leads(150, account=account)
    many_leads(60, account=account, team=people.other_team)
    address = reverse("account", args=[account.uid])
    first, second, beyond, rubbish = (
        signed_in(people.owner).get(address, {"page": page}).content.decode() for page in ("1", "2", "99", "-x")
    )
    assert (first.count("<bdi>Zuse"), second.count("<bdi>Zuse")) == (100, 50)
    assert "Ada Byron" in second  # the oldest
    assert "Page 1 of 2" in first
    assert 'href="?page=2">Next' in first
    assert 'href="?page=1">Before' in second
    assert "Page 2 of 2" in beyond
    assert "Page 1 of 2" in rubbish


def test_an_account_with_few_leads_has_no_pages(people, account):
    many_leads(99, account=account)
    page = signed_in(people.owner).get(reverse("account", args=[account.uid])).content.decode()
    assert page.count("<bdi>Zuse") == 99
    assert "Page 1" not in page


def test_pages_of_many_leads_ask_the_database_little(people, account, django_assert_max_num_queries):
    many_leads(150, account=account)
    client = signed_in(people.owner)
    for address, asked, most in (
        (reverse("account", args=[account.uid]), {}, 11),
        (reverse("search"), {"q": "zuse"}, 15),
    ):
        client.get(address, asked)  # fills the caches
        with django_assert_max_num_queries(most):
            client.get(address, asked)


def test_an_account_of_others_does_not_exist_for_a_stranger(people, account):
    assert signed_in(people.stranger).get(reverse("account", args=[account.uid])).status_code == 404


def test_who_has_not_signed_in_is_asked_to(client, people, account):
    for address in (reverse("search"), reverse("account", args=[account.uid])):
        assert client.get(address).url.startswith("/login/")
