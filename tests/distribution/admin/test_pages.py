"""Every list and every form of the admin opens, for a page of rows as cheaply as for a few."""

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from distribution.compiling import live_world
from distribution.models import Pool, Rep, Territory
from pipeline.models import Lead
from tests.distribution.admin.company import MODELS, address, build_company

MOST_QUERIES = 14
# Pages that show more than rows of one table.
MORE_QUERIES = {
    "pipeline.Lead": 24,
    "distribution.Decision": 24,
    "distribution.Rep": 22,
    "distribution.WorkingHours": 18,
    "distribution.SLAPolicy": 18,
    "distribution.RoutingRule": 30,
    "distribution.RuleSet": 34,
}


@pytest.fixture
def boss(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("boss", password="secret"))
    return client


def queries_of(client: Client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        response = client.get(url)
    assert response.status_code == 200, f"{url}: {response.status_code}"
    return [query["sql"] for query in captured.captured_queries]


def growing(client: Client, urls: dict[type[Model], str]) -> str:
    """The pages that cost more with more rows, or too much, with their queries; empty when there are none."""
    few = {model: len(queries_of(client, url)) for model, url in urls.items() if queries_of(client, url)}
    build_company(2, 6)
    live_world()  # compiled once per change, whatever page is first
    many = {model: queries_of(client, url) for model, url in urls.items()}
    return "\n\n".join(
        f"{model._meta.label}: {few[model]} queries became {len(queries)}\n" + "\n".join(sql[:250] for sql in queries)
        for model, queries in many.items()
        if len(queries) > min(few[model], MORE_QUERIES.get(model._meta.label, MOST_QUERIES))
    )


def test_every_list_opens_and_costs_the_same_for_few_and_for_many_rows(boss: Client):
    build_company(0, 2)
    assert growing(boss, {model: address(model, "changelist") for model in MODELS}) == ""


def test_every_form_opens_and_costs_the_same_for_few_and_for_many_rows(boss: Client):
    build_company(0, 2)
    first = {model: model._default_manager.order_by("pk").first() for model in MODELS}
    assert [model for model, obj in first.items() if obj is None] == []
    assert growing(boss, {model: address(model, "change", obj.pk) for model, obj in first.items() if obj}) == ""


def test_the_front_page_names_the_sections_in_the_order_they_are_set_up(boss: Client):
    text = boss.get(reverse("admin:index")).content.decode()
    titles = ("1. People", "2. Where leads", "3. Who gets", "4. Leads", "5. Messages", "6. History")
    places = [text.index(title) for title in titles]
    assert places == sorted(places)


def test_every_model_in_the_admin_is_in_the_menu_or_reached_from_it():
    from leadcrm.adminmenu import SECTIONS

    listed = {entry.target for entries in SECTIONS.values() for entry in entries}
    reached = {
        "pipeline.SourceKey",  # from a source
        "distribution.TerritoryArea",  # from a territory
        "django_celery_beat.IntervalSchedule",  # from a periodic task
        "django_celery_beat.CrontabSchedule",
    }
    assert {model._meta.label for model in MODELS} - listed - reached == set()


def test_somebody_who_may_see_nothing_gets_an_empty_menu(client: Client, db: None):
    client.force_login(User.objects.create_user("guest", is_staff=True))
    text = client.get(reverse("admin:index")).content.decode()
    assert "Pools" not in text
    assert "Rep" not in text


def test_a_territory_with_ten_thousand_areas_shows_a_page_of_them(boss: Client):
    from distribution.models import TerritoryArea

    territory = Territory.objects.create(name="Large")
    TerritoryArea.objects.bulk_create(
        [TerritoryArea(territory=territory, country="DE", postal_from=f"{code:05}") for code in range(10_000)]
    )
    text = boss.get(address(Territory, "change", territory.pk)).content.decode()
    assert "List of all 10000" in text
    assert 20 < text.count('-postal_from"') < 60


@pytest.mark.parametrize("model", [Lead, Pool, Rep, Territory], ids=lambda model: model._meta.label)
def test_nobody_can_delete_what_history_names(boss: Client, model: type[Model]):
    build_company(0, 1)
    first = model._default_manager.order_by("pk").first()
    assert first is not None
    assert boss.get(address(model, "delete", first.pk)).status_code == 403
