from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from leadcrm.lib.moments import moment_text
from leadcrm.lib.quickinsert import QuickInsert


class Event(QuickInsert):
    """One line of a lead's history, written in the transaction of what it tells: timeline and outbox at once."""

    class Kind(models.TextChoices):
        CREATED = "lead.created", "Lead created"
        EDITED = "lead.edited", "Lead edited"
        MATCHED = "lead.matched", "Recognised as someone known"
        ASSIGNED = "lead.assigned", "Assigned"
        REASSIGNED = "lead.reassigned", "Reassigned"
        OFFERED = "lead.offered", "Offered"
        QUEUED = "lead.queued", "Put in a team's queue"
        HELD = "lead.held", "Waiting for someone to be available"
        UNROUTED = "lead.unrouted", "Nobody found"
        FAILED = "lead.routing_failed", "Routing failed"
        EXCLUDED = "lead.excluded", "Kept out of routing"
        ACCEPTED = "lead.accepted", "Accepted"
        RETURNED = "lead.returned", "Returned as invalid"
        RELEASED = "lead.released", "Given back"
        MOVED = "lead.stage_changed", "Moved to another stage"
        SORTED = "lead.sorted", "Put elsewhere in its column"
        CONTACTED = "lead.contacted", "Contacted"
        NOTED = "lead.noted", "Note added"
        REPLIED = "lead.replied", "The lead replied"
        MESSAGED = "lead.messaged", "Automatic message sent"
        CALLED = "lead.called", "Phone call"
        CONSENT = "lead.consent", "Consent changed"
        SNOOZED = "lead.snoozed", "Snoozed"
        WOKEN = "lead.woken", "Back from snoozing"
        LENT = "lead.lent", "Lent to somebody"
        LOAN_CHANGED = "lead.loan_changed", "Lent until another time"
        GIVEN_BACK = "lead.given_back", "Given back to its owner"
        REMINDED = "sla.reminded", "Reminder sent"
        BACKUP = "sla.backup", "Reminder sent by the second channel"
        BROKEN = "sla.broken", "Promise broken"
        ESCALATED = "sla.escalated", "Manager told"
        MOVED_ON = "sla.moved_on", "Moved on"
        SET_AWAY = "sla.set_away", "Owner set away"
        STEP_FAILED = "sla.failed", "Escalation failed"
        TASK_ADDED = "task.added", "Task added"
        TASK_CHANGED = "task.changed", "Task changed"
        TASK_DUE = "task.due", "Reminder of a task sent"
        TASK_DONE = "task.done", "Task done"
        TASK_DROPPED = "task.dropped", "Task dropped"
        CLOSED = "lead.closed", "Closed"
        REOPENED = "lead.reopened", "Reopened"

    # For open boards only: no part of a lead's history, and nobody is told.
    UNTOLD = (Kind.SORTED,)

    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, related_name="events", db_index=False)
    kind = models.CharField(max_length=40, choices=Kind.choices)
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="Empty: the system.",
    )
    data = models.JSONField(default=dict, blank=True)
    fanned_out_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("at", "id")
        indexes = (
            models.Index("lead", "at", name="event_timeline"),
            models.Index("actor", condition=Q(actor__isnull=False), name="event_by_actor"),
            # The outbox reads only what nobody was told yet.
            models.Index("id", condition=Q(fanned_out_at=None), name="event_outbox"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {moment_text(self.at)}"
