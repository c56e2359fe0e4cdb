"""Many leads of a board at once: moved, lost for a reason, put back; what cannot be done is said lead by lead."""

from datetime import timedelta
from decimal import Decimal
from html import unescape
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from pipeline.many import MOST_AT_ONCE
from pipeline.models import Event, Lead, LostReason, Stage
from pipeline.services.leads import edit_lead
from pipeline.services.moving import move_on
from tests.pipeline.people import make_people, owned, signed_in

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _no_time_passes(time_machine):
    time_machine.move_to(timezone.now(), tick=False)


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def client(people):
    return signed_in(people.owner)


@pytest.fixture
def three(people):
    return [owned(people, last_name=name) for name in ("Ada", "Bob", "Cyd")]


def ticked(leads):
    return [f"{lead.uid}:{lead.version}" for lead in leads]


def move(client, leads, stage, *, part=True, **more):
    data = {"stage": stage, "lead": ticked(leads), **more}
    return client.post("/board/sales/bulk/?who=team", data, headers=PART if part else {})


def undo(client, moved):
    """Press Undo in the notice of a move."""
    return client.post(moved.context["notice"]["undo"], headers=PART)


def stages_of(leads):
    where = dict(Lead.objects.values_list("pk", "stage__slug"))
    return [where[lead.pk] for lead in leads]


def said(response):
    return response.context["notice"]["text"].splitlines()


def changed_by_another(people, lead):
    edit_lead(Lead.objects.get(pk=lead.pk), {"city": "Berlin"}, actor=people.teammate)


STALE = "Somebody else changed this lead meanwhile. Look at it again and repeat your change."
TOO_LATE = "It is too late to undo this. Move the lead back by hand."


# --- Moving ------------------------------------------------------------------------------------


def test_many_are_moved_and_what_cannot_be_is_named(client, people, talks, three):
    changed_by_another(people, three[1])
    response = move(client, three, "talks")
    assert response.status_code == 200
    assert said(response) == ["2 moved to “Talks”, 1 not.", f"Bob: {STALE}"]
    assert response.context["notice"]["tone"] == "warning"
    assert f'data-left="lead-{three[1].uid} "' in response.content.decode()
    assert stages_of(three) == ["talks", "open", "talks"]


def test_when_none_could_be_moved_it_was_refused(client, people, talks, three):
    for lead in three:
        changed_by_another(people, lead)
    response = move(client, three, "talks")
    assert (response.status_code, response.context["notice"]["undo"]) == (409, "")
    assert said(response) == ["0 moved to “Talks”, 3 not.", f"Ada, Bob and Cyd: {STALE}"]


def test_of_very_many_that_were_refused_for_one_reason_the_first_are_named(client, people, talks):
    leads = [owned(people, last_name=f"L{number}") for number in range(13)]
    for lead in leads:
        changed_by_another(people, lead)
    assert said(move(client, leads, "talks"))[1].startswith("L0, L1, L2, L3, L4, L5, L6, L7, L8, L9 and 3 more: ")


def test_what_is_not_theirs_is_not_moved_and_not_named(people, talks, three):
    response = move(signed_in(people.stranger), three, "talks")
    assert said(response)[1] == "3 leads are not there any more, or not yours to change."
    assert "Ada" not in response.context["notice"]["text"]
    assert (response.status_code, response.context["notice"]["tone"]) == (409, "error")
    assert stages_of(three) == ["open"] * 3


def test_some_that_are_there_no_more_are_a_warning_as_well(client, people, talks, three):
    hidden = owned(people, owner=people.stranger, team=people.other_team)
    response = move(client, [*three, hidden], "talks")
    assert said(response) == [
        "3 moved to “Talks”, 1 not.",
        "1 lead is not there any more, or not yours to change.",
    ]
    assert response.context["notice"]["tone"] == "warning"


def test_what_somebody_may_only_read_is_named_and_not_moved(people, talks, three):
    people.stranger.user_permissions.add(Permission.objects.get(codename="view_lead"))
    response = move(signed_in(people.stranger), three, "talks")
    assert said(response)[1] == "Ada, Bob and Cyd: You may read this, but not change it."
    assert stages_of(three) == ["open"] * 3


