import uuid

from django.conf import settings
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models.functions import Lower

from leadcrm.lib.quickinsert import QuickInsert


class AttributeDefinition(models.Model):
    """A question of your own that a source may send and a rule may read; one definition per key for all sources."""

    class Type(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        BOOLEAN = "boolean", "Yes or no"
        DATE = "date", "Date"
        CHOICE = "choice", "One of a list"

    key = models.CharField(
        max_length=50,
        unique=True,
        validators=[
            RegexValidator(r"^[a-z][a-z0-9_]*$", "Use lower-case letters, digits and _, beginning with a letter.")
        ],
        help_text="Name in the API and in files, such as budget_year.",
    )
    label = models.CharField(max_length=100)
    type = models.CharField(max_length=10, choices=Type.choices, default=Type.TEXT)
    choices = models.JSONField(default=list, blank=True, help_text="The allowed values, for 'one of a list'.")
    help_text = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("label",)

    def __str__(self) -> str:
        return self.label


class LeadSource(models.Model):
    """Where leads come from; owns its keys, its required fields and its defaults."""

    class Kind(models.TextChoices):
        FORM = "form", "Web form"
        PARTNER = "partner", "Partner"
        AD = "ad", "Advertising platform"
        PHONE = "phone", "Phone"
        FILE = "file", "File import"
        MANUAL = "manual", "Entered by hand"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100)
    slug = models.SlugField(unique=True, help_text="Short name used by rules, imports and the API.")
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.PARTNER)
    active = models.BooleanField(default=True, help_text="An inactive source is refused with a clear answer.")
    routes_owned = models.BooleanField(
        "route leads that come with an owner",
        default=False,
        help_text="Off: the owner they come with has them, without a turn. On: the rules decide about them as well.",
    )
    pipeline = models.ForeignKey(
        "pipeline.Pipeline",
        models.PROTECT,
        null=True,
        blank=True,
        help_text="New leads start in its first open stage; empty means the default pipeline.",
    )
    required_fields = models.JSONField(
        default=list, blank=True, help_text="Lead fields that this source must send; others are optional."
    )
    attributes = models.ManyToManyField(
        AttributeDefinition, blank=True, help_text="Questions of your own that this source may send."
    )
    default_country = models.CharField(
        max_length=2, blank=True, help_text="Used to read phone numbers without a country code, such as DE."
    )
    default_currency = models.CharField(
        max_length=3, blank=True, help_text="Currency of values sent without one, such as EUR."
    )
    requests_per_minute = models.PositiveIntegerField(
        default=600,
        validators=[MinValueValidator(1)],
        help_text="Requests per minute and key before the API answers 429.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(Lower("name"), name="source_name_unique"),)
        permissions = (("view_source_leads", "Can see the leads of this source"),)

    def __str__(self) -> str:
        return self.name


class SourceKey(models.Model):
    """One API key of a source. Only its digest is kept; the key itself is shown once."""

    source = models.ForeignKey(LeadSource, models.CASCADE, related_name="keys")
    label = models.CharField(max_length=100, blank=True)
    prefix = models.CharField(max_length=12, editable=False, help_text="First characters, to tell keys apart.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return f"{self.prefix}…"


class IdempotencyKey(QuickInsert):
    """Remembers what a request with this key made, so that a retry gets the same answer. Kept for 24 hours."""

    source = models.ForeignKey(LeadSource, models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    body_digest = models.CharField(max_length=64)
    lead = models.ForeignKey("pipeline.Lead", models.CASCADE, null=True, related_name="+")
    # Null until the request that owns the key has been answered; then rebuilt from the lead.
    status_code = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("source", "key"), name="idempotency_key_unique_per_source"),)

    def __str__(self) -> str:
        return self.key
