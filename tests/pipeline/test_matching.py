"""Who is known already."""

import pytest
from django.utils import timezone

from pipeline.matching import MOST_SHARED, Matches, match_account, match_accounts, match_people, match_person
from pipeline.models import Account, Lead
from tests.distribution.setups import make_rep
from tests.distribution.world import make_lead, stages

pytestmark = pytest.mark.django_db


def held_by(rep, **fields):
    return make_lead(owner=rep.user, routing_state="assigned", **fields)


@pytest.mark.parametrize(
    ("stored", "came"),
    [
        ({"email": "fp@odoo.com"}, {"email": "FP@odoo.com"}),
        ({"email": "fp@odoo.com"}, {"email": '"Fab" <fp@ODOO.COM>'}),
        ({"phone": "+12025550123"}, {"phone": "+1 202 555 0123"}),
        ({"phone": "+12025550123"}, {"phone": "(202) 555-0123", "country": "US"}),
        ({"email": "Raw@Odoo.com"}, {"email": "Raw@Odoo.com"}),
        ({"email": "fp@odoo.com", "phone": "+12025550123"}, {"email": "other@odoo.com", "phone": "+12025550123"}),
    ],
)
def test_the_same_person_is_recognised_however_the_address_was_written(stored, came):
    known = make_lead(**stored)
    assert match_person(make_lead(**came)).duplicate_of == known.pk


@pytest.mark.parametrize(
    ("stored", "came"),
    [
        ({"email": "fp@gmail.com"}, {"email": "not.fp@gmail.com"}),
        ({"email": "fp@odoo.com"}, {"email": "fp@sub.odoo.com"}),
        ({"email": "fp@odoo.com"}, {"email": "else@odoo.com"}),
        ({"email": "", "phone": ""}, {"email": "", "phone": ""}),
        ({"phone": "+12025550123"}, {"phone": "+12025550124"}),
        ({"email": "+12025550123"}, {"phone": "+12025550123"}),
        ({"external_id": "7"}, {"external_id": ""}),
    ],
)
def test_another_person_is_not_taken_for_the_same(stored, came):
    make_lead(**stored)
    assert match_person(make_lead(**came)).duplicate_of is None


def test_a_value_that_many_share_tells_nobody_apart():
    for _ in range(MOST_SHARED):
        make_lead(phone="+12025550123")
    assert match_person(make_lead(phone="+12025550123")).duplicate_of is not None
    make_lead(phone="+12025550123")
    assert match_person(make_lead(phone="+12025550123")).duplicate_of is None


def test_a_shared_phone_number_does_not_hide_a_personal_address():
    for _ in range(MOST_SHARED + 1):
        make_lead(phone="+12025550123")
    known = make_lead(email="ada@acme.example", phone="+12025550123")
    assert match_person(make_lead(email="ada@acme.example", phone="+12025550123")).duplicate_of == known.pk


def test_the_keeper_has_the_newest_open_lead_and_the_previous_owner_any():
    ann, ben, cleo = (make_rep(name) for name in ("Ann", "Ben", "Cleo"))
    first = held_by(ann, email="ada@acme.example")
    held_by(ben, email="ada@acme.example")
    held_by(cleo, email="ada@acme.example", stage=stages()["lost"], closed_at=timezone.now())
    matches = match_person(make_lead(email="ada@acme.example"))
    assert matches == Matches(first.pk, (ben.user_id, ann.user_id), cleo.user_id)


def test_closed_and_archived_leads_are_no_duplicates():
    now = timezone.now()
    make_lead(email="ada@acme.example", stage=stages()["won"], closed_at=now)
    make_lead(email="ada@acme.example", archived_at=now)
    matches = match_person(make_lead(email="ada@acme.example"))
    assert (matches.duplicate_of, matches.keepers) == (None, ())


def test_a_lead_that_came_in_later_is_no_original():
    early = make_lead(email="ada@acme.example")
    late = make_lead(email="ada@acme.example")
    assert match_person(early).duplicate_of is None
    assert match_person(late).duplicate_of == early.pk


def test_a_lead_that_is_not_stored_yet_is_matched_too():
    known = make_lead(email="ada@acme.example")
    assert match_person(Lead(email="ada@acme.example")).duplicate_of == known.pk


def test_many_leads_are_matched_as_each_alone_in_one_query(django_assert_num_queries):
    held_by(make_rep("Ann"), email="ada@acme.example")
    for _ in range(MOST_SHARED + 1):
        make_lead(phone="+12025550123")
    leads = [
        make_lead(**fields)
        for fields in ({"email": "ada@acme.example"}, {"phone": "+12025550123"}, {"email": "x@y.com"}, {})
    ]
    alone = [match_person(lead) for lead in leads]
    with django_assert_num_queries(1):
        assert match_people(leads) == alone


def test_a_value_is_shared_by_as_many_alone_as_among_many():
    leads = [make_lead(phone="+12025550123") for _ in range(MOST_SHARED + 1)]
    assert match_people(leads) == [match_person(lead) for lead in leads]
    assert match_person(leads[-1]).duplicate_of == leads[0].pk


# --- A person known by more than one sign ---------------------------------------------------------

MAIL, PHONE, OTHER_MAIL = "ada@acme.example", "+12025550123", "ada@home.example"


def closed(**fields):
    return make_lead(stage=stages()["lost"], closed_at=timezone.now(), **fields)


def waiting(**fields):
    return make_lead(routing_state="held", **fields)