@pytest.mark.parametrize("part", [True, False], ids=["part", "page"])
def test_a_stage_that_takes_none_of_them_is_marked_with_what_is_wrong(client, people, talks, three, part):
    Stage.objects.filter(pk=talks.pk).update(wip_limit=1)
    owned(people, stage=talks)
    response = move(client, three, "talks", part=part)
    page = unescape(response.content.decode())
    assert response.status_code == 422
    assert 'aria-invalid="true" aria-describedby="id_stage_error"' in page
    assert 'Ada, Bob and Cyd: "Talks" has room for 1 lead of one owner.' in page
    assert all(f'name="lead" value="{one}"' in page for one in ticked(three))


def test_a_stage_with_room_for_some_takes_some(client, people, talks, three):
    Stage.objects.filter(pk=talks.pk).update(wip_limit=2)
    response = move(client, three, "talks")
    assert said(response)[0] == "2 moved to “Talks”, 1 not."
    assert said(response)[1].startswith('Cyd: "Talks" has room for 2 leads')


def test_those_that_are_there_already_are_not_counted_as_moved(client, people, talks, three):
    move_on(three[0], talks, actor=people.owner)
    response = move(client, three, "talks")
    assert said(response) == ["2 moved to “Talks”, 1 not.", "Ada: In “Talks” already."]


@pytest.mark.parametrize("chosen", [[], ["x"], ["x:y", ":", "1:1"]])
def test_nothing_chosen_moves_nothing(client, talks, chosen):
    response = client.post("/board/sales/bulk/", {"stage": "talks", "lead": chosen}, headers=PART)
    assert response.status_code == 409
    assert said(response) == ["Choose leads first."]


def test_many_are_lost_for_a_reason_of_the_list_which_is_asked_for(client, three):
    LostReason.objects.create(name="Too expensive")
    empty, other = {"lost_reason": ""}, {"lost_reason": "Whatever"}
    for part, sent in ((True, {}), (False, {}), (True, empty), (False, empty), (True, other)):
        asked = move(client, three, "lost", part=part, **sent)
        page = asked.content.decode()
        assert asked.status_code == (422 if sent else 200)
        assert asked.context["form"].errors.keys() == ({"lost_reason"} if sent else set())
        assert ("aria-invalid" in page) == bool(sent)
        assert '<option value="lost" data-kind="lost" selected>' in page
        assert '<option value="Too expensive">' in page
        assert all(f'name="lead" value="{one}"' in page for one in ticked(three))
    assert move(client, three, "lost", lost_reason="Too expensive").status_code == 200
    assert {lead.lost_reason for lead in Lead.objects.all()} == {"Too expensive"}


def test_many_are_won_for_a_value_which_is_asked_for_those_without_one(client, people, three):
    known = owned(people, last_name="Dora", value=9, currency="USD")
    for sent, said_at in (
        ({}, {}),
        ({"value": ""}, {"value": ["Say what each of the leads was won for; 0 if for nothing."]}),
        (
            {"value": "plenty"},
            {"value": ['"plenty" is not an amount. Write it in full, such as 1234.50 or 1234.50 EUR.']},
        ),
    ):
        asked = move(client, [*three, known], "won", **sent)
        page = asked.content.decode()
        assert asked.status_code == (422 if sent else 200)
        assert asked.context["form"].errors == said_at
        assert '<option value="won" data-kind="won" selected>' in page
        assert "Of Ada, Bob and Cyd; 0 if for nothing." in page
    assert stages_of([*three, known]) == ["open"] * 4
    assert said(move(client, [*three, known], "won", value="0", currency="CHF")) == ["4 moved to “won”."]
    worth = Lead.objects.order_by("pk").values_list("value", "currency")
    assert list(worth) == [(Decimal(0), "CHF")] * 3 + [(Decimal(9), "USD")]


def test_many_of_which_the_value_is_known_are_won_without_a_question(client, people):
    known = [owned(people, value=value, currency="EUR") for value in (0, 9)]
    assert said(move(client, known, "won")) == ["2 moved to “won”."]


def test_more_than_are_done_at_once_are_refused_and_not_dropped(client, people, talks):
    lead = owned(people)
    sent = {"stage": "talks", "lead": [f"{uuid4()}:0" for _ in range(MOST_AT_ONCE)] + ticked([lead])}
    response = client.post("/board/sales/bulk/", sent, headers=PART)
    assert (response.status_code, stages_of([lead])) == (409, ["open"])
    assert "You chose 201 leads. Choose at most 200" in response.content.decode()


