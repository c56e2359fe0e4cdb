"""What a load balancer or a person on call asks: is the process alive, and can it do its work?"""

from datetime import datetime

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from leadcrm.celery import app
from leadcrm.taskruns import with_done_at

CONNECT_SECONDS = 2


def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when the database and the broker answer, else 503; and how long ago each periodic task last did its work.

    An overdue task is told, not punished: the web process could not help it by being taken out of service.
    """
    database = _database()
    state = {"database": database, "broker": _broker(), "tasks": _task_ages() if database == "ok" else {}}
    ready = state["database"] == state["broker"] == "ok"
    return JsonResponse(state, status=200 if ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return type(error).__name__  # the message may carry addresses
    return "ok"


def _broker() -> str:
    with app.connection_for_write(connect_timeout=CONNECT_SECONDS) as broker:
        try:
            broker.connect()
        except (OSError, *broker.connection_errors, *broker.channel_errors) as error:
            return type(error).__name__
    return "ok"


def _task_ages() -> dict[str, int | None]:
    """Seconds since each enabled periodic task last did its work; None when never."""
    now = timezone.now()
    return {name: _age(now, done) for name, done in with_done_at().values_list("name", "done_at")}


def _age(now: datetime, last: datetime | None) -> int | None:
    return int((now - last).total_seconds()) if last else None
