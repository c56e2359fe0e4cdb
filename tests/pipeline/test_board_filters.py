"""What a board is narrowed to, and kept as views."""

from datetime import timedelta
from threading import Thread

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.models.signals import pre_save
from django.utils import timezone

from distribution.models import Territory, TerritoryArea
from pipeline.models import SavedView
from tests.distribution.setups import make_pool
from tests.distribution.world import make_lead, make_source, stages
from tests.pipeline.people import make_people, owned, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def client(people):
    return signed_in(people.manager)


@pytest.fixture
def leads(people):
    now = timezone.now()
    owned(people, last_name="Plain")
    owned(people, last_name="Mate", owner=people.teammate)
    owned(people, last_name="Nobody", owner=None, routing_state="unassigned")
    owned(people, last_name="Sourced", source=make_source("fair"))
    owned(people, last_name="Hot", score=80)
    owned(people, last_name="Old", created_at=now - timedelta(days=10))
    owned(people, last_name="Late", respond_by=now - timedelta(minutes=1))
    owned(people, last_name="Müller-Lüdenscheidt", company="Wanne GmbH", phone="+4930123456")
    owned(people, last_name="Bavarian", country="DE", postal_code="80331")


def titles(response):
    assert response.status_code == 200
    return {card.title for column in response.context["board"].columns for card in column.cards}


_ALL = None
EVERYBODY = {"Plain", "Mate", "Nobody", "Sourced", "Hot", "Old", "Late", "Müller-Lüdenscheidt", "Bavarian"}


def lookup(people, value):
    return {"TEAMMATE": people.teammate.pk, "TEAM": people.team.pk, "FAIR": make_source("fair").pk}.get(value, value)


@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [
        ("owner", "TEAMMATE", {"Mate"}),
        ("team", "TEAM", EVERYBODY),
        ("source", "FAIR", {"Sourced"}),
        ("score", "70", {"Hot"}),
        ("age", "7", EVERYBODY - {"Old"}),
        ("age", "over7", {"Old"}),
        ("overdue", "1", {"Late"}),
        ("unassigned", "1", {"Nobody"}),
        ("q", "muller", {"Müller-Lüdenscheidt"}),
        ("q", "WANNE lüden", {"Müller-Lüdenscheidt"}),
        ("q", "wanne plain", set()),
        ("q", "30123456", {"Müller-Lüdenscheidt"}),
        ("q", "100%_'\"\\", set()),
        ("owner", "999999", set()),
        ("territory", "999999", set()),
    ],
)
def test_each_filter_narrows_the_board(client, people, leads, name, value, seen):
    assert titles(client.get("/board/sales/", {"who": "team", name: lookup(people, value)})) == seen


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("owner", "x"),
        ("owner", "9" * 40),
        ("score", "-1"),
        ("age", "never"),
        ("overdue", "yes"),
        ("q", " "),
        ("owner", "²"),
    ],
)
def test_a_filter_that_makes_no_sense_narrows_nothing(client, leads, name, value):
    assert titles(client.get("/board/sales/", {"who": "team", name: value})) == EVERYBODY


@pytest.mark.parametrize(
    "area", [{"country": "DE"}, {"country": "DE", "postal_from": "80*"}, {"country": "DE", "postal_from": "80331"},
             {"country": "DE", "postal_from": "80000", "postal_to": "81999"}]
)  # fmt: skip
def test_a_territory_narrows_to_the_leads_that_lie_in_it(client, people, leads, area):
    territory = Territory.objects.create(name="Bavaria")
    TerritoryArea.objects.create(territory=territory, **area)
    TerritoryArea.objects.create(territory=territory, country="AT")
    owned(people, last_name="Elsewhere", country="FR", postal_code="80331")
    assert titles(client.get("/board/sales/", {"who": "team", "territory": territory.pk})) == {"Bavarian"}


def test_a_name_of_an_owner_shows_also_what_is_not_ones_own(people, leads):
    response = signed_in(people.manager).get("/board/sales/", {"who": "mine", "owner": people.teammate.pk})
    assert titles(response) == {"Mate"}


def test_filters_stay_in_every_address_and_are_taken_away_one_by_one(client, people, leads):
    response = client.get("/board/sales/", {"who": "team", "score": "70", "q": "hot"})
    board, chips = response.context["board"], response.context["chips"]
    assert "score=70&q=hot" in board.url
    assert [(chip.label, "score" in chip.url, "q=" in chip.url) for chip in chips] == [
        ("Score from 70", False, True),
        ("“hot”", True, False),
    ]


