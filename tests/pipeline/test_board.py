import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from distribution.models import Offer
from leadcrm.lib import access
from pipeline.board import CARDS, CLOSED_DAYS
from pipeline.models import Pipeline, Stage, Task
from tests.distribution.setups import make_rule_set, publish
from tests.distribution.world import make_lead, stages
from tests.pipeline.people import make_people, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def pipeline():
    stages()
    return Pipeline.objects.get()


def text(response):
    assert response.status_code == 200
    return response.content.decode()


def owned(people, user, **fields):
    return make_lead(owner=user, team=people.team, routing_state="assigned", **fields)


def waiting(people, **fields):
    return make_lead(**{"team": people.team, "routing_state": "claimable"} | fields)


def titles(response):
    board = response.context["board"]
    return [card.title for column in board.columns for card in column.cards]


def column(response, slug="open"):
    return next(column for column in response.context["board"].columns if column.head.slug == slug)


# --- Coming in ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/board/", "/board/sales/", "/board/sales/stage/open/", "/offers/"])
def test_a_visitor_signs_in_first_and_then_gets_where_they_wanted(pipeline, people, path):
    client = Client()
    response = client.get(path)
    assert response.headers["Location"] == f"/login/?next={path}"
    response = client.post(f"/login/?next={path}", {"username": "owner", "password": "secret"})
    assert response.headers["Location"] == path


def test_the_root_leads_to_the_board_or_to_the_sign_in(pipeline, people):
    assert Client().get("/", follow=True).redirect_chain[-1][0] == "/login/?next=/board/"
    assert signed_in(people.owner).get("/", follow=True).redirect_chain[-1][0] == "/board/"


def test_signing_out_ends_the_session(pipeline, people):
    client = signed_in(people.owner)
    assert client.post("/logout/").headers["Location"] == "/login/"
    assert client.get("/board/").status_code == 302


def test_a_part_asked_for_after_the_session_ended_takes_the_whole_page_to_the_sign_in(pipeline, people):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/board/sales/?who=team"}
    response = Client().get("/board/sales/stage/open/?who=team", headers=headers, follow=True)
    assert response.headers["HX-Redirect"] == "/login/?next=%2Fboard%2Fsales%2F%3Fwho%3Dteam"


def test_too_many_wrong_passwords_lock_the_name_and_say_for_how_long(people, settings):
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = 2
    client = Client()
    for _ in range(3):
        response = client.post("/login/", {"username": "owner", "password": "wrong"})
    assert response.status_code == 429
    assert "Try again in 60 minutes" in response.content.decode()


def test_without_a_pipeline_the_board_says_what_is_missing(people):
    assert "There is no pipeline yet" in text(signed_in(people.owner).get("/board/"))


def test_people_without_team_and_leads_are_told_why_they_see_nothing(pipeline, people):
    people.team.members.clear()
    page = text(signed_in(people.owner).get("/board/"))
    assert "You are in no team" in page
    assert "column-open" not in page


def test_people_without_team_still_see_a_lead_of_theirs(pipeline, people):
    owned(people, people.owner, last_name="Mine")
    people.team.members.clear()
    assert titles(signed_in(people.owner).get("/board/")) == ["Mine"]


# --- Whose leads -------------------------------------------------------------------------------


@pytest.fixture
def leads(people):
    owned(people, people.owner, last_name="Own")
    owned(people, people.teammate, last_name="Teammates")
    waiting(people, last_name="Claimable")
    waiting(people, last_name="Unassigned", routing_state="unassigned")
    make_lead(last_name="Foreign", team=people.other_team, routing_state="claimable")
    make_lead(last_name="Nobodys")


@pytest.mark.parametrize(
    ("who", "query", "seen"),
    [
        ("owner", "", {"Own", "Unassigned"}),
        ("owner", "?who=mine", {"Own", "Unassigned"}),
        ("owner", "?who=team", {"Own", "Claimable", "Unassigned"}),
        ("teammate", "", {"Teammates", "Unassigned"}),
        ("manager", "", {"Own", "Teammates", "Claimable", "Unassigned"}),
        ("manager", "?who=mine", {"Unassigned"}),
        ("stranger", "", set()),
        ("stranger", "?who=team", {"Foreign"}),
        ("owner", "?who=rubbish", {"Own", "Unassigned"}),
    ],
)
def test_everyone_sees_their_own_leads_what_may_be_taken_and_on_wish_the_teams(people, leads, who, query, seen):
    assert set(titles(signed_in(getattr(people, who)).get(f"/board/{query}"))) == seen


