"""Two people add a task to one lead at the same time: the lead stands by the first of both."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from pipeline import firsttasks
from pipeline.models import Lead, Task
from tests.concurrency.threads import at_once, errors, when_one_waits_for_another
from tests.distribution.world import make_lead

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
LOCK = "PERFORM 1 FROM pipeline_lead WHERE id = ANY(touched) ORDER BY id FOR NO KEY UPDATE;"


def add_two_at_once():
    """The first task is there but not committed when the later one is added. When the lead says that it is due."""
    lead, now = make_lead(), timezone.now()
    there, go_on = threading.Event(), threading.Event()

    def add_sooner():
        with transaction.atomic():
            Task.objects.create(lead=lead, text="Sooner", due_at=now + HOUR)
            there.set()
            assert go_on.wait(60)

    def add_later():
        assert there.wait(60)
        Task.objects.create(lead=lead, text="Later", due_at=now + 2 * HOUR)

    with when_one_waits_for_another(go_on.set):
        assert errors(at_once([add_sooner, add_later])) == []
    return (Lead.objects.get(pk=lead.pk).next_task_at - now) / HOUR


def test_of_two_tasks_that_are_added_at_once_the_first_counts():
    assert add_two_at_once() == 1


def test_without_the_lock_the_later_one_would_count():
    """The control: who waits does not see what the other one wrote."""
    without = firsttasks._POSTGRES.replace(LOCK, "")
    assert without != firsttasks._POSTGRES
    try:
        with connection.cursor() as cursor:
            cursor.execute(without)
        assert add_two_at_once() == 2
    finally:
        firsttasks.install("default")
