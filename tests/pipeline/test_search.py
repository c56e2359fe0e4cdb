"""What people find when they type a name, a company, an address or a number, and what they do not find."""

import pytest
from django.db import IntegrityError, connection, transaction

from pipeline import search, searchtext
from pipeline.models import Account, Lead, SearchText
from pipeline.search import search_accounts, search_leads
from tests.distribution.world import make_lead
from tests.pipeline.people import make_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def hans(people):
    make_lead(first_name="Ada", last_name="Byron", company="Analytical Engines", email="ada@engines.example")
    return make_lead(
        first_name="Hans",
        last_name="Müller",
        company="Blåbær Østfold AS",
        email="h.mueller@blabaer.example",
        phone="+4930123456",
        team=people.team,
    )


def found(user, text):
    return [lead.last_name for lead in search_leads(user, text, 10)]


@pytest.mark.parametrize(
    "text",
    [
        *("Müller", "muller", "MÜLLER", "hans müller", "müller hans", "Blåbær", "h.mueller@blabaer.example"),
        *(
            "mueller@blabaer",
            "hans blåbær",
            "  hans  ",
            "+49 30 123456",
            "0049 (0)30 / 12 34 56",
            "030-123456",
            "123456",
        ),
    ],
)
def test_a_lead_is_found_however_it_is_typed(people, hans, text):
    assert found(people.owner, text) == ["Müller"]


@pytest.mark.parametrize("text", ["Muler", "Hans Mullre", "Blabar Ostfold", "muellr"])
def test_a_slip_of_the_finger_is_forgiven(people, hans, text):
    assert found(people.owner, text) == ["Müller"]


@pytest.mark.parametrize(
    "text", ["", " ", "x", "%", "_", "%%%", "''", "\\", "hans xylophone", "1", "999999", "🦄", "a" * 5000]
)
def test_what_fits_nothing_finds_nothing(people, hans, text):
    assert found(people.owner, text) == []


def test_the_best_comes_first(people):
    for last_name in ("Smiith", "Smith", "Smithson"):
        make_lead(last_name=last_name, team=people.team)
    assert found(people.owner, "smith") == ["Smith", "Smithson", "Smiith"]


@pytest.mark.parametrize("text", ["clausen petra", "petra clausen", "Claussen, Petra", "petra claussen"])
@pytest.mark.parametrize("way", ["as the database does", "among the newest"])
def test_who_fits_all_the_words_comes_first_in_whatever_order_they_are_typed(people, monkeypatch, way, text):
    if way == "among the newest":
        monkeypatch.setattr(search, "_alike", search._alike_among_newest)
    petra = make_lead(first_name="Petra", last_name="Claussen", company="Quill", team=people.team)
    for first, last in (("Jonas", "Claussen"), ("Petra", "Imhoff"), ("Klaus", "Petersen"), ("Claus", "Petrasen")):
        make_lead(first_name=first, last_name=last, team=people.team)
    assert search_leads(people.owner, text, 5)[0] == petra


def test_strangers_find_nothing_of_others(people, hans):
    assert found(people.stranger, "Müller") == []
    Account.objects.create(name="Blåbær Østfold AS")
    assert search_accounts(people.stranger, "Blåbær", 10) == []


def test_accounts_of_ones_own_and_of_ones_leads_are_found_by_name_and_domain(people, hans):
    own = Account.objects.create(name="Zebra Ltd", domain="zebra.example", owner=people.owner)
    other = Account.objects.create(name="Zebra Two")
    Lead.objects.filter(pk=hans.pk).update(account=other)
    assert set(search_accounts(people.owner, "zebra", 10)) == {own, other}
    assert search_accounts(people.owner, "zebra.example", 10)[0] == own


def test_the_line_follows_the_lead(people, hans):
    Lead.objects.filter(pk=hans.pk).update(last_name="Schmidt")
    assert found(people.owner, "Schmidt") == ["Schmidt"]
    Lead.objects.filter(pk=hans.pk).update(routing_sentence="Kept.")
    assert SearchText.objects.filter(lead=hans).count() == 1


def test_leads_written_in_bulk_are_found_too(people, hans):
    Lead.objects.bulk_create(
        Lead(last_name=f"Zuse{n}", team=people.team, source=hans.source, stage=hans.stage) for n in range(3)
    )
    assert len(found(people.owner, "zuse")) == 3


def test_leads_older_than_the_triggers_get_their_line(people, hans):
    SearchText.objects.all().delete()
    assert found(people.owner, "Müller") == []
    searchtext.install(connection.alias)
    assert found(people.owner, "Müller") == ["Müller"]


def test_a_deleted_lead_takes_its_line_along(people, hans):
    Lead.objects.filter(last_name="Byron").delete()
    assert SearchText.objects.count() == 1


def test_a_line_belongs_to_one_thing(people, hans):
    account = Account.objects.create(name="Zebra")
    SearchText.objects.filter(lead=hans).delete()
    for fields in ({"account": None}, {"lead": hans}):
        with pytest.raises(IntegrityError), transaction.atomic():
            SearchText.objects.filter(account=account).update(**fields)


def test_one_question_finds_leads(people, hans, django_assert_max_num_queries):
    search_leads(people.owner, "hans muller", 10)  # fills the caches
    with django_assert_max_num_queries(8):
        search_leads(people.owner, "hans muller", 10)
