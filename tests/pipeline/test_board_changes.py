"""What an open board hears of what others do, and what it does not hear."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from distribution.models import Offer, Pool, Rep
from leadcrm.lib.sealed import seal
from pipeline.cursor import FORGOTTEN, SETTLED, Cursor
from pipeline.models import Event, Lead, Pipeline, Stage
from pipeline.services.moving import move_on
from tests.distribution.world import make_lead
from tests.pipeline.people import make_people, owned, signed_in
from tests.support.heard import newest_told

pytestmark = pytest.mark.django_db


class Open:
    """A board in a browser: what it shows, and what it hears when it asks."""

    def __init__(self, user: User | Client, query: str = "who=team") -> None:
        self.client = user if isinstance(user, Client) else signed_in(user)
        self.url = f"/board/sales/changes/?{query}"
        response = self.client.get(f"/board/sales/?{query}")
        board, page = response.context["board"], response.content.decode()
        self.cards = {card.uid: card for column in board.columns for card in column.cards}
        self.offers = set(re.findall(r'data-offer="([^"]+)"', page))
        self.heads, self.since = board.mark, str(board.cursor)
        self.ask()  # what may have been under way while the page was read

    def post(self, **more):
        shown = {"cards": ",".join(self.cards), "offers": ",".join(self.offers), "heads": self.heads}
        return self.client.post(self.url, {"since": self.since, **shown, **more})

    def ask(self, **more):
        """What it is told, if anything. It shows that from then on."""
        response = self.post(**more)
        assert response.status_code in (200, 204)
        self.since = response.headers["X-Newest-Event"]
        if response.status_code == 204:
            assert response.content == b""
            return None
        told = response.context["changes"]
        self.cards |= {card.uid: card for card in told.cards}
        for uid in told.gone:
            del self.cards[str(uid)]
        self.heads = told.mark if told.heads else self.heads
        return told

    @property
    def titles(self):
        return {card.title for card in self.cards.values()}


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    return owned(people, last_name="Lovelace")


def event(lead, kind=Event.Kind.EDITED, **more):
    return Event.objects.create(lead=lead, kind=kind, **more)


def told(changes):
    return changes and [(card.title, card.stage, card.version) for card in changes.cards]


# --- What it is told -----------------------------------------------------------------------------


def test_what_others_changed_is_told_with_the_heads_and_only_once(people, lead, talks):
    board = Open(people.owner)
    assert board.ask() is None
    move_on(lead, talks, actor=people.manager)
    changes = board.ask()
    assert told(changes) == [("Lovelace", "talks", 1)]
    assert {head.slug: head.sums.count for head in changes.heads}["talks"] == 1
    assert board.ask() is None


def test_heads_that_stay_as_they_are_are_not_told(people, lead):
    board = Open(people.owner)
    event(lead)
    changes = board.ask()
    assert (told(changes), changes.heads) == ([("Lovelace", "open", 0)], [])


def test_a_card_below_those_that_are_shown_changes_the_heads(people, lead):
    board = Open(people.manager)
    del board.cards[str(lead.uid)]
    Lead.objects.filter(pk=lead.pk).update(owner=None, routing_state="claimable", archived_at=timezone.now())
    event(lead)
    changes = board.ask()
    assert (told(changes), changes.gone) == ([], [])
    assert changes.heads[0].sums.count == 0


def out_of_sight(people, lead):
    Lead.objects.filter(pk=lead.pk).update(owner=people.stranger, team=people.other_team)


def archived(people, lead):
    Lead.objects.filter(pk=lead.pk).update(archived_at=timezone.now())


def long_closed(people, lead):
    closed = timezone.now() - timedelta(days=90)
    Lead.objects.filter(pk=lead.pk).update(closed_at=closed, stage=Stage.objects.get(slug="lost"))


@pytest.mark.parametrize("leaves", [out_of_sight, archived, long_closed])
@pytest.mark.parametrize("who", ["owner", "manager"])
def test_a_card_that_left_the_view_is_told(people, lead, who, leaves):
    board = Open(getattr(people, who))
    leaves(people, lead)
    event(lead)
    assert (told(changes := board.ask()), changes.gone, changes.heads[0].sums.count) == ([], [lead.uid], 0)
    event(lead)
    assert board.ask() is None


def test_a_card_that_is_no_more_the_readers_goes_with_the_next_event_whatever_took_it(people, lead):
    lead = owned(people, owner=people.stranger, team=people.team)
    board = Open(people.manager)
    people.team.manager = None
    people.team.save()
    people.other_team.manager = people.manager
    people.other_team.save()
    event(make_lead(team=people.other_team, last_name="Elsewhere"))
    assert lead.uid in board.ask().gone
    assert board.titles == {"Elsewhere"}


def test_others_hear_of_a_card_that_was_put_elsewhere_in_its_column(people, talks):
    Pipeline.objects.update(sorted_by_hand=True)
    now = timezone.now()
    a, _, c = (owned(people, last_name=name, board_at=now - timedelta(hours=n)) for n, name in enumerate("abc"))
    board = Open(people.manager)
    put_below(people, c, a)
    assert [card.title for card in board.ask().cards] == ["c"]
    assert board.cards[str(c.uid)].place == Open(people.manager).cards[str(c.uid)].place


def put_below(people, lead, above):
    fields = {"stage": "open", "version": lead.version, "above": str(above.uid)}
    return signed_in(people.owner).post(f"/board/sales/move/{lead.uid}/?who=team", fields)


def test_a_column_in_which_room_was_made_is_read_again(people, talks):
    Pipeline.objects.update(sorted_by_hand=True)
    now = timezone.now()
    a, _, c = (owned(people, last_name=name, board_at=now) for name in "abc")
    board = Open(people.manager)
    put_below(people, a, c)  # between two that share one place
    assert [card.title for card in signed_in(people.owner).get("/board/").context["board"].columns[0].cards] == [*"cab"]
    assert board.ask().too_many


# --- What it is not told -------------------------------------------------------------------------


def test_nothing_is_said_about_leads_that_the_reader_never_saw(people, lead, talks):
    """Neither by a word nor by an answer that is another than usual."""
    mine = owned(people, owner=people.teammate, last_name="Mine")
    foreign = make_lead(owner=people.stranger, team=people.other_team, routing_state="assigned")
    board = Open(people.teammate)
    quiet = board.post()
    assert board.titles == {"Mine"}
    for other in (lead, foreign):
        move_on(other, talks, actor=None)
        event(other, Event.Kind.REASSIGNED)
        response = board.post()
        assert (response.status_code, response.content) == (204, b"")
        assert response.headers.keys() == quiet.headers.keys()
        assert {name: len(value) for name, value in response.headers.items()} == {
            name: len(value) for name, value in quiet.headers.items()
        }
    event(mine)
    page = board.post().content.decode()
    assert str(mine.uid) in page
    assert "data-gone" not in page
    assert not any(str(other.uid) in page for other in (lead, foreign))


def test_where_a_board_is_in_what_happens_tells_nobody_how_much_happens(people, lead):
    board = Open(people.owner)
    newest = Event.objects.latest("pk").pk if Event.objects.exists() else 0
    for _ in range(3):
        newest = event(lead).pk
    first, second = board.post(), board.post()
    assert newest_told(first) == newest_told(second) == newest
    assert first.headers["X-Newest-Event"] != second.headers["X-Newest-Event"]
    assert re.fullmatch(r"[\w=-]+", first.headers["X-Newest-Event"])


def test_who_says_to_show_a_lead_of_others_hears_nothing_of_it(people, lead):
    """That it is not theirs is said whether or not something happened to it."""
    board, answers = Open(people.stranger), []
    for happens in (lead, make_lead()):
        event(happens)
        answers.append(board.post(cards=str(lead.uid)).content.decode())
    assert answers[0] == answers[1]
    assert f"lead-{lead.uid}" in answers[0]


# --- What it costs -------------------------------------------------------------------------------


def cost(board):
    with CaptureQueriesContext(connection) as queries:
        board.ask()
    return [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]


def test_a_board_on_which_nothing_happens_asks_one_small_query(people, lead):
    board = Open(people.owner)
    asked = cost(board)
    assert len(asked) <= 3  # two of them ask who it is
    assert [sql for sql in asked if Lead._meta.db_table in sql] == []


@pytest.mark.parametrize("who", ["teammate", "manager", "stranger"])
def test_what_happens_elsewhere_counts_no_column(people, lead, who):
    foreign = make_lead(owner=people.stranger, team=None, routing_state="assigned")
    board = Open(people.manager if who == "stranger" else getattr(people, who))
    event(foreign)
    asked = cost(board)
    assert len(asked) <= 11
    assert [sql for sql in asked if "SUM(" in sql] == []
    event(lead)
    assert who == "teammate" or [sql for sql in cost(board) if "SUM(" in sql]  # the control


# --- Beside the cards ----------------------------------------------------------------------------


def test_a_new_offer_and_one_that_is_over_are_told_once(people):
    pool = Pool.objects.create(name="Claims", method="claim")
    offered = make_lead(team=people.other_team, routing_state="claimable")
    board, other = Open(people.owner), Open(people.teammate)
    offer = Offer.objects.create(lead=offered, rep=people.owner.rep, pool=pool)
    event(offered, Event.Kind.OFFERED)
    assert board.ask().offers
    assert other.ask() is None
    board.offers = {str(offered.uid)}
    event(offered)
    assert board.ask() is None
    Offer.objects.filter(pk=offer.pk).update(ended_at=timezone.now(), end=Offer.End.LOST)
    event(offered, Event.Kind.REASSIGNED)
    assert board.ask().offers


# --- Gaps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("since", ["", "x", "7", "-1", "9" * 30, "²", "\0"])
def test_a_board_that_lost_its_place_is_told_to_read_everything_again(people, lead, since):
    board = Open(people.owner)
    assert board.ask(since=since).too_many
    event(lead)
    assert told(board.ask()) == [("Lovelace", "open", 0)]


def test_a_board_that_slept_for_an_hour_reads_everything_again(people, lead):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        board = Open(people.owner)
        clock.shift(FORGOTTEN - timedelta(seconds=1))
        event(lead)
        assert told(board.ask()) == [("Lovelace", "open", 0)]
        clock.shift(timedelta(hours=1))
        changes = board.ask()
        assert (changes.too_many, changes.cards) == (True, [])
        event(lead)
        assert told(board.ask()) == [("Lovelace", "open", 0)]


@pytest.mark.parametrize(("mine", "answer"), [(200, "told"), (201, "too many"), (0, "nothing")])
def test_five_hundred_changes_at_once(people, lead, mine, answer):
    """Those of others are none of the board's business, however many."""
    user = people.teammate
    own = [make_lead(owner=user, team=people.team, routing_state="assigned", last_name="L") for _ in range(mine)]
    foreign = [make_lead(last_name="F") for _ in range(4)]
    board = Open(user)
    Event.objects.bulk_create(Event(lead=lead, kind=Event.Kind.EDITED) for lead in own)
    Event.objects.bulk_create(Event(lead=foreign[number % 4], kind=Event.Kind.EDITED) for number in range(500 - mine))
    changes = board.ask()
    if answer == "nothing":
        assert changes is None
    else:
        assert (changes.too_many, len(changes.cards)) == (answer == "too many", mine if answer == "told" else 0)
    assert board.ask() is None


