"""Two people do the same on the board and in the list of tasks, on real PostgreSQL: no stage gets too full, nothing is
done twice."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from distribution import services
from pipeline import bulkviews, taskviews
from pipeline.errors import StageFull
from pipeline.many import Outcome, each
from pipeline.models import Event, Lead, Stage, Task
from pipeline.services import leads, moving, tasks
from pipeline.services.leads import edit_lead
from pipeline.services.limits import make_room
from pipeline.services.moving import move_on, undo_move
from tests.concurrency.threads import all_before_any_goes_on, at_once, errors, when_one_waits_for_another
from tests.distribution.world import stages
from tests.pipeline.people import make_people, owned, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_routing_on_commit(monkeypatch):
    monkeypatch.setattr(services, "route_new_lead", lambda *_: None)


@pytest.fixture(autouse=True)
def _all_the_time(monkeypatch):
    """A slow machine is never too late to undo something."""
    monkeypatch.setattr(moving, "UNDO_SECONDS", 3600)


@pytest.fixture
def people():
    return make_people()


@pytest.fixture
def talks():
    """A stage with room for one lead of each owner."""
    pipeline = stages()["open"].pipeline
    return Stage.objects.create(pipeline=pipeline, name="Talks", slug="talks", position=1, wip_limit=1)


@contextmanager
def held_until_another_waits(monkeypatch, module: Any, name: str) -> Iterator[None]:
    """Whoever has called the function goes on when somebody else waits for a lock: both are at it, for certain."""
    real, go_on = getattr(module, name), threading.Event()

    def hold(*args: Any) -> Any:
        result = real(*args)
        assert go_on.wait(60)
        return result

    monkeypatch.setattr(module, name, hold)
    with when_one_waits_for_another(go_on.set):
        yield


# --- How many a stage takes ----------------------------------------------------------------------


def move_two_at_once(people, talks) -> list[Any]:
    """Two people each move another lead of one owner into the stage."""
    first, second = owned(people), owned(people)
    return at_once(
        [partial(move_on, first, talks, actor=people.owner), partial(move_on, second, talks, actor=people.manager)]
    )


def test_of_two_who_fill_the_last_place_of_a_stage_at_once_one_is_refused(people, talks, monkeypatch):
    with held_until_another_waits(monkeypatch, leads, "make_room"):
        results = move_two_at_once(people, talks)
    assert [type(error) for error in errors(results)] == [StageFull]
    assert Lead.objects.filter(stage=talks).count() == 1
    assert Event.objects.filter(kind=Event.Kind.MOVED).count() == 1


def test_without_the_lock_on_the_stage_both_are_let_in(people, talks, monkeypatch):
    """The control: both count before either has moved."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    monkeypatch.setattr(leads, "make_room", all_before_any_goes_on(2, make_room))
    assert errors(move_two_at_once(people, talks)) == []
    assert Lead.objects.filter(stage=talks).count() == 2


def test_of_one_who_undoes_and_one_who_moves_into_the_last_place_one_is_refused(people, talks, monkeypatch):
    back, other = owned(people, stage=talks), owned(people)
    move_on(back, stages()["open"], actor=people.owner)
    with held_until_another_waits(monkeypatch, leads, "make_room"):
        monkeypatch.setattr(moving, "make_room", leads.make_room)
        results = at_once(
            [
                partial(undo_move, back, actor=people.owner, version=back.version),
                partial(move_on, other, talks, actor=people.manager),
            ]
        )
    assert [type(error) for error in errors(results)] == [StageFull]
    assert Lead.objects.filter(stage=talks).count() == 1


# --- Undoing many --------------------------------------------------------------------------------


def undo_while_another_edits(people, monkeypatch) -> tuple[Any, list[Lead]]:
    """Somebody undoes the move of three leads; when these were read, somebody else changes the second one."""
    open_, here = stages()["open"], Stage.objects.create(pipeline=stages()["open"].pipeline, name="Here", slug="here")
    three = [owned(people, stage=open_, last_name=name) for name in ("Ada", "Bob", "Cyd")]
    client = signed_in(people.owner)
    ticked = [f"{lead.uid}:{lead.version}" for lead in three]
    part = {"HX-Request": "true"}
    moved = client.post("/board/sales/bulk/", {"stage": here.slug, "lead": ticked}, headers=part)
    real = bulkviews.last_moves

    def edited_meanwhile(read: Any) -> Any:
        moves = real(read)
        edit = partial(edit_lead, Lead.objects.get(pk=three[1].pk), {"city": "Berlin"}, actor=people.teammate)
        assert errors(at_once([edit])) == []
        return moves

    monkeypatch.setattr(bulkviews, "last_moves", edited_meanwhile)
    return client.post(moved.context["notice"]["undo"], headers=part), three