def test_who_may_see_all_leads_sees_them_without_being_in_a_team(people, leads):
    people.stranger.user_permissions.add(Permission.objects.get(codename="view_lead"))
    people.other_team.members.clear()
    assert len(titles(signed_in(people.stranger).get("/board/"))) == 6


@pytest.mark.parametrize("change", [{"routing_state": "excluded"}, {"archived_at": timezone.now()}])
def test_leads_kept_out_and_archived_ones_are_not_on_the_board(people, change):
    waiting(people, **{"routing_state": "unassigned"} | change)
    assert titles(signed_in(people.manager).get("/board/")) == []


def test_closed_leads_leave_the_board_after_a_while(people):
    for days, name in ((CLOSED_DAYS - 1, "Fresh"), (CLOSED_DAYS + 1, "Old")):
        closed = timezone.now() - timedelta(days=days)
        owned(people, people.owner, last_name=name, stage=stages()["won"], closed_at=closed)
    response = signed_in(people.owner).get("/board/")
    assert titles(response) == ["Fresh"]
    assert column(response, "won").head.sums.count == 1


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/leads/{uid}/", "GET"),
        ("/leads/{uid}/decision/", "GET"),
        ("/leads/{uid}/decision/1/", "GET"),
        ("/leads/{uid}/accept/", "POST"),
        ("/leads/{uid}/claim/", "POST"),
    ],
)
def test_a_stranger_is_told_that_there_is_no_such_lead(people, path, who):
    address = path.format(uid=owned(people, people.owner).uid)
    assert signed_in(people.stranger).generic(who, address).status_code == 404


@pytest.mark.parametrize("who", ["owner", "manager"])
def test_owner_and_manager_open_the_lead_and_its_decision(people, who):
    lead = owned(people, people.owner)
    client = signed_in(getattr(people, who))
    assert client.get(f"/leads/{lead.uid}/").status_code == 200
    assert client.get(f"/leads/{lead.uid}/decision/").status_code == 200


def test_a_watcher_reads_the_leads_of_a_team_and_changes_none(people):
    lead = owned(people, people.owner, last_name="Own")
    free = waiting(people, last_name="Claimable")
    Offer.objects.create(lead=free, team=people.team)
    watchers = Group.objects.create(name="Watchers")
    watchers.user_set.add(people.stranger)
    access.grant(watchers, "view_team_leads", people.team)
    client = signed_in(people.stranger)
    assert set(titles(client.get("/board/?who=team"))) == {"Own", "Claimable"}
    assert client.get(f"/leads/{lead.uid}/").status_code == 200
    for path in (f"/leads/{lead.uid}/accept/", f"/leads/{free.uid}/claim/"):
        assert client.post(path).status_code == 302
    lead.refresh_from_db()
    free.refresh_from_db()
    assert (lead.accepted_at, free.owner) == (None, None)


@pytest.mark.parametrize(
    "path", ["/board/nowhere/", "/board/sales/stage/nowhere/", "/board/old/", "/board/old/stage/open/"]
)
def test_what_is_not_there_or_archived_is_not_found(people, pipeline, path):
    old = Pipeline.objects.create(name="Old", slug="old", archived_at=timezone.now())
    Stage.objects.create(pipeline=old, name="open", slug="open")
    assert signed_in(people.owner).get(path).status_code == 404


# --- Cards -------------------------------------------------------------------------------------


