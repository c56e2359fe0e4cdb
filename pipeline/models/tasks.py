from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class Task(models.Model):
    """Something to do for a lead by a time. It is done by whoever has the lead, unless somebody is named."""

    class End(models.TextChoices):
        DONE = "done", "Done"
        DROPPED = "dropped", "Dropped"

    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, related_name="tasks")
    text = models.CharField(max_length=200, help_text="What is to be done.")
    due_at = models.DateTimeField()
    # Taken away when the reminder was sent: what is due is what is there.
    remind_at = models.DateTimeField(null=True, blank=True, help_text="Empty: no reminder, or it was sent.")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="lead_tasks",
        help_text="Empty: whoever has the lead.",
    )
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=7, choices=End.choices, blank=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("due_at", "id")
        constraints = (
            models.CheckConstraint(condition=~Q(text=""), name="task_has_text"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end="") | (Q(ended_at__isnull=False) & ~Q(end="")),
                name="task_ended_has_end",
            ),
            models.CheckConstraint(
                condition=Q(remind_at__isnull=True) | Q(ended_at__isnull=True, remind_at__lte=F("due_at")),
                name="task_reminds_while_open_and_before_it_is_due",
            ),
        )
        indexes = (
            # The sweep reads only what is to be reminded of.
            models.Index("remind_at", condition=Q(remind_at__isnull=False), name="task_reminders"),
            models.Index("lead", "due_at", condition=Q(ended_at=None), name="task_open_by_lead"),
            models.Index("assignee", "due_at", condition=Q(ended_at=None), name="task_open_by_assignee"),
        )

    def __str__(self) -> str:
        return self.text
