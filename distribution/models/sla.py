from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from simple_history.models import HistoricalRecords

from distribution.engine.sla import action_choices


class SLAPolicy(models.Model):
    """A promise: how soon a lead is accepted and contacted, and what happens when it is not."""

    class Time(models.TextChoices):
        WORKING = "working", "Working time of the owner"
        CLOCK = "clock", "By the clock"

    name = models.CharField(max_length=100)
    time = models.CharField("minutes count", max_length=7, choices=Time.choices, default=Time.WORKING)
    accept_minutes = models.PositiveIntegerField(
        "accept within", null=True, blank=True, help_text="Minutes for the owner to accept. Empty: no such promise."
    )
    contact_minutes = models.PositiveIntegerField(
        "contact within",
        null=True,
        blank=True,
        help_text="Minutes from an assignment to the first contact by its owner. Empty: no such promise.",
    )
    lead_minutes = models.PositiveIntegerField(
        "answer the lead within",
        null=True,
        blank=True,
        help_text="Minutes from when the lead came in to its first contact, whoever has it. Empty: no such promise.",
    )
    idle_minutes = models.PositiveIntegerField(
        "idle after",
        null=True,
        blank=True,
        help_text="Minutes after accepting without contact or other activity of the owner. Empty: never.",
    )
    max_hops = models.PositiveSmallIntegerField(
        "reassign at most", default=3, help_text="Times that a lead moves on by itself; then the manager has it."
    )
    min_priority = models.SmallIntegerField(
        "from priority", null=True, blank=True, help_text="For leads of this priority or higher whose rule names none."
    )
    is_default = models.BooleanField("default", default=False, help_text="For leads that no other policy is for.")
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords()

    class Meta:
        verbose_name = "SLA policy"
        verbose_name_plural = "SLA policies"
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(Lower("name"), name="sla_policy_name_unique"),
            models.UniqueConstraint("is_default", condition=Q(is_default=True), name="sla_policy_one_default"),
            models.CheckConstraint(
                condition=Q(accept_minutes__isnull=True) | Q(accept_minutes__gt=0), name="sla_accept_positive"
            ),
            models.CheckConstraint(
                condition=Q(contact_minutes__isnull=True) | Q(contact_minutes__gt=0), name="sla_contact_positive"
            ),
            models.CheckConstraint(
                condition=Q(lead_minutes__isnull=True) | Q(lead_minutes__gt=0), name="sla_lead_positive"
            ),
            models.CheckConstraint(
                condition=Q(idle_minutes__isnull=True) | Q(idle_minutes__gt=0), name="sla_idle_positive"
            ),
        )

    def __str__(self) -> str:
        return self.name


class ClockKind(models.TextChoices):
    """What a clock promises. The last one is the lead's own: it runs on whoever has it."""

    ACCEPT = "accept", "Accept"
    CONTACT = "contact", "Contact"
    IDLE = "idle", "Do something after accepting"
    LEAD = "lead", "Answer the lead"


class EscalationStep(models.Model):
    """One rung of a policy's ladder: so long after the clock started, do this."""

    policy = models.ForeignKey(SLAPolicy, models.CASCADE, related_name="steps")
    clock = models.CharField(max_length=7, choices=ClockKind.choices, default=ClockKind.ACCEPT)
    after_minutes = models.PositiveIntegerField(null=True, blank=True, help_text="Minutes after the clock started,")
    after_percent = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="or percent of the promised time; 100 is when it is broken."
    )
    action = models.CharField(max_length=30, choices=action_choices)
    note = models.CharField(max_length=200, blank=True, help_text="Goes with the message.")

    class Meta:
        ordering = ("policy", "clock", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(after_minutes__isnull=False, after_percent__isnull=True)
                | Q(after_minutes__isnull=True, after_percent__isnull=False),
                name="step_after_minutes_or_percent",
            ),
        )

    def __str__(self) -> str:
        after = f"{self.after_minutes} min" if self.after_minutes is not None else f"{self.after_percent} %"
        return f"{after}: {self.get_action_display()}"