# --- Undoing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["talks", "won", "lost"])
def test_many_are_put_back_with_one_press(client, talks, three, stage):
    moved = move(client, three, stage, lost_reason="Price", value="5")
    assert moved.context["notice"]["seconds"] == 10
    response = undo(client, moved)
    assert (response.status_code, said(response)) == (200, ["3 put back where they were."])
    assert {(card.title, card.stage) for card in response.context["changes"].cards} == {
        ("Ada", "open"),
        ("Bob", "open"),
        ("Cyd", "open"),
    }
    assert not Lead.objects.filter(closed_at__isnull=False).exists()


def test_without_scripts_many_are_put_back_from_the_message_on_the_next_page(client, talks, three):
    response = move(client, three, "talks", part=False, next="/board/sales/table/?who=team")
    assert response.headers["Location"] == "/board/sales/table/?who=team"
    page = client.get("/board/sales/table/?who=team").content.decode()
    assert "3 moved to “Talks”." in page
    address = unescape(page.split('class="undo" method="post" action="')[1].split('"')[0])
    assert client.post(address, {"next": "/board/sales/table/"}).headers["Location"] == "/board/sales/table/"
    assert "3 put back where they were." in client.get("/board/sales/table/").content.decode()
    assert stages_of(three) == ["open"] * 3


def test_what_somebody_changed_after_the_move_stays_and_is_named(client, people, talks, three):
    moved = move(client, three, "talks")
    changed_by_another(people, three[1])
    response = undo(client, moved)
    assert said(response) == ["2 put back where they were, 1 not.", f"Bob: {STALE}"]
    assert stages_of(three) == ["open", "talks", "open"]


def test_only_those_that_find_room_are_put_back(client, people, talks, three):
    moved = move(client, three, "talks")
    Stage.objects.filter(slug="open").update(wip_limit=2)
    owned(people)
    response = undo(client, moved)
    assert said(response)[0] == "1 put back where they were, 2 not."
    assert said(response)[1].startswith('Bob and Cyd: "open" has room for 2 leads of one owner')
    assert stages_of(three) == ["open", "talks", "talks"]


def test_it_is_undone_once_by_who_did_it_and_in_time(client, people, talks, three, time_machine):
    moved = move(client, three, "talks")
    assert said(undo(signed_in(people.manager), moved))[1] == f"Ada, Bob and Cyd: {TOO_LATE}"
    time_machine.shift(timedelta(seconds=16))
    assert undo(client, moved).status_code == 409
    time_machine.shift(timedelta(seconds=-16))
    assert undo(client, moved).status_code == 200
    assert said(undo(client, moved))[1] == f"Ada, Bob and Cyd: {TOO_LATE}"
    assert Event.objects.filter(kind=Event.Kind.MOVED).count() == 6


@pytest.mark.parametrize("moved", ["", "x", "WzEsMl0:1:x", "é" * 50])
def test_an_address_that_was_not_given_out_undoes_nothing(client, talks, three, moved):
    move(client, three, "talks")
    response = client.post("/board/sales/undo/", query_params={"moved": moved}, headers=PART)
    assert (response.status_code, said(response)) == (409, [TOO_LATE])
    assert stages_of(three) == ["talks"] * 3


def test_the_address_for_undoing_the_most_at_once_is_one_that_servers_take(client, people, talks):
    leads = [owned(people, pk=10**9 + 7919 * number, version=number % 90) for number in range(MOST_AT_ONCE)]
    moved = move(client, leads, "talks")
    assert len(moved.context["notice"]["undo"]) < 4000
    assert said(undo(client, moved)) == ["200 put back where they were."]


@pytest.mark.parametrize("stage", ["talks", "won"])
def test_undoing_many_reads_all_of_them_at_once(client, people, talks, stage):
    def asked(number):
        moved = move(client, [owned(people) for _ in range(number)], stage, value="5")
        with CaptureQueriesContext(connection) as queries:
            assert undo(client, moved).status_code == 200
        return [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]

    few, many = asked(2), asked(12)
    # Of each lead the row and the event are written; its assignment and its clocks go on.
    assert (len(many) - len(few)) / 10 <= {"talks": 2, "won": 9}[stage], many
