from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from leadcrm.celery import app
from leadcrm.models import TaskRun
from leadcrm.taskruns import note_done
from tests.support import servers


@pytest.fixture
def broker_url() -> Iterator[Callable[[str], None]]:
    """Point the running application at another broker for one test."""
    before = app.conf.broker_write_url, app.conf.broker_transport_options

    def point(url: str) -> None:
        app.conf.update(broker_write_url=url, broker_transport_options={})

    yield point
    app.conf.update(broker_write_url=before[0], broker_transport_options=before[1])


def test_a_living_process_says_ok_without_asking_the_database(client):
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")


@pytest.mark.django_db
def test_a_process_is_ready_when_database_and_broker_answer(client):
    response = client.get("/readyz")
    assert (response.status_code, response.json()["database"], response.json()["broker"]) == (200, "ok", "ok")


@pytest.mark.django_db
def test_a_process_is_not_ready_without_its_broker(client, broker_url):
    with servers.redis() as url:
        broker_url(url)
        assert client.get("/readyz").status_code == 200
    response = client.get("/readyz")
    assert (response.status_code, response.json()["database"]) == (503, "ok")
    assert response.json()["broker"] != "ok"


def in_another_thread(work: Callable[[], Any]) -> Any:
    """Connections belong to threads: this one makes its own from the settings, as a new process would."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


@pytest.mark.django_db(transaction=True)
def test_a_process_is_not_ready_without_its_database_and_does_not_say_where_it_is(monkeypatch):
    port = servers.free_port()
    monkeypatch.setitem(connections.settings["default"], "PORT", port)
    response: HttpResponse = in_another_thread(lambda: Client().get("/readyz"))
    assert response.status_code == 503
    assert b'"database": "OperationalError"' in response.content
    assert str(port).encode() not in response.content


@pytest.mark.django_db
def test_readiness_tells_how_long_ago_each_periodic_task_did_its_work(client):
    often = IntervalSchedule.objects.create(every=30, period="seconds")
    now = timezone.now()
    PeriodicTask.objects.create(name="Sweep", task="x", interval=often, last_run_at=now - timedelta(seconds=1))
    PeriodicTask.objects.create(name="Never", task="y", interval=often, last_run_at=now)
    PeriodicTask.objects.create(name="Off", task="z", interval=often, enabled=False)
    for moment in (now - timedelta(hours=1), now - timedelta(seconds=90)):
        note_done("x", moment)
    tasks = client.get("/readyz").json()["tasks"]
    assert tasks["Sweep"] in range(90, 100)
    assert tasks["Never"] is None
    assert "Off" not in tasks


@pytest.mark.django_db
def test_a_task_that_beat_does_not_send_is_not_noted():
    note_done("notifications.tasks.send_one", timezone.now())
    assert not TaskRun.objects.exists()
