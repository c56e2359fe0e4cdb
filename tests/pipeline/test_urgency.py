"""What is due next on a lead, and that the board stands in that order: by what its cards show."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from django.db import transaction

from pipeline import firsttasks
from pipeline.board import CARDS, View, build_columns, build_more
from pipeline.boardchanges import Shown, build_changes
from pipeline.boardfilters import Filters
from pipeline.boardtable import build_table, csv_rows, table_leads
from pipeline.models import Event, Lead, Task
from pipeline.selectors import visible_leads
from pipeline.services.activity import snooze_lead, wake_lead
from pipeline.services.tasks import TaskTerms, add_task, change_task, drop_task, finish_task
from tests.distribution.world import stages
from tests.pipeline.people import make_people, owned

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def at_ten(time_machine):
    time_machine.move_to(NOW, tick=False)


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def lead(people):
    return owned(people, last_name="Lovelace", created_at=NOW, accepted_at=NOW)


def view(people, who="team", **filters):
    open_ones = [stage.pk for stage in stages().values()]
    scope = visible_leads(people.manager)
    return View(people.manager, scope, scope, stages()["open"].pipeline, open_ones, who, NOW, Filters(**filters))


def column(people, **filters):
    return build_columns(view(people, **filters), [stages()["open"]])[0]


def shown(people):
    return [card.title for card in column(people).cards]


def due(lead, hours, text="Call", **more):
    return Task.objects.create(lead=lead, text=text, due_at=NOW + hours * HOUR, **more)


def first(lead):
    """Until when its first task is to be done, as the database knows it, in hours from now."""
    at = Lead.objects.values_list("next_task_at", flat=True).get(pk=lead.pk)
    return at and (at - NOW) / HOUR


# --- The first open task -----------------------------------------------------------------------


def test_a_lead_knows_its_first_open_task_whoever_writes_it(people, lead):
    other = owned(people)
    assert first(lead) is None
    later = due(lead, 5)
    assert first(lead) == 5
    Task.objects.bulk_create(Task(lead=lead, text="x", due_at=NOW + hours * HOUR) for hours in (2, 3))
    assert first(lead) == 2
    Task.objects.filter(due_at=NOW + 2 * HOUR).update(due_at=NOW + 4 * HOUR)
    assert first(lead) == 3
    Task.objects.filter(due_at=NOW + 3 * HOUR).update(lead=other)
    assert (first(lead), first(other)) == (4, 3)
    Task.objects.filter(due_at=NOW + 4 * HOUR).update(ended_at=NOW, end="done")
    assert first(lead) == 5
    Task.objects.filter(due_at=NOW + 4 * HOUR).update(ended_at=None, end="")
    assert first(lead) == 4
    Task.objects.filter(due_at=NOW + 4 * HOUR).delete()
    later.delete()
    assert (first(lead), first(other)) == (None, 3)


def test_every_act_on_a_task_moves_the_lead(people, lead):
    task = add_task(lead, TaskTerms("Call", NOW + 2 * HOUR), actor=people.owner, now=NOW)
    assert first(lead) == 2
    change_task(task, TaskTerms("Call", NOW + 3 * HOUR), actor=people.owner, now=NOW)
    assert first(lead) == 3
    again = add_task(lead, TaskTerms("Write", NOW + HOUR), actor=people.owner, now=NOW)
    drop_task(again, actor=people.owner)
    assert first(lead) == 3
    finish_task(task, actor=people.owner)
    assert first(lead) is None


def test_a_task_that_was_not_kept_moves_nothing(lead):
    with transaction.atomic():
        due(lead, 1)
        transaction.set_rollback(True)
    assert first(lead) is None


def test_leads_whose_tasks_are_older_than_the_triggers_are_put_right(people, lead):
    other = owned(people, next_task_at=NOW)
    due(lead, 2)
    Lead.objects.filter(pk=lead.pk).update(next_task_at=None)
    for _ in range(2):
        firsttasks.install("default")
        assert (first(lead), first(other)) == (2, None)


# --- What is due next --------------------------------------------------------------------------


def earliest(promise, task, rest):
    """In words: a lead that rests waits for the end of that instead of what was promised."""
    return min((hours for hours in (rest or promise, task) if hours), default=None)


CASES = list(product((None, 1, 2, 3), repeat=3))


def test_due_is_the_first_task_or_the_promise_or_the_end_of_a_rest(people):
    for promise, task, rest in CASES:
        hours = {"respond_by": promise, "next_task_at": task, "snoozed_until": rest}
        lead = owned(people, **{name: NOW + at * HOUR for name, at in hours.items() if at})
        lead.refresh_from_db()
        found = lead.due_at and (lead.due_at - NOW) / HOUR
        assert found == earliest(promise, task, rest), (promise, task, rest)


def test_a_column_stands_in_the_order_of_what_its_cards_show(people):
    """Of each two cards the upper one says no later moment."""
    for promise, task, rest in CASES:
        moments = {"respond_by": promise, "snoozed_until": rest}
        set_to = {name: NOW + hours * HOUR for name, hours in moments.items() if hours}
        lead = owned(people, last_name=f"{promise} {task} {rest}", accepted_at=NOW, **set_to)
        if task:
            due(lead, task)
    cards = everything(people)
    assert len(cards) == len(CASES)
    told = [card.due.at if card.due else card.snoozed_until for card in cards]
    assert [moment for moment in told if moment is None] == [None]
    assert told[:-1] == sorted(told[:-1])
    for card in cards:
        promise, task, rest = (None if part == "None" else int(part) for part in card.title.split())
        at = earliest(promise, task, rest)
        if rest is not None and at == rest:
            assert (card.due, card.step) == (None, ""), card.title
        elif at is not None:
            assert (card.due.at, card.step) == (NOW + at * HOUR, "Contact" if at == promise and not rest else "Call")


def everything(people):
    """The cards of the open column, page by page as it is scrolled."""
    cards = list(column(people).cards)
    more = len(cards) == CARDS
    while more:
        found, following = build_more(view(people), stages()["open"], cards[-1].place)
        cards, more = cards + found, bool(following)
    return cards


def test_a_column_is_read_to_its_end_where_tasks_promises_and_nothing_meet(people):
    same = NOW + HOUR
    for number in range(3 * CARDS):
        lead = owned(people, last_name=f"L{number}", created_at=NOW, respond_by=same if number % 3 == 0 else None)
        if number % 3 == 1:
            Task.objects.create(lead=lead, text="Call", due_at=same)
    titles = [card.title for card in everything(people)]
    assert len(titles) == len(set(titles)) == 3 * CARDS
    assert [int(title[1:]) % 3 == 2 for title in titles] == [False] * (2 * CARDS) + [True] * CARDS


# --- Everything says the same ------------------------------------------------------------------


@pytest.fixture
def mixed(people):
    """By name what each is due for, in minutes: a promise, a task, the end of a rest."""
    for name, promise, task, rest in (
        ("Late promise", -20, None, None),
        ("Late task", 300, -10, None),
        ("Late task though resting", None, -5, 30),
        ("Soon promise", 20, 90, None),
        ("Soon task", 400, 25, None),
        ("Resting", None, None, 40),
        ("Resting before a task", None, 55, 45),
        ("Later", 500, 450, None),
        ("Nothing", None, None, None),
    ):
        at = {"respond_by": promise, "snoozed_until": rest}
        more = {key: NOW + timedelta(minutes=minutes) for key, minutes in at.items() if minutes}
        lead = owned(people, last_name=name, **more)
        if task:
            due(lead, task / 60)


def test_heads_filter_and_table_agree_with_the_cards(people, mixed):
    late = ["Late promise", "Late task", "Late task though resting"]
    soon = ["Soon promise", "Soon task"]
    rest = ["Resting", "Resting before a task"]
    assert shown(people) == [*late, *soon, *rest, "Later", "Nothing"]
    cards = column(people).cards
    assert [card.title for card in cards if card.due and card.due.late] == late
    assert [card.title for card in cards if card.due and not card.due.late and card.due.at < NOW + HOUR] == soon
    sums = column(people).head.sums
    assert (sums.late, sums.soon) == (len(late), len(soon))
    assert [card.title for card in column(people, overdue=True).cards] == late
    for sort in ("", "due"):
        table = build_table(view(people), sort, 1)
        assert [row.card.title for row in table.rows] == shown(people)
        assert [row.card.due for row in table.rows] == [card.due for card in cards]
    upside_down = [row.card.title for row in build_table(view(people), "-due", 1).rows]
    assert upside_down == [*shown(people)[-2::-1], "Nothing"]
    lines = "".join(csv_rows(table_leads(view(people)), "")).splitlines()
    assert [line.split(",")[2] for line in lines[1:]] == shown(people)


def test_a_file_says_what_is_due_of_those_that_are_open(people, lead):
    due(lead, 1)
    won = owned(people, last_name="Won", stage=stages()["won"], closed_at=NOW)
    due(won, 1)
    head, *lines = (line.split(",") for line in "".join(csv_rows(table_leads(view(people)), "")).splitlines())
    assert [line[head.index("due_at")] for line in lines] == ["2026-03-02T11:00:00+00:00", ""]


# --- Boards that are open ----------------------------------------------------------------------


def news(people, since):
    changes = build_changes(view(people), list(stages().values()), since, Shown())
    return {card.title: (card.place, card.step, card.due and card.due.at) for card in changes.cards}


def test_boards_hear_of_what_becomes_of_tasks_and_rests_and_where_the_card_is_now(people, lead):
    owned(people, last_name="Other", respond_by=NOW + 2 * HOUR)
    actor = people.owner

    def after(act):
        """Where the card is once that was done, as boards are told."""
        since = Event.objects.count() and Event.objects.latest("pk").pk
        result = act()
        [(title, (place, step, at))] = news(people, since).items()
        assert (title, place) == ("Lovelace", next(card.place for card in column(people).cards if card.title == title))
        return result, shown(people)[0] == "Lovelace", step, at and (at - NOW) / HOUR

    task, *told = after(lambda: add_task(lead, TaskTerms("Call", NOW + HOUR), actor=actor, now=NOW))
    assert told == [True, "Call", 1]
    _, *told = after(lambda: change_task(task, TaskTerms("Call", NOW + 3 * HOUR), actor=actor, now=NOW))
    assert told == [False, "Call", 3]
    again, *told = after(lambda: add_task(lead, TaskTerms("Write", NOW + HOUR), actor=actor, now=NOW))
    assert told == [True, "Write", 1]
    _, *told = after(lambda: drop_task(again, actor=actor))
    assert told == [False, "Call", 3]
    _, *told = after(lambda: finish_task(task, actor=actor))
    assert told == [False, "", None]
    lead.refresh_from_db()
    _, *told = after(lambda: snooze_lead(lead, NOW + HOUR, "Away", actor))
    assert told == [True, "", None]
    _, *told = after(lambda: wake_lead(lead, actor=actor))
    assert told == [False, "", None]