@pytest.mark.parametrize("link", [closed, waiting])
def test_a_person_is_recognised_by_what_another_lead_tells_of_them(link, django_assert_num_queries):
    ann = make_rep("Ann")
    first = held_by(ann, email=MAIL)
    link(email=MAIL, phone=PHONE)
    third = make_lead(phone=PHONE)
    with django_assert_num_queries(2):
        alone = match_person(third)
    assert (alone.keepers, alone.previous_owner) == ((ann.user_id,), ann.user_id)
    assert alone.duplicate_of == first.pk
    with django_assert_num_queries(2):
        assert match_people([third]) == [alone]


def test_nothing_more_is_asked_when_somebody_has_the_person_already(django_assert_num_queries):
    ann, ben = make_rep("Ann"), make_rep("Ben")
    held_by(ben, email=OTHER_MAIL)
    held_by(ann, email=OTHER_MAIL, phone=PHONE)
    lead = make_lead(phone=PHONE)
    with django_assert_num_queries(1):
        assert match_person(lead).keepers == (ann.user_id,)


def test_nor_when_the_others_tell_nothing_new(django_assert_num_queries):
    closed(email=MAIL, phone=PHONE)
    lead = make_lead(email=MAIL, phone=PHONE)
    with django_assert_num_queries(1):
        assert match_person(lead) == Matches()


def test_a_value_that_many_share_links_nobody():
    held_by(make_rep("Ann"), phone=PHONE)
    for _ in range(MOST_SHARED):
        make_lead(phone=PHONE)
    closed(email=MAIL, phone=PHONE)
    lead = make_lead(email=MAIL)
    assert match_person(lead) == match_people([lead])[0] == Matches()


# --- Accounts ----------------------------------------------------------------------------------


def company(name="Acme GmbH", **more):
    return Account.objects.create(name=name, **more)


@pytest.mark.parametrize(
    ("account", "lead"),
    [
        ({"domain": "acme.com"}, {"email": "jo@acme.com"}),
        ({"domain": "acme.com"}, {"email": "jo@mail.acme.com"}),
        ({"domain": "https://www.acme.com/"}, {"email": "jo@ACME.com"}),
        ({"domain": "acme.co.uk"}, {"email": "jo@gmail.com", "website": "https://shop.acme.co.uk/x"}),
        ({"country": "DE"}, {"company": "ACME Gmbh & Co. KG", "country": "DE"}),
        ({"city": "München", "country": "DE"}, {"company": "Acmé", "city": "munchen", "country": "DE"}),
        ({"postal_code": "80331"}, {"company": "The Acme Inc.", "postal_code": "80331"}),
        ({"domain": "acme.de"}, {"company": "Acme", "email": "jo@acme.com"}),
    ],
)
def test_a_company_is_known_by_its_domain_or_by_its_name_and_a_second_sign(account, lead):
    known = company(**account)
    assert match_account(make_lead(**lead)) == known


@pytest.mark.parametrize(
    ("account", "lead"),
    [
        ({"domain": "gmail.com"}, {"email": "jo@gmail.com"}),
        ({"domain": "acme.com"}, {"email": "jo@acme.org"}),
        ({}, {"company": "Acme"}),
        ({"country": "DE"}, {"company": "Acme", "country": "FR"}),
        ({"city": "Berlin", "country": "DE"}, {"company": "Acme", "city": "Berlin", "country": "US"}),
        ({"country": "DE"}, {"company": "Acorn", "country": "DE"}),
        ({"city": "Berlin", "domain": "acme.de"}, {"company": "Acme", "city": "Berlin", "email": "jo@other.com"}),
        ({"domain": "acme.com", "archived_at": timezone.now()}, {"email": "jo@acme.com"}),
        ({"domain": ""}, {}),
    ],
)
def test_a_company_is_not_guessed(account, lead):
    company(**account)
    assert match_account(make_lead(**lead)) is None


def test_of_two_companies_with_one_domain_the_one_nearby_is_meant():
    company("Acme Deutschland", domain="acme.com", country="DE")
    paris = company("Acme France", domain="acme.com", country="FR")
    assert match_account(make_lead(email="jo@acme.com", country="FR")) == paris
    assert match_account(make_lead(email="jo@acme.com", country="IT")) is None


def test_many_leads_find_their_companies_as_each_alone_in_one_query(django_assert_num_queries):
    company("Acme", domain="acme.com")
    company("Globex Corporation", country="US", city="Springfield")
    leads = [
        make_lead(**fields)
        for fields in (
            {"email": "jo@acme.com"},
            {"company": "Globex", "country": "US"},
            {"company": "Globex", "country": "FR"},
            {"email": "jo@gmail.com"},
        )
    ]
    alone = [match_account(lead) for lead in leads]
    with django_assert_num_queries(1):
        assert match_accounts(leads) == alone
    assert [account.name if account else None for account in alone] == ["Acme", "Globex Corporation", None, None]


def test_a_name_written_in_one_word_is_known_alone_and_among_many():
    known = company("Deutschebank", country="DE", postal_code="60325")
    lead = make_lead(company="Deutsche Bank", country="DE", postal_code="60325")
    assert match_account(lead) == known
    assert match_accounts([lead]) == [known]


def test_what_matching_compares_follows_every_change_of_an_account():
    account = company("Acme GmbH", domain="ACME.com")
    assert (account.name_key, account.domain) == ("acme", "acme.com")
    account.name = "Globex Inc."
    account.save(update_fields=["name"])
    account.refresh_from_db()
    assert account.name_key == "globex"


def test_a_company_is_found_by_its_whole_name_however_many_begin_alike():
    Account.objects.bulk_create(
        Account(name=f"Global {number}", name_key=f"global {number}", country="DE") for number in range(300)
    )
    known = company("Global Pumps", country="DE")
    assert match_account(make_lead(company="Global Pumps AG", country="DE")) == known
    assert match_account(make_lead(company="Global 299", country="DE", email="jo@acme.com")).name == "Global 299"