def test_a_card_says_who_what_how_old_how_much_and_why(people):
    lead = owned(
        people,
        people.owner,
        first_name="Ada",
        last_name="Lovelace",
        company="Engines Ltd",
        product="Looms",
        value=Decimal("12500.00"),
        currency="GBP",
        score=71,
        created_at=timezone.now() - timedelta(hours=3),
    )
    card = column(signed_in(people.manager).get("/board/?who=team")).cards[0]
    assert (card.uid, card.title, card.company, card.product) == (str(lead.uid), "Ada Lovelace", "Engines Ltd", "Looms")
    assert (card.age, card.value, card.owner, card.initials) == ("3 h ago", "12,500 GBP", "Owner Person", "OP")
    assert (card.badge, card.source, card.score, card.step) == ("To accept", "web", 71, "")


@pytest.mark.parametrize(
    ("state", "who", "action"),
    [
        ("assigned", "owner", "accept"),
        ("assigned", "manager", ""),
        ("accepted", "owner", ""),
        ("claimable", "teammate", ""),
        ("offered", "teammate", "claim"),
        ("offered", "owner", ""),
        ("unassigned", "teammate", ""),
        ("closed", "owner", ""),
    ],
)
def test_a_card_offers_what_this_person_can_do(people, state, who, action):
    now = timezone.now()
    if state in ("assigned", "accepted", "closed"):
        marks: dict[str, Any] = {"accepted_at": now} if state == "accepted" else {}
        closed: dict[str, Any] = {"closed_at": now, "stage": stages()["lost"]} if state == "closed" else {}
        owned(people, people.owner, **marks, **closed)
    else:
        lead = waiting(people, routing_state="unassigned" if state == "unassigned" else "claimable")
        if state == "offered":
            Offer.objects.create(lead=lead, rep=people.teammate.rep)
    response = signed_in(getattr(people, who)).get("/board/?who=team")
    cards = [card for column in response.context["board"].columns for card in column.cards]
    assert [card.action for card in cards] == [action]
    assert any(f"/{act}/" in text(response) for act in ("accept", "claim")) == bool(action)


def test_hostile_names_are_shown_as_text(people):
    rough = "<script>alert(1)</script>"
    people.owner.first_name = '"><img src=x onerror=alert(2)>'
    people.owner.save()
    lead = owned(people, people.owner, last_name=rough, company="\u202egnp.exe", routing_sentence=rough, message=rough)
    client = signed_in(people.manager)
    for path in ("/board/", f"/leads/{lead.uid}/"):
        page = text(client.get(path))
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert re.search("<bdi[^>]*>\u202egnp.exe</bdi>", page)


def test_the_most_urgent_lead_comes_first_then_the_newest(people):
    now = timezone.now()
    for name, hours, respond_by in (
        ("Old", 5, None),
        ("New", 1, None),
        ("Later", 9, now + timedelta(hours=2)),
        ("Soon", 7, now + timedelta(hours=1)),
    ):
        owned(people, people.owner, last_name=name, created_at=now - timedelta(hours=hours), respond_by=respond_by)
    assert titles(signed_in(people.owner).get("/board/")) == ["Soon", "Later", "New", "Old"]


# --- Columns -----------------------------------------------------------------------------------


@pytest.fixture
def many(people):
    for number in range(CARDS + 5):
        owned(people, people.owner, last_name=f"L{number}", value=Decimal(100), value_base=Decimal(100), currency="EUR")


def test_a_column_counts_and_sums_all_its_leads_and_shows_the_first(people, many):
    shown = column(signed_in(people.owner).get("/board/"))
    assert (shown.head.sums.count, shown.head.total) == (CARDS + 5, "2,500 EUR")
    assert (len(shown.cards), shown.more) == (CARDS, 5)


def test_a_column_says_how_many_are_late_and_how_many_soon_will_be(people):
    now = timezone.now()
    for minutes in (-1, 10, 20, 300, None):
        owned(people, people.owner, respond_by=None if minutes is None else now + timedelta(minutes=minutes))
    sums = column(signed_in(people.owner).get("/board/")).head.sums
    assert (sums.count, sums.late, sums.soon, sums.bar) == (5, 1, 2, (20, 60))


