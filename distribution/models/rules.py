from django.conf import settings
from django.db import models
from django.db.models import F, Q

from distribution.engine.conditions import operator_choices
from distribution.engine.targets import target_choices, unavailable_choices


class RuleSet(models.Model):
    """An ordered list of rules. Once it has been live it never changes: clone it, change the draft, publish that."""

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        LIVE = "live", "Live"
        ARCHIVED = "archived", "Archived"

    name = models.CharField(max_length=100)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT, editable=False)
    version = models.PositiveIntegerField(
        null=True, blank=True, unique=True, editable=False, help_text="Given on publishing."
    )
    catch_all_pool = models.ForeignKey(
        "distribution.Pool",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="Who gets leads that no rule could place: a pool, or else a team's queue below.",
    )
    catch_all_team = models.ForeignKey(
        "pipeline.Team",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The team whose queue takes leads that no rule could place.",
    )
    cloned_from = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, editable=False, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.UniqueConstraint("state", condition=Q(state="live"), name="rule_set_one_live"),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(version__isnull=False), name="rule_set_published_has_version"
            ),
            models.CheckConstraint(
                condition=Q(catch_all_pool__isnull=True) | Q(catch_all_team__isnull=True),
                name="rule_set_one_catch_all",
            ),
            models.CheckConstraint(
                condition=~Q(state="live") | Q(catch_all_pool__isnull=False) | Q(catch_all_team__isnull=False),
                name="rule_set_live_has_catch_all",
            ),
        )

    def __str__(self) -> str:
        return f"{self.name} (version {self.version})" if self.version else self.name


class RoutingRule(models.Model):
    """When these conditions hold, go to this target."""

    class SkillField(models.TextChoices):
        NONE = "", "No"
        PRODUCT = "product", "The lead's product"
        INDUSTRY = "industry", "The lead's industry"

    rule_set = models.ForeignKey(RuleSet, models.CASCADE, related_name="rules")
    position = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=100)
    active = models.BooleanField(default=True)
    valid_from = models.DateTimeField(null=True, blank=True, help_text="Ignored before. Empty: at once.")
    valid_until = models.DateTimeField(null=True, blank=True, help_text="Ignored from then on. Empty: for ever.")
    weekdays = models.JSONField(
        default=list, blank=True, help_text="Days on which it applies, 1 Monday to 7 Sunday. Empty: every day."
    )
    from_time = models.TimeField(null=True, blank=True, help_text="Applies from this time of day.")
    to_time = models.TimeField(
        null=True, blank=True, help_text="Applies until this time of day; earlier than the first: over midnight."
    )
    time_zone = models.CharField(max_length=64, default="UTC", help_text="Time zone of the days and times above.")

    target = models.CharField(max_length=30, choices=target_choices, default="pool")
    pool = models.ForeignKey("distribution.Pool", models.PROTECT, null=True, blank=True, related_name="rules")
    rep = models.ForeignKey("distribution.Rep", models.PROTECT, null=True, blank=True, related_name="rules")
    team = models.ForeignKey("pipeline.Team", models.PROTECT, null=True, blank=True, related_name="rules")
    if_unavailable = models.CharField(
        max_length=10,
        choices=unavailable_choices,
        default="next",
        help_text="What happens when the rule matches and nobody there can take the lead.",
    )
    fallback_pool = models.ForeignKey("distribution.Pool", models.PROTECT, null=True, blank=True, related_name="+")

    required_skills = models.ManyToManyField(
        "distribution.Skill", blank=True, help_text="Only people with all of these."
    )
    skill_field = models.CharField(
        max_length=10,
        choices=SkillField.choices,
        default=SkillField.NONE,
        blank=True,
        help_text="Only people with the skill named like the lead's product or industry.",
    )
    match_language = models.BooleanField(default=False, help_text="Only people who speak the lead's language.")
    match_territory = models.BooleanField(default=False, help_text="Only people who work in the lead's territory.")
    set_priority = models.SmallIntegerField(null=True, blank=True, help_text="Give the lead this priority.")

    sla_policy = models.ForeignKey(
        "distribution.SLAPolicy",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="rules",
        verbose_name="SLA policy",
        help_text="The promise for leads of this rule. Empty: by their priority, else the default one.",
    )

    class Meta:
        ordering = ("rule_set", "position", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_until__isnull=True) | Q(valid_from__lt=F("valid_until")),
                name="rule_validity_in_order",
            ),
            models.CheckConstraint(
                condition=(~Q(target="pool") | Q(pool__isnull=False))
                & (~Q(target="rep") | Q(rep__isnull=False))
                & (~Q(target="team_queue") | Q(team__isnull=False)),
                name="rule_has_its_target",
            ),
            models.CheckConstraint(
                condition=~Q(if_unavailable="fallback") | Q(fallback_pool__isnull=False), name="rule_has_its_fallback"
            ),
            models.CheckConstraint(
                condition=Q(from_time__isnull=True, to_time__isnull=True)
                | Q(from_time__isnull=False, to_time__isnull=False),
                name="rule_times_both_or_none",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Condition(models.Model):
    """``field operator value``. All conditions of one group must hold; any one group is enough."""

    rule = models.ForeignKey(RoutingRule, models.CASCADE, related_name="conditions")
    group = models.PositiveSmallIntegerField(default=1, help_text="Same number: and. Another number: or.")
    field = models.CharField(max_length=60)
    operator = models.CharField(max_length=20, choices=operator_choices)
    # A scalar, a list for "any of" and "none of", [low, high] for "between", null for the blank operators.
    value = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ("rule", "group", "id")

    def __str__(self) -> str:
        return f"{self.field} {self.operator} {self.value}"