def test_what_is_seen_later_than_what_came_after_it_is_told(people, lead):
    """Events are numbered when they are written and seen when they are committed."""
    late, board = event(lead), Open(people.owner)
    Event.objects.filter(pk=late.pk).delete()
    other = owned(people, last_name="Babbage")
    with time_machine.travel(timezone.now(), tick=False) as clock:
        board = Open(people.owner)
        seen = event(other)
        assert told(board.ask()) == [("Babbage", "open", 0)]
        for _ in range(3):
            assert board.ask() is None
            clock.shift(SETTLED / 4)
        hidden = Event(pk=seen.pk + 1, lead=lead, kind=Event.Kind.EDITED)
        newer = Event.objects.create(pk=seen.pk + 2, lead=other, kind=Event.Kind.EDITED)
        assert told(board.ask()) == [("Babbage", "open", 0)]
        clock.shift(SETTLED - timedelta(seconds=1))
        assert board.ask() is None
        hidden.save(force_insert=True)
        assert sorted(told(board.ask())) == [("Babbage", "open", 0), ("Lovelace", "open", 0)]
        assert newer.pk == newest_told(board.post())
        assert board.ask() is None


def test_what_was_under_way_while_the_page_was_read_is_told(people, lead):
    first = event(lead)
    Event.objects.filter(pk=first.pk).delete()
    newest = Event.objects.create(pk=first.pk + 1, lead=owned(people, last_name="Babbage"), kind=Event.Kind.EDITED)
    page = signed_in(people.owner).get("/board/sales/?who=team").context["board"]
    assert page.cursor.newest == newest.pk
    Event(pk=first.pk, lead=lead, kind=Event.Kind.EDITED).save(force_insert=True)
    answer = signed_in(people.owner).post("/board/sales/changes/?who=team", {"since": str(page.cursor)})
    assert ("Lovelace", "open", 0) in told(answer.context["changes"])


# --- Who may -------------------------------------------------------------------------------------


def test_who_may_see_all_leads_hears_of_all(people, lead):
    people.stranger.user_permissions.add(Permission.objects.get(codename="view_lead"))
    board = Open(User.objects.get(pk=people.stranger.pk))
    event(lead)
    assert told(board.ask()) == [("Lovelace", "open", 0)]


def test_who_may_not_open_the_board_any_more_is_refused(people, lead):
    board = Open(people.teammate)
    people.team.members.clear()
    event(lead)
    assert board.post().status_code == 404


def test_asking_needs_the_token_and_is_no_sign_of_somebody_being_there(people, lead):
    board = Open(people.owner)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(people.owner)
    assert strict.post(board.url, {"since": board.since}).status_code == 403
    Rep.objects.update(last_seen_at=None)
    event(lead)
    assert board.ask()
    assert not Rep.objects.exclude(last_seen_at=None).exists()


def test_what_was_sealed_for_something_else_is_no_cursor():
    assert Cursor.read(seal(b"short")) is None
