"""People, groups, failed sign-ins and periodic tasks in the admin."""

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> Client:
    return signed_in(User.objects.create_superuser("boss", password="secret"))


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def clerk() -> Client:
    """May edit people, but is no superuser."""
    user = User.objects.create_user("clerk", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["change_user", "view_user"]))
    return signed_in(user)


def user_form(user: User, **fields: Any) -> dict[str, Any]:
    return {"username": user.username, "is_active": "on", **fields}


def user_url(user: User, page: str = "change") -> str:
    name = f"admin:auth_user_{page}" if page == "change" else f"admin:auth_user_{page}_change"
    return reverse(name, args=[user.pk])


def test_a_clerk_cannot_hand_out_rights(clerk: Client):
    group = Group.objects.create(name="Everything")
    user = User.objects.create_user("ada")
    clerk.post(user_url(user), user_form(user, is_superuser="on", groups=[group.pk], first_name="Ada"))
    user.refresh_from_db()
    assert (user.first_name, user.is_superuser, user.groups.count()) == ("Ada", False, 0)


def test_a_clerk_cannot_take_over_a_superuser(clerk: Client, boss: Client):
    chief = User.objects.get(username="boss")
    assert clerk.post(user_url(chief), user_form(chief, first_name="Mine")).status_code == 403
    password = {"password1": "a long enough one", "password2": "a long enough one", "usable_password": "true"}
    assert clerk.post(user_url(chief, "password"), password).status_code in (403, 404)
    chief.refresh_from_db()
    assert chief.check_password("secret")


def test_people_are_switched_off_not_deleted(boss: Client):
    user = User.objects.create_user("ada")
    assert boss.post(reverse("admin:auth_user_delete", args=[user.pk]), {"post": "yes"}).status_code == 403
    boss.post(user_url(user), {"username": "ada"})
    user.refresh_from_db()
    assert not user.is_active


def test_a_person_is_added_with_a_name_and_a_password(boss: Client):
    password = {"usable_password": "true", "password1": "correct horse battery", "password2": "correct horse battery"}
    boss.post(reverse("admin:auth_user_add"), {"username": "ada", "first_name": "Ada", **password})
    assert User.objects.get(username="ada").check_password("correct horse battery")


def test_somebody_locked_out_is_let_in_again(boss: Client):
    attempt = AccessAttempt.objects.create(username="ada", ip_address="192.0.2.1", failures_since_start=10)
    url = reverse("admin:axes_accessattempt_changelist")
    boss.post(url, {"action": "forget", "_selected_action": [attempt.pk]})
    assert not AccessAttempt.objects.exists()


# --- Periodic tasks ---

TASK = "distribution.tasks.sweep_unassigned"


def task_form(**fields: Any) -> dict[str, Any]:
    return {"name": "Sweep", "task": TASK, "enabled": "on", "args": "[]", "kwargs": "{}", **fields}


@pytest.fixture
def every_minute() -> IntervalSchedule:
    return IntervalSchedule.objects.create(every=1, period=IntervalSchedule.MINUTES)


def test_a_task_runs_every_so_often(boss: Client, every_minute: IntervalSchedule):
    boss.post(reverse("admin:django_celery_beat_periodictask_add"), task_form(interval=every_minute.pk))
    assert PeriodicTask.objects.get().interval == every_minute


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"interval": ""}, "interval"),
        ({"crontab": "both"}, "crontab"),
        ({"task": "x" * 300}, "task"),
        ({"task": "os.system"}, "task"),
        ({"args": "{}"}, "args"),
        ({"args": "[" * 100_000}, "args"),
        ({"kwargs": "[1]"}, "kwargs"),
        ({"kwargs": "{'a': 1}"}, "kwargs"),
        ({"expire_seconds": "-1"}, "expire_seconds"),
        ({"name": ""}, "name"),
    ],
)
def test_what_is_wrong_with_a_task_stands_on_its_field(
    boss: Client, every_minute: IntervalSchedule, fields: dict[str, Any], field: str
):
    if fields.get("crontab"):
        fields = {"crontab": CrontabSchedule.objects.create().pk}
    form = task_form(**{"interval": every_minute.pk, **fields})
    response = boss.post(reverse("admin:django_celery_beat_periodictask_add"), form)
    assert field in response.context["adminform"].form.errors


def test_a_task_that_this_version_does_not_know_keeps_its_name(boss: Client, every_minute: IntervalSchedule):
    task = PeriodicTask.objects.create(name="Old", task="gone.away", interval=every_minute)
    url = reverse("admin:django_celery_beat_periodictask_change", args=[task.pk])
    boss.post(url, task_form(name="Old", task="gone.away", interval=every_minute.pk, description="Still here"))
    task.refresh_from_db()
    assert (task.task, task.description) == ("gone.away", "Still here")


@pytest.mark.parametrize(("every", "period"), [("0", "days"), ("400", "days"), ("1", "microseconds")])
def test_an_interval_that_would_stop_the_scheduler_is_refused(boss: Client, every: str, period: str):
    boss.post(reverse("admin:django_celery_beat_intervalschedule_add"), {"every": every, "period": period})
    assert not IntervalSchedule.objects.exists()