def all_pages(client, query="who=mine", stage="open"):
    """The titles of a whole column, page by page as the links lead."""
    shown = column(client.get(f"/board/?{query}"), stage)
    seen, following = [card.title for card in shown.cards], shown.more_url
    while following:
        response = client.get(following, headers={"HX-Request": "true"})
        seen += [card.title for card in response.context["cards"]]
        following = response.context["more_url"]
    return seen


def test_a_column_is_read_to_its_end_without_gaps_and_repeats(people, many):
    now, same = timezone.now(), timezone.now() + timedelta(hours=1)
    for number in range(2 * CARDS):
        owned(people, people.owner, last_name=f"D{number}", respond_by=same if number % 3 else None, created_at=now)
    seen = all_pages(signed_in(people.owner))
    assert len(seen) == len(set(seen)) == 3 * CARDS + 5
    assert [name[0] for name in seen[: CARDS + 6]] == ["D"] * (CARDS + 6)


def test_the_closed_are_read_to_their_end_with_the_last_closed_first(people):
    now = timezone.now()
    for number in range(CARDS + 3):
        closed = now - timedelta(minutes=number)
        owned(people, people.owner, last_name=f"L{number}", stage=stages()["won"], closed_at=closed)
    assert all_pages(signed_in(people.owner), stage="won") == [f"L{number}" for number in range(CARDS + 3)]


def test_cards_sorted_by_hand_are_read_in_that_order(people, pipeline):
    Pipeline.objects.update(sorted_by_hand=True)
    now = timezone.now()
    for number in range(CARDS + 3):
        at = now - timedelta(minutes=number)
        owned(people, people.owner, last_name=f"L{number}", board_at=at, respond_by=now - timedelta(hours=number))
    assert all_pages(signed_in(people.owner)) == [f"L{number}" for number in range(CARDS + 3)]


def test_the_next_cards_are_a_page_of_their_own_and_a_part_for_htmx(people, many):
    client = signed_in(people.owner)
    address = column(client.get("/board/")).more_url
    page, part = client.get(address), client.get(address, headers={"HX-Request": "true"})
    for response in (page, part):
        assert len(response.context["cards"]) == 5
        assert "HX-Request" in response.headers["Vary"]
    assert "Back to the board" in text(page)
    assert text(part).lstrip().startswith('<li class="card')
    assert "show-more" not in text(part)


@pytest.mark.parametrize("after", ["-1", "x", "1-2-3", "9" * 400, "9" * 17, "-".join(["9" * 17] * 3), "²" * 17])
def test_a_place_that_makes_no_sense_is_no_breakdown(people, many, after):
    assert signed_in(people.owner).get("/board/sales/stage/open/", {"after": after}).status_code == 200


@pytest.mark.parametrize(
    ("task_in", "promise_in", "step"), [(1, 2, "Call back"), (2, 1, "Contact"), (1, None, "Call back")]
)
def test_a_card_says_what_comes_next_a_task_or_what_was_promised(people, task_in, promise_in, step):
    now = timezone.now()
    respond_by = now + timedelta(hours=promise_in) if promise_in else None
    lead = owned(people, people.owner, respond_by=respond_by, accepted_at=now)
    Task.objects.create(lead=lead, text="Call back", due_at=now + timedelta(hours=task_in))
    Task.objects.create(lead=lead, text="Later", due_at=now + timedelta(hours=9))
    Task.objects.create(lead=lead, text="Over", due_at=now, ended_at=now, end="done")
    card = column(signed_in(people.owner).get("/board/")).cards[0]
    assert (card.step, card.due.at) == (step, now + timedelta(hours=1))


@pytest.mark.parametrize(
    ("marks", "promised", "said"),
    [
        ((), False, ("To accept", "")),
        ((), True, ("", "Accept")),
        (("accepted_at",), False, ("Accepted", "")),
        (("accepted_at",), True, ("Accepted", "Contact")),
        (("accepted_at", "first_contacted_at"), True, ("", "Follow up")),
        (("accepted_at", "first_contacted_at"), False, ("", "")),
    ],
)
def test_a_card_says_each_thing_once_and_no_clock_without_what_it_counts(people, marks, promised, said):
    now = timezone.now()
    more = {"respond_by": now + timedelta(hours=1)} if promised else {}
    owned(people, people.owner, **dict.fromkeys(marks, now), **more)
    card = column(signed_in(people.manager).get("/board/?who=team")).cards[0]
    assert (card.badge, card.step) == said
    assert bool(card.due) == promised


