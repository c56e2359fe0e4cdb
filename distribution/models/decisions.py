from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from leadcrm.lib.fields import JSONTextField


class Decision(models.Model):
    """The outcome and the sentence of one routing, kept for ever."""

    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, related_name="decisions", db_index=False)
    at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=20)
    # Why no rule placed the lead, when none did; kept apart from where the lead went in the end.
    reason = models.CharField(max_length=20, blank=True)
    rule_set = models.ForeignKey("distribution.RuleSet", models.PROTECT, null=True, blank=True, related_name="+")
    rule = models.ForeignKey("distribution.RoutingRule", models.PROTECT, null=True, blank=True, related_name="+")
    pool = models.ForeignKey(
        "distribution.Pool", models.PROTECT, null=True, blank=True, related_name="decisions", db_index=False
    )
    method = models.CharField(max_length=30, blank=True)
    winner = models.ForeignKey("distribution.Rep", models.PROTECT, null=True, blank=True, related_name="decisions")
    sentence = models.TextField()
    trigger = models.CharField(max_length=10)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    duration_us = models.PositiveIntegerField(default=0, help_text="Time to decide, in microseconds.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the trace: equal for equal facts and world.")

    class Meta:
        ordering = ("-at", "-id")
        indexes = (
            models.Index(fields=("lead", "-id"), name="decision_latest"),
            models.Index(fields=("pool", "-id"), name="decision_by_pool"),
            models.Index("actor", condition=Q(actor__isnull=False), name="decision_by_actor"),
            models.Index(fields=("outcome", "-at"), name="decision_by_outcome"),
            # Leads for which there is no rule are counted on the front page of the admin.
            models.Index(fields=("-at",), condition=Q(reason="no_rule"), name="decision_unrouted"),
        )

    def __str__(self) -> str:
        return self.sentence


class DecisionTrace(models.Model):
    """The full table behind a decision: facts, rules, candidates. Pruned by age; nothing points here."""

    decision = models.OneToOneField(Decision, models.CASCADE, primary_key=True, related_name="trace")
    schema_version = models.PositiveSmallIntegerField()
    # As it was digested.
    data = JSONTextField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"Trace of decision {self.decision_id}"
