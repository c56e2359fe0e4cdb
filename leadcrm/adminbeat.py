"""What runs by itself: the periodic tasks of Celery beat, whose intervals belong to the admins."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from celery import current_app
from django import forms
from django.core.exceptions import ValidationError
from django_celery_beat.admin import PeriodicTaskAdmin as StockPeriodicTaskAdmin
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from unfold.widgets import UnfoldAdminSelectWidget

from leadcrm.lib.adminbase import AnyModelForm, ModelAdmin

LONGEST_INTERVAL = timedelta(days=366)


def task_choices() -> Iterable[tuple[str, str]]:
    """The tasks that a worker knows, by name."""
    current_app.loader.import_default_modules()
    return [(name, name) for name in sorted(current_app.tasks) if not name.startswith("celery.")]


class PeriodicTaskForm(AnyModelForm):
    """One task, one schedule. Written anew because the stock form fails on a task name that is too long."""

    task = forms.ChoiceField(choices=task_choices, widget=UnfoldAdminSelectWidget, help_text="What is run.")

    class Meta:
        model = PeriodicTask
        fields = ("name", "task", "enabled", "description", "interval", "crontab", "expire_seconds", "args", "kwargs")
        labels = {"interval": "Every", "crontab": "At fixed times", "expire_seconds": "Skipped after"}
        help_texts = {
            "enabled": "Switched off, it does not run until it is switched on again.",
            "description": "For whoever wonders what this is for.",
            "name": "What this does. The system finds its own tasks by this name.",
            "interval": "Either so often ...",
            "crontab": "... or at these times.",
            "expire_seconds": "Seconds; a run that has not started by then is left out.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        task = self.instance.task
        if task and task not in dict(task_choices()):
            # A task of a version to come, or of one that is gone: kept until somebody chooses another.
            self.fields["task"].choices = [*task_choices(), (task, f"{task} (not known here)")]  # type: ignore[attr-defined]

    def clean_args(self) -> str:
        return _json_of(self.cleaned_data["args"], list, "Write a list such as [1, 2].")

    def clean_kwargs(self) -> str:
        return _json_of(self.cleaned_data["kwargs"], dict, 'Write an object such as {"limit": 100}.')

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned.get("interval") and cleaned.get("crontab"):
            raise ValidationError({"crontab": "Choose an interval or fixed times, not both."})
        if not (cleaned.get("interval") or cleaned.get("crontab") or self.instance.solar or self.instance.clocked):
            raise ValidationError({"interval": "Choose how often it runs: an interval here, or fixed times below."})
        return cleaned


def _json_of(text: str, kind: type, instead: str) -> str:
    try:
        value = json.loads(text or json.dumps(kind()))
    except (ValueError, RecursionError):
        raise ValidationError(instead) from None
    if not isinstance(value, kind):
        raise ValidationError(instead)
    return json.dumps(value)


class PeriodicTaskAdmin(StockPeriodicTaskAdmin, ModelAdmin):
    form = PeriodicTaskForm
    change_form_template = None
    date_hierarchy = None
    list_display = ("name", "enabled", "scheduler", "last_run_at", "total_run_count")
    list_filter = ("enabled",)
    search_help_text = "Search by name or task"
    readonly_fields = ("last_run_at", "total_run_count")
    fieldsets = (
        (None, {"fields": ("name", "task", "enabled", "description")}),
        ("How often", {"fields": (("interval", "crontab"), "expire_seconds")}),
        ("Arguments", {"fields": ("args", "kwargs"), "classes": ("collapse",)}),
        ("Until now", {"fields": (("last_run_at", "total_run_count"),)}),
    )


class IntervalForm(AnyModelForm):
    period = forms.ChoiceField(
        choices=[choice for choice in IntervalSchedule.PERIOD_CHOICES if choice[0] != IntervalSchedule.MICROSECONDS],
        widget=UnfoldAdminSelectWidget,
    )

    class Meta:
        model = IntervalSchedule
        fields = ("every", "period")

    def clean(self) -> dict[str, Any]:
        every, period = self.cleaned_data.get("every"), self.cleaned_data.get("period")
        if every and period and every > LONGEST_INTERVAL / timedelta(**{period: 1}):
            raise ValidationError({"every": "The longest interval is a year."})
        return self.cleaned_data


class IntervalAdmin(ModelAdmin):
    form = IntervalForm
    list_display = ("__str__",)


class CrontabAdmin(ModelAdmin):
    list_display = ("__str__", "human_readable")