def test_the_panel_offers_only_people_and_teams_one_sees(people, leads):
    page = signed_in(people.owner).get("/board/sales/filters/").content.decode()
    assert "Teammate Person" in page
    assert "Stranger Person" not in page
    assert "Paris" not in page


def test_the_panel_offers_only_sources_of_leads_and_territories_of_people_one_sees(people, leads):
    make_lead(last_name="Foreign", team=people.other_team, source=make_source("partner-of-paris"))
    for name, rep in (("Bavaria", people.teammate.rep), ("Provence", people.stranger.rep)):
        Territory.objects.create(name=name).reps.add(rep)
    Territory.objects.create(name="Tyrol", owner=people.owner.rep)
    Territory.objects.create(name="Saxony", pool=make_pool("East", people.owner.rep))

    def offered(user):
        panel = signed_in(user).get("/board/sales/filters/").context["panel"]
        return [{name for _, name in pairs} for pairs in (panel.sources, panel.territories)]

    assert offered(people.owner) == [{"web", "fair"}, {"Bavaria", "Tyrol", "Saxony"}]
    assert offered(people.stranger) == [{"partner-of-paris"}, {"Provence"}]
    everything = [{"web", "fair", "partner-of-paris"}, {"Bavaria", "Provence", "Saxony", "Tyrol"}]
    assert offered(User.objects.create_superuser("root")) == everything


def test_the_address_of_a_filter_tells_no_name_that_one_does_not_see(people, leads):
    foreign = make_source("partner-of-paris")
    chips = signed_in(people.owner).get("/board/sales/", {"source": foreign.pk}).context["chips"]
    assert [chip.label for chip in chips] == ["Source: another"]


# --- Views -------------------------------------------------------------------------------------


def test_filters_are_kept_as_a_view_and_the_same_name_keeps_others(client, people, leads):
    for score in ("70", "50"):
        query = f"who=team&score={score}&rubbish=1&cards=9"
        client.post("/board/sales/views/", {"name": " Hot ones ", "query": query})
    view = SavedView.objects.get()
    assert (view.user, view.name, view.query) == (people.manager, "Hot ones", "who=team&score=50")
    assert "/board/sales/?who=team&amp;score=50" in client.get("/board/sales/").content.decode()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_keep_one_view_at_once_neither_breaks_down(client, people):
    pipeline = stages()["open"].pipeline

    def somebody_is_faster(instance, **_):
        pre_save.disconnect(somebody_is_faster, sender=SavedView)
        view = SavedView(user=people.manager, pipeline=pipeline, name="hot ones", query="")

        def keep():
            view.save()
            connection.close()

        thread = Thread(target=keep)
        thread.start()
        thread.join()

    pre_save.connect(somebody_is_faster, sender=SavedView)
    response = client.post("/board/sales/views/", {"name": "Hot ones", "query": "score=70"})
    assert response.status_code == 302
    view = SavedView.objects.get()
    assert (view.name, view.query) == ("Hot ones", "score=70")


def test_a_view_needs_a_name(client, leads):
    client.post("/board/sales/views/", {"name": " ", "query": "score=70"})
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("page", ["", "table/"])
def test_kept_views_are_tabs_of_which_the_one_that_is_shown_stands_out(client, leads, page):
    for name, query in (("Hot ones", "who=team&score=70"), ("Late", "who=team&overdue=1")):
        client.post("/board/sales/views/", {"name": name, "query": query})
    shown = client.get(f"/board/sales/{page}?score=70&who=team").context
    assert [(view.label, view.current) for view in shown["views"]] == [("Hot ones", True), ("Late", False)]
    assert shown["views"][1].url == f"/board/sales/{page}?who=team&overdue=1"
    assert shown["kept"] == shown["views"][0]
    assert client.get(f"/board/sales/{page}?score=71&who=team").context["kept"] is None


def test_only_ones_own_views_are_shown_and_forgotten(client, people, leads):
    client.post("/board/sales/views/", {"name": "Hot ones", "query": "score=70"})
    view, other = SavedView.objects.get(), signed_in(people.owner)
    assert [shown.context["views"] for shown in (other.get("/board/"), other.get("/board/sales/table/"))] == [[], []]
    assert other.post(f"/board/sales/views/{view.pk}/forget/").status_code == 404
    client.post(f"/board/sales/views/{view.pk}/forget/")
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("part", ["", "table/"])
def test_where_nothing_fits_only_those_who_look_at_their_own_are_sent_to_the_team(client, leads, part):
    def told(who):
        return client.get(f"/board/sales/{part}", {"who": who, "q": "nobody at all"}).content.decode()

    assert "look at the whole team" in told("mine")
    assert "look at the whole team" not in told("team")
    assert "No leads fit. Take a filter away" in told("team")