class SLAClock(models.Model):
    """One running promise. What was promised is frozen here; the calendars it counts by are not.

    Times are counted from ``counted_from``, ``used`` of the promise being spent by then: a pause, a new owner or a
    return from snoozing moves both, so that what was counted stays counted.
    """

    class Outcome(models.TextChoices):
        KEPT = "kept", "Kept"
        LATE = "late", "Late"
        ENDED = "ended", "No longer asked for"

    kind = models.CharField(max_length=7, choices=ClockKind.choices)
    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, related_name="clocks")
    assignment = models.ForeignKey(
        "distribution.Assignment", models.CASCADE, null=True, blank=True, related_name="clocks"
    )
    rep = models.ForeignKey(
        "distribution.Rep",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="clocks",
        help_text="Whose working time counts now.",
    )
    policy = models.ForeignKey(SLAPolicy, models.PROTECT, related_name="clocks")
    span = models.DurationField(help_text="The promise.")
    working = models.BooleanField(help_text="Whether working time counts, or the clock.")
    max_hops = models.PositiveSmallIntegerField()
    # What happens when, in the order in which it happens: {"key", "after" (seconds), "action", "note"}.
    ladder = models.JSONField()

    started_at = models.DateTimeField()
    counted_from = models.DateTimeField()
    used = models.DurationField()
    due_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never, there is no working time.")
    next_step = models.PositiveSmallIntegerField(default=0, help_text="Place in the ladder of what comes next.")
    next_at = models.DateTimeField(null=True, blank=True, help_text="When that is due. Empty: nothing is left.")

    paused_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=5, choices=Outcome.choices, blank=True)
    broken_at = models.DateTimeField(
        null=True, blank=True, help_text="When the promise was broken. Empty again when it turns out that it was kept."
    )

    # Hours or leave changed: the times above are worked out again by the sweep.
    stale = models.BooleanField(default=False)
    leased_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = "SLA clock"
        ordering = ("-started_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("assignment", "kind"),
                condition=Q(stopped_at=None, assignment__isnull=False),
                name="clock_one_running_per_assignment",
            ),
            models.UniqueConstraint(
                fields=("lead",), condition=Q(stopped_at=None, kind="lead"), name="clock_one_running_of_lead"
            ),
            models.CheckConstraint(
                condition=Q(kind="lead", assignment__isnull=True) | (~Q(kind="lead") & Q(assignment__isnull=False)),
                name="clock_of_assignment_or_lead",
            ),
            models.CheckConstraint(
                condition=Q(stopped_at__isnull=True, outcome="") | (Q(stopped_at__isnull=False) & ~Q(outcome="")),
                name="clock_stopped_has_outcome",
            ),
            models.CheckConstraint(
                condition=~Q(outcome="kept") | Q(broken_at__isnull=True), name="clock_kept_was_not_broken"
            ),
        )
        indexes = (
            # The sweep reads only what runs and has something left to do, the longest overdue first.
            models.Index(
                "next_at", condition=Q(stopped_at=None, paused_at=None, next_at__isnull=False), name="clock_due"
            ),
            models.Index("rep", condition=Q(stopped_at=None), name="clock_running_by_rep"),
            models.Index("lead", condition=Q(stopped_at=None), name="clock_running_by_lead"),
            models.Index("id", condition=Q(stopped_at=None, stale=True), name="clock_stale"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.lead}"


class StepTaken(models.Model):
    """One step of one clock that was taken. That it happens once is this table's constraint."""

    clock = models.ForeignKey(SLAClock, models.CASCADE, related_name="steps")
    key = models.PositiveBigIntegerField(help_text="Which entry of the ladder; 0 is the moment the promise broke.")
    action = models.CharField(max_length=30)
    due_at = models.DateTimeField()
    at = models.DateTimeField(default=timezone.now)
    result = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = "step taken"
        verbose_name_plural = "steps taken"
        ordering = ("at", "id")
        constraints = (models.UniqueConstraint(fields=("clock", "key"), name="step_taken_once"),)

    def __str__(self) -> str:
        return f"{self.action} of clock {self.clock_id}"