def test_the_button_to_accept_says_what_its_clock_counts(people):
    owned(people, people.owner, respond_by=timezone.now() + timedelta(hours=1))
    card = column(signed_in(people.owner).get("/board/")).cards[0]
    assert (card.action, card.badge, card.step, bool(card.due)) == ("accept", "", "", True)


def test_a_card_that_stays_too_long_in_its_stage_says_so(people, pipeline):
    Stage.objects.filter(slug="open").update(rot_days=5)
    long_ago = timezone.now() - timedelta(days=6)
    owned(people, people.owner, last_name="Stale", stage_since=long_ago)
    owned(people, people.owner, last_name="Fresh")
    cards = column(signed_in(people.owner).get("/board/")).cards
    assert {card.title: card.rotting for card in cards} == {"Stale": 6, "Fresh": 0}


def test_the_board_changes_nothing_and_cannot_be_posted_to(people, pipeline):
    assert signed_in(people.owner).post("/board/").status_code == 405


def test_the_board_costs_as_many_queries_with_sixty_leads_as_with_one(people):
    client = signed_in(people.teammate)
    publish(make_rule_set("Rules"))  # whose hours are read once, not for every page
    owned(people, people.teammate)
    waiting(people)
    client.get("/board/?who=team")  # fills the cache of content types
    with CaptureQueriesContext(connection) as few:
        client.get("/board/?who=team")
    for number in range(60):
        owned(people, people.owner if number % 2 else people.teammate, last_name=f"L{number}")
        Offer.objects.create(lead=waiting(people, last_name=f"W{number}"), rep=people.teammate.rep)
    with CaptureQueriesContext(connection) as lots:
        client.get("/board/?who=team")
    assert len(lots) == len(few)
    assert len(few) <= 12  # three of them for the head of the page


# --- The page of a lead ------------------------------------------------------------------------


def test_the_lead_page_shows_its_facts_and_links_to_write_call_and_open(people):
    lead = owned(
        people,
        people.owner,
        email="ada@engines.example",
        phone="+4930123456",
        website="https://engines.example",
        city="Berlin",
        postal_code="10115",
        country="DE",
        attributes={"budget_year": 2027, "gdpr": True},
    )
    page = text(signed_in(people.owner).get(f"/leads/{lead.uid}/"))
    for link in ("mailto:ada@engines.example", "tel:+4930123456", "https://engines.example"):
        assert f'href="{link}"' in page
    assert "10115 Berlin, Germany" in page
    assert "budget_year" in page


def test_a_website_that_is_no_web_address_is_no_link(people):
    lead = owned(people, people.owner, website="javascript:alert(1)")
    page = text(signed_in(people.owner).get(f"/leads/{lead.uid}/"))
    assert 'href="javascript' not in page
    assert "javascript:alert(1)" in page


def test_the_history_is_told_in_words(people):
    from pipeline.services.leads import close_lead, edit_lead

    lead = owned(people, people.owner, city="Bonn")
    edit_lead(lead, {"city": "Berlin"}, actor=people.owner)
    close_lead(lead, stages()["lost"], actor=people.manager, lost_reason="Too expensive")
    page = text(signed_in(people.owner).get(f"/leads/{lead.uid}/"))
    assert "City: Bonn → Berlin" in page
    assert "lost: Too expensive" in page
    assert "by <bdi>Manager Person</bdi>" in page


def test_the_lead_page_has_a_fixed_number_of_queries(people, django_assert_max_num_queries):
    from pipeline.services.events import record

    lead = owned(people, people.owner, attributes={"a": 1})
    for _ in range(30):
        record(lead, lead.events.model.Kind.CONTACTED, actor=people.manager)
    client = signed_in(people.owner)
    client.get(f"/leads/{lead.uid}/")  # fills the caches
    with django_assert_max_num_queries(21):
        client.get(f"/leads/{lead.uid}/")
