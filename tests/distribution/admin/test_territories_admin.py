"""Territories in the admin: areas are read and checked, in forms and in files."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from distribution.areas import NOTHING_SAID, read_area
from distribution.models import ConfigStamp, Territory, TerritoryArea
from pipeline.models import Account
from tests.distribution.setups import make_rule, make_rule_set, publish

IMPORT = "/admin/distribution/territoryarea/import/"


@pytest.fixture
def boss(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ({"country": "Germany"}, {"country": "DE"}),
        ({"region": "US-CA"}, {"country": "US", "region": "US-CA"}),
        ({"country": "de", "region": "Bayern"}, {"country": "DE", "region": "DE-BY"}),
        ({"country": "DE", "postal_from": "D-80331"}, {"postal_from": "80331", "postal_to": ""}),
        ({"country": "DE", "postal_from": " 80 * "}, {"postal_from": "80*"}),
        (
            {"country": "DE", "postal_from": "80000", "postal_to": "81999"},
            {"postal_from": "80000", "postal_to": "81999"},
        ),
        ({"industry": "  Steel "}, {"industry": "Steel"}),
        ({"employees_from": 0}, {"employees_from": 0}),
    ],
)
def test_an_area_is_stored_in_its_one_written_form(raw: dict[str, Any], stored: dict[str, Any]):
    area, errors = read_area(raw)
    assert errors == {}
    assert stored.items() <= area.items()


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ({}, "country"),
        ({"country": "Atlantis"}, "country"),
        ({"postal_from": "80331"}, "country"),
        ({"country": "DE", "region": "US-CA"}, "region"),
        ({"country": "DE", "region": "Tyrol"}, "region"),
        ({"country": "DE", "postal_from": "123"}, "postal_from"),
        ({"country": "DE", "postal_to": "80331"}, "postal_from"),
        ({"country": "DE", "postal_from": "*"}, "postal_from"),
        ({"country": "DE", "postal_from": "8!*"}, "postal_from"),
        ({"country": "DE", "postal_from": "80*", "postal_to": "81999"}, "postal_to"),
        ({"country": "DE", "postal_from": "80331", "postal_to": "80000"}, "postal_to"),
        ({"country": "GB", "postal_from": "E1", "postal_to": "SW1A"}, "postal_to"),
        ({"employees_from": 10, "employees_to": 9}, "employees_to"),
    ],
)
def test_what_is_wrong_with_an_area_is_said_of_its_field(raw: dict[str, Any], field: str):
    assert set(read_area(raw)[1]) == {field}


def form_of(territory: Territory, *areas: dict[str, Any]) -> dict[str, Any]:
    form: dict[str, Any] = {"name": territory.name, "priority": 0, "areas-TOTAL_FORMS": len(areas)}
    form["areas-INITIAL_FORMS"] = 0
    for number, area in enumerate(areas):
        form |= {f"areas-{number}-{name}": value for name, value in area.items()}
    return form


def change(client: Client, territory: Territory, *areas: dict[str, Any]) -> Any:
    url = reverse("admin:distribution_territory_change", args=[territory.pk])
    return client.post(url, form_of(territory, *areas))


def test_areas_are_added_in_the_form_of_the_territory_and_routing_hears_of_it(boss: Client):
    territory = Territory.objects.create(name="Bavaria")
    before = ConfigStamp.objects.get(kind="territories").version
    assert change(boss, territory, {"country": "Germany", "region": "Bayern"}).status_code == 302
    area = territory.areas.get()
    assert (area.country, area.region) == ("DE", "DE-BY")
    assert ConfigStamp.objects.get(kind="territories").version > before


def test_an_impossible_area_is_refused_on_its_field(boss: Client):
    territory = Territory.objects.create(name="Bavaria")
    response = change(
        boss, territory, {"country": "DE", "postal_from": "80331", "postal_to": "80000"}, {"region": "Nowhere"}
    )
    found = response.context["inline_admin_formsets"][0].formset.errors
    assert [set(row) for row in found] == [{"postal_to"}, {"region"}]
    assert not territory.areas.exists()


def test_a_line_that_says_nothing_is_refused(boss: Client):
    territory = Territory.objects.create(name="Bavaria")
    response = change(boss, territory, {"industry": "\u200b"})
    assert NOTHING_SAID in response.content.decode()
    assert not territory.areas.exists()


def test_a_territory_that_a_live_rule_asks_for_is_not_archived(boss: Client):
    territory, rules = Territory.objects.create(name="Bavaria"), make_rule_set()
    TerritoryArea.objects.create(territory=territory, country="DE")
    make_rule(rules, "South", ("territory", "in_territory", [territory.pk]), pool=rules.catch_all_pool)
    publish(rules)
    url = reverse("admin:distribution_territory_changelist")
    response = boss.post(url, {"action": "archive", "_selected_action": [territory.pk]}, follow=True)
    assert "the rule “South”" in response.content.decode()
    territory.refresh_from_db()
    assert territory.archived_at is None


# --- Files ---


def upload(client: Client, text: str | bytes) -> Any:
    data = text.encode() if isinstance(text, str) else text
    return client.post(IMPORT, {"import_file": SimpleUploadedFile("areas.csv", data), "format": "0", "resource": ""})


def confirm(client: Client, response: Any) -> Any:
    assert response.context.get("confirm_form"), response.content.decode()[:5000]
    return client.post("/admin/distribution/territoryarea/process_import/", response.context["confirm_form"].initial)


def test_a_file_is_shown_first_and_imported_after_a_yes(boss: Client):
    south = Territory.objects.create(name="South")
    response = upload(boss, "territory,country,postal_from,postal_to\nsouth,Germany,80000,81999\nSouth,AT,1010,\n")
    assert not south.areas.exists()
    assert confirm(boss, response).status_code == 302
    assert set(south.areas.values_list("country", "postal_from", "postal_to")) == {
        ("DE", "80000", "81999"),
        ("AT", "1010", ""),
    }
    assert south.areas.first().history.count() == 1


def test_a_file_imported_twice_adds_nothing(boss: Client):
    south = Territory.objects.create(name="South")
    text = "territory,country\nSouth,DE\nSouth,DE\n"
    for _ in range(2):
        confirm(boss, upload(boss, text))
    assert south.areas.count() == 1


def test_each_bad_line_of_a_file_is_named_and_nothing_is_imported(boss: Client):
    south = Territory.objects.create(name="South")
    lines = "South,DE,80331,\nNorth,DE,,\nSouth,DE,12,\nSouth,DE,,Nobody Ltd\n"
    response = upload(boss, "territory,country,postal_from,account\n" + lines)
    text = response.content.decode()
    assert "There is no territory “North”" in text
    assert "is not a postal code of Germany" in text
    assert "There is no account “Nobody Ltd”" in text
    assert response.context.get("confirm_form") is None
    assert not south.areas.exists()


@pytest.mark.parametrize(
    "rubbish",
    [
        b"",
        b"\x00\x01\x02",
        b"\xff\xfe\x00",
        b"territory\n\xff\xfe\n",
        b"country\nDE\n",
        b"territory,shoe size\nSouth,42\n",
        b"territory,country\nSouth,D\x00E\n",
        b"territory,country\nSouth,DE,extra,cells\n",
        b"territory,employees_from\nSouth,\xd9\xa1\xd9\xa2\n",
        b"territory,employees_from\nSouth,99999999999999999999\n",
        b'territory,country\n"South,DE\n',
        b"territory,industry\nSouth," + b"x" * 200_000 + b"\n",
        b"PK\x03\x04 this is a zip",
    ],
)
def test_a_file_that_is_none_is_told_so_and_changes_nothing(boss: Client, rubbish: bytes):
    Territory.objects.create(name="South")
    response = upload(boss, rubbish)
    assert response.status_code == 200
    assert TerritoryArea.objects.count() == 0


def test_what_was_exported_can_be_imported_again(boss: Client):
    account = Account.objects.create(name="=Acme()")
    south = Territory.objects.create(name="South")
    TerritoryArea.objects.create(territory=south, country="DE", postal_from="80*", account=account, employees_to=50)
    fields = {f"areaform_{name}": "on" for name in ("territory", "account")}
    response = boss.post("/admin/distribution/territoryarea/export/", {"format": "0", "resource": "", **fields})
    text = response.content.decode()
    assert text.splitlines()[1] == "South,'=Acme(),DE,,80*,,,,50"
    TerritoryArea.objects.all().delete()
    confirm(boss, upload(boss, text))
    area = south.areas.get()
    assert (area.country, area.postal_from, area.account, area.employees_to) == ("DE", "80*", account, 50)


def test_ten_thousand_lines_are_imported_with_few_queries(boss: Client, django_assert_max_num_queries: Any):
    south = Territory.objects.create(name="South")
    lines = "".join(f"South,DE,{code:05}\n" for code in range(10_000, 20_000))
    with django_assert_max_num_queries(120):
        response = upload(boss, f"territory,country,postal_from\n{lines}")
        confirm(boss, response)
    assert south.areas.count() == 10_000


def test_somebody_who_may_only_look_cannot_import(client: Client, db: None):
    from django.contrib.auth.models import Permission

    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_territoryarea"))
    client.force_login(viewer)
    assert client.get(IMPORT).status_code == 403
