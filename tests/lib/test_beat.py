import pytest
from django.core.management import call_command
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from leadcrm.lib import beat

pytestmark = pytest.mark.django_db

SWEEP = beat.Schedule("tests.sweep", 30)


@pytest.fixture(autouse=True)
def _sweep_is_registered():
    with beat.schedules.temporarily("Sweep for tests", SWEEP):
        yield


def test_a_missing_schedule_is_created_and_late_runs_expire():
    assert "Sweep for tests" in beat.ensure_schedules()
    row = PeriodicTask.objects.get(name="Sweep for tests")
    assert (row.task, row.interval.every, row.interval.period) == ("tests.sweep", 30, "seconds")
    assert (row.enabled, row.expire_seconds) == (True, 30)


def test_what_an_admin_changed_stays():
    beat.ensure_schedules()
    rare = IntervalSchedule.objects.create(every=1, period="days")
    PeriodicTask.objects.filter(name="Sweep for tests").update(interval=rare, enabled=False)
    assert beat.ensure_schedules() == []
    row = PeriodicTask.objects.get(name="Sweep for tests")
    assert (row.interval, row.enabled) == (rare, False)


def test_an_interval_that_exists_twice_does_no_harm():
    for _ in range(2):
        IntervalSchedule.objects.create(every=30, period="seconds")
    assert "Sweep for tests" in beat.ensure_schedules()


def test_the_command_says_what_it_created(capsys):
    call_command("ensure_schedules")
    assert "Sweep for tests" in capsys.readouterr().out
    call_command("ensure_schedules")
    assert capsys.readouterr().out == "All periodic tasks are there.\n"


def test_two_tasks_under_one_name_are_refused():
    with pytest.raises(ValueError, match="registered already"):
        beat.register("Sweep for tests", task="tests.other", every_seconds=30)
