import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Least, Upper
from django.utils import timezone

from leadcrm.lib.quickinsert import QuickInsert

_ON_BOARD = Q(closed_at=None, archived_at=None)
_COUNTED = ("value_base", "owner", "team", "routing_state")
# While a lead is snoozed, what was promised waits.
_PROMISE = Coalesce("snoozed_until", "respond_by")


class Lead(QuickInsert):
    """A person or company that asked for something.

    Written through ``pipeline.services`` and, for who has it, ``distribution.services``; nothing else.
    """

    class RoutingState(models.TextChoices):
        NEW = "new", "New"
        UNASSIGNED = "unassigned", "Unassigned"
        HELD = "held", "Waiting"
        CLAIMABLE = "claimable", "Up for claim"
        ASSIGNED = "assigned", "Assigned"
        EXCLUDED = "excluded", "Excluded"
        ERROR = "error", "Routing failed"

    # Whether what it holds, stage and pipeline too, is what the database holds: whoever reads it need not do it again.
    is_as_stored = False

    # States that the sweep finishes when nobody else did.
    UNFINISHED = (RoutingState.NEW, RoutingState.UNASSIGNED, RoutingState.ERROR)

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    # Who it is
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    phone = models.CharField(max_length=20, blank=True, help_text="International form, such as +4930123456.")
    company = models.CharField(max_length=200, blank=True)
    job_title = models.CharField(max_length=150, blank=True)
    website = models.URLField(max_length=300, blank=True)
    account = models.ForeignKey(
        "pipeline.Account", models.PROTECT, null=True, blank=True, related_name="leads", db_index=False
    )

    # Where it is
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1 code, such as DE.")
    region = models.CharField(max_length=6, blank=True, help_text="ISO 3166-2 code, such as DE-BY.")
    postal_code = models.CharField(max_length=16, blank=True)
    city = models.CharField(max_length=100, blank=True)
    language = models.CharField(max_length=2, blank=True, help_text="ISO 639-1 code, such as de.")
    time_zone = models.CharField(max_length=64, blank=True, help_text="IANA name; empty when unknown.")

    # What it wants
    industry = models.CharField(max_length=100, blank=True)
    employees = models.PositiveIntegerField(null=True, blank=True)
    value = models.DecimalField(
        max_digits=14, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    currency = models.CharField(max_length=3, blank=True)
    value_base = models.DecimalField(
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        editable=False,
        help_text="Value in the base currency, at the rate of the day it came in.",
    )
    product = models.CharField(max_length=100, blank=True)
    message = models.TextField(blank=True)
    score = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MaxValueValidator(100)], help_text="0 to 100."
    )
    priority = models.SmallIntegerField(default=0, help_text="Higher goes first.")
    tags = models.JSONField(default=list, blank=True, help_text="A list of words.")
    attributes = models.JSONField(default=dict, blank=True)

    # Where it came from
    source = models.ForeignKey("pipeline.LeadSource", models.PROTECT, related_name="leads", db_index=False)
    external_id = models.CharField(max_length=200, blank=True, help_text="Its id at the source.")
    utm_source = models.CharField(max_length=200, blank=True)
    utm_medium = models.CharField(max_length=200, blank=True)
    utm_campaign = models.CharField(max_length=200, blank=True)
    utm_term = models.CharField(max_length=200, blank=True)
    utm_content = models.CharField(max_length=200, blank=True)
    duplicate_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="duplicates", db_index=False
    )

    # Where it stands
    stage = models.ForeignKey("pipeline.Stage", models.PROTECT, related_name="leads", db_index=False)
    stage_since = models.DateTimeField(default=timezone.now, editable=False)
    # Where it lies in its column when cards are sorted by hand: the latest on top.
    board_at = models.DateTimeField(default=timezone.now, editable=False)
    lost_reason = models.CharField(max_length=200, blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="owned_leads"
    )
    team = models.ForeignKey("pipeline.Team", models.PROTECT, null=True, blank=True, related_name="leads")
    routing_state = models.CharField(
        max_length=10, choices=RoutingState.choices, default=RoutingState.NEW, editable=False
    )
    routing_code = models.CharField(max_length=40, blank=True, editable=False)
    routing_sentence = models.TextField(blank=True, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)
    attempts = models.PositiveIntegerField(default=0, editable=False)
    # Due at once: if the wake-up after the commit is lost, the next sweep finds the lead.
    next_attempt_at = models.DateTimeField(default=timezone.now, null=True, blank=True, editable=False)
    respond_by = models.DateTimeField(null=True, blank=True, editable=False)
    snoozed_until = models.DateTimeField(null=True, blank=True, editable=False)
    # Until when its first open task is to be done. Kept by triggers of the database (pipeline.firsttasks).
    next_task_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When something is due next: its first task, or what was promised; the end of its rest while it is snoozed.
    # Of two moments one of which is missing, SQLite knows no least.
    due_at = models.GeneratedField(
        expression=Coalesce(Least(_PROMISE, "next_task_at"), _PROMISE, "next_task_at"),
        output_field=models.DateTimeField(null=True),
        db_persist=True,
    )

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    assigned_at = models.DateTimeField(null=True, blank=True, editable=False)
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    first_contacted_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(routing_state="assigned", owner__isnull=False)
                | (~Q(routing_state="assigned") & Q(owner__isnull=True)),
                name="lead_owner_exactly_when_assigned",
            ),
            models.CheckConstraint(condition=Q(value__isnull=True) | Q(value__gte=0), name="lead_value_not_negative"),
            models.CheckConstraint(condition=Q(value__isnull=True) | ~Q(currency=""), name="lead_value_has_currency"),
            models.CheckConstraint(condition=Q(score__isnull=True) | Q(score__lte=100), name="lead_score_to_100"),
            models.CheckConstraint(
                condition=Q(duplicate_of__isnull=True) | ~Q(duplicate_of=F("id")), name="lead_not_its_own_duplicate"
            ),
            models.UniqueConstraint(
                fields=("source", "external_id"),
                condition=~Q(external_id=""),
                name="lead_external_id_unique_per_source",
            ),
        )
        indexes = (
            # The sweep reads only what is unfinished and due.
            models.Index(
                "next_attempt_at",
                condition=Q(routing_state__in=("new", "unassigned", "error"), closed_at=None, archived_at=None),
                name="lead_due_for_routing",
            ),
            models.Index("owner", "stage", condition=Q(closed_at=None), name="lead_open_by_owner"),
            models.Index("team", "routing_state", condition=Q(closed_at=None), name="lead_open_by_team"),
            models.Index(fields=("stage", "-created_at"), name="lead_by_stage"),
            # The columns of the board, in their order: by urgency, by hand, and the last that were closed. What the
            # heads of the columns count and sum up is read from them alone.
            models.Index(
                fields=("stage", "due_at", "-created_at", "-id"),
                include=(*_COUNTED, "snoozed_until"),
                condition=_ON_BOARD,
                name="lead_board_urgency",
            ),
            models.Index(fields=("stage", "-board_at", "-id"), condition=_ON_BOARD, name="lead_board_by_hand"),
            models.Index(
                fields=("stage", "-closed_at", "-id"),
                include=_COUNTED,
                condition=Q(closed_at__isnull=False, archived_at=None),
                name="lead_board_closed",
            ),
            models.Index(fields=("source", "-id"), name="lead_by_source"),
            models.Index("snoozed_until", condition=Q(snoozed_until__isnull=False), name="lead_snoozed"),
            models.Index("account", condition=Q(account__isnull=False), name="lead_by_account"),
            models.Index("duplicate_of", condition=Q(duplicate_of__isnull=False), name="lead_by_first"),
            models.Index("email", condition=~Q(email=""), name="lead_by_email"),
            models.Index("phone", condition=~Q(phone=""), name="lead_by_phone"),
            models.Index(Upper("company"), condition=~Q(company=""), name="lead_by_company"),
        )

    def __str__(self) -> str:
        return self.name or self.company or self.email or self.phone or f"Lead {self.uid}"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