def where(leads_: list[Lead]) -> list[tuple[str, str]]:
    return list(
        Lead.objects.filter(pk__in=[one.pk for one in leads_]).order_by("pk").values_list("stage__slug", "city")
    )


def test_what_somebody_changes_while_many_are_undone_stays_and_is_named(people, monkeypatch):
    answer, three = undo_while_another_edits(people, monkeypatch)
    assert where(three) == [("open", ""), ("here", "Berlin"), ("open", "")]
    first, second = answer.context["notice"]["text"].splitlines()
    assert first == "2 put back where they were, 1 not."
    assert second.startswith("Bob: Somebody else changed this lead meanwhile.")


def test_without_the_condition_on_the_version_it_would_be_overwritten(people, monkeypatch):
    """The control: what somebody saw in another stage is put back behind their back."""

    def change(lead: Lead, version: int | None, **changes: Any) -> None:
        Lead.objects.filter(pk=lead.pk).update(version=lead.version + 1, **changes)

    monkeypatch.setattr(moving, "change_lead", change)
    answer, three = undo_while_another_edits(people, monkeypatch)
    assert where(three) == [("open", ""), ("open", "Berlin"), ("open", "")]
    assert answer.context["notice"]["text"] == "3 put back where they were."


def test_of_many_that_are_undone_and_one_that_is_moved_no_more_find_room_than_there_is(people, talks, monkeypatch):
    back = [owned(people, stage=talks), owned(people, stage=talks)]
    for lead in back:
        move_on(lead, stages()["open"], actor=people.owner)
    Stage.objects.filter(pk=talks.pk).update(wip_limit=2)
    talks.refresh_from_db()
    other = owned(people)
    moves = moving.last_moves(back)

    def undo_all() -> Outcome:
        return each(back, lambda one: moving.take_back(one, moves[one.pk], actor=people.owner, version=one.version))

    with held_until_another_waits(monkeypatch, leads, "make_room"):
        monkeypatch.setattr(moving, "make_room", leads.make_room)
        undone, moved = at_once([undo_all, partial(move_on, other, talks, actor=people.manager)])
    full = [refusal.error for refusal in undone.refused] + [type(error) for error in errors([moved])]
    assert full == [StageFull]
    assert Lead.objects.filter(stage=talks).count() == 2


# --- Tasks ---------------------------------------------------------------------------------------


def end_at_once(people, monkeypatch, *ways: str) -> list[str]:
    """Two people press at once, on pages that both show the task as open; where each is led."""
    task = Task.objects.create(lead=owned(people), text="Call", due_at=timezone.now() + timedelta(hours=1))
    monkeypatch.setattr(taskviews, "work_task", all_before_any_goes_on(2, taskviews.work_task))
    clients = [signed_in(user) for user in (people.owner, people.manager)]
    presses = [partial(client.post, f"/tasks/{task.pk}/{way}/") for client, way in zip(clients, ways, strict=True)]
    answers = at_once(presses)
    assert errors(answers) == []
    return [answer.headers["Location"] for answer in answers]


def endings() -> list[str]:
    ends = (Event.Kind.TASK_DONE, Event.Kind.TASK_DROPPED)
    return list(Event.objects.filter(kind__in=ends).values_list("kind", flat=True))


@pytest.mark.parametrize("second", ["done", "drop"])
def test_a_task_that_two_people_end_at_once_ends_once_and_asks_one_what_is_next(people, monkeypatch, second):
    with held_until_another_waits(monkeypatch, tasks, "lock_lead"):
        led_to = end_at_once(people, monkeypatch, "done", second)
    ended = Task.objects.get()
    assert len(endings()) == 1
    assert ended.end == endings()[0].removeprefix("task.")
    assert sum("?done=" in address for address in led_to) == (ended.end == Task.End.DONE)
    if second == "done":
        assert ended.ended_by in (people.owner, people.manager)
        assert sum("?done=" in address for address in led_to) == 1


def test_asking_first_and_writing_then_would_end_it_twice(people, monkeypatch):
    """The control: what the condition of the update is for."""
    read = all_before_any_goes_on(2, lambda task: Task.objects.get(pk=task.pk).ended_at)

    def ask_and_write(task: Task, end: Task.End, kind: Event.Kind, actor: Any, now: Any) -> bool:
        if read(task):
            return False
        Task.objects.filter(pk=task.pk).update(ended_at=timezone.now(), end=end, ended_by=actor, remind_at=None)
        tasks._tell(task, kind, actor)
        return True

    monkeypatch.setattr(tasks, "_end", ask_and_write)
    led_to = end_at_once(people, monkeypatch, "done", "done")
    assert endings() == [Event.Kind.TASK_DONE] * 2
    assert all("?done=" in address for address in led_to)
