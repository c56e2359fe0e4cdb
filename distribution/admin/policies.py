"""SLA policies: what is promised, the ladder of what happens when it is not, drawn, and what is odd about it."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Count, Q, QuerySet
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from distribution.hours import load_timetable
from distribution.ladders import draw_policy, policy_warnings
from distribution.models import EscalationStep, RoutingRule, RuleSet, SLAPolicy
from distribution.promises import minutes_of
from leadcrm.lib.adminbase import AnyModelForm, ArchivableAdmin, ArchivedFilter, HistoryAdmin, TabularInline
from leadcrm.lib.adminforms import refuse_second

LONGEST_MINUTES = 366 * 24 * 60
MOST_PERCENT = 1000
MINUTES = ("accept_minutes", "contact_minutes", "lead_minutes", "idle_minutes")


class PolicyForm(AnyModelForm):
    class Meta:
        model = SLAPolicy
        fields = ("name", "time", *MINUTES, "max_hops", "min_priority", "is_default")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {*MINUTES} & {*self.fields}:
            bound(self.fields[name], 1, LONGEST_MINUTES, "minutes")

    def clean(self) -> dict[str, Any]:
        refuse_second(self, "is_default")
        return self.cleaned_data


class StepForm(AnyModelForm):
    class Meta:
        model = EscalationStep
        fields = ("clock", "after_minutes", "after_percent", "action", "note")
        labels = {"after_minutes": "after minutes", "after_percent": "or at percent"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limits = {"after_minutes": (LONGEST_MINUTES, "minutes"), "after_percent": (MOST_PERCENT, "percent")}
        for name in limits.keys() & self.fields.keys():
            bound(self.fields[name], 0, *limits[name])

    def clean(self) -> dict[str, Any]:
        minutes, percent = (self.cleaned_data.get(name) for name in ("after_minutes", "after_percent"))
        if not {"after_minutes", "after_percent"} & {*self.errors} and (minutes is None) == (percent is None):
            said = "Give minutes or percent, not both." if percent is not None else "Give minutes, or percent."
            self.add_error("after_minutes" if percent is None else "after_percent", said)
        return self.cleaned_data


def bound(field: forms.Field, least: int, most: int, unit: str) -> None:
    """In the place of the bounds of the column, which would be told beside these."""
    at_least = f"At least {least} {unit.removesuffix('s') if least == 1 else unit}."
    field.validators = [MinValueValidator(least, at_least), MaxValueValidator(most, f"At most {most:,} {unit}.")]


class StepInline(TabularInline):
    model = EscalationStep
    form = StepForm
    verbose_name = "step"
    verbose_name_plural = "ladder: what happens when"
    ordering = ("clock", "id")


@admin.register(SLAPolicy)
class SLAPolicyAdmin(HistoryAdmin, ArchivableAdmin):
    form = PolicyForm
    inlines = (StepInline,)
    list_display = ("name", "time", "promises", "step_count", "for_whom", "rule_count")
    list_filter = (("time", ChoicesDropdownFilter), ArchivedFilter)
    search_fields = ("name",)
    search_help_text = "Search by name"
    change_form_outer_before_template = "admin/distribution/slapolicy/before.html"
    fieldsets = (
        (None, {"fields": ("name", "time")}),
        (
            "Promises, in minutes",
            {
                "fields": (("accept_minutes", "contact_minutes"), ("lead_minutes", "idle_minutes")),
                "description": "Each number starts a clock of its own. Changes count for leads assigned from then on.",
            },
        ),
        ("Moving on", {"fields": ("max_hops",)}),
        (
            "For which leads",
            {
                "fields": (("min_priority", "is_default"),),
                "description": "A rule that names a policy goes first, then the priority, then the default.",
            },
        ),
    )

    @property
    def media(self) -> Media:
        merged: Media = super().media + Media(css={"all": ["distribution/hours.css", "distribution/rules.css"]})
        return merged

    def get_queryset(self, request: HttpRequest) -> QuerySet[SLAPolicy]:
        rows: QuerySet[SLAPolicy] = super().get_queryset(request)
        live = Count("rules", distinct=True, filter=Q(rules__rule_set__state=RuleSet.State.LIVE))
        return rows.annotate(steps_made=Count("steps", distinct=True), live_rules=live)

    @admin.display(description="promises")
    def promises(self, policy: SLAPolicy) -> str:
        named = zip(("accept", "contact", "idle", "lead"), minutes_of(policy).values(), strict=True)
        return ", ".join(f"{name} {minutes} min" for name, minutes in named if minutes) or "-"

    @admin.display(description="steps", ordering="steps_made")
    def step_count(self, policy: Any) -> int:
        count: int = policy.steps_made
        return count

    @admin.display(description="live rules", ordering="live_rules")
    def rule_count(self, policy: Any) -> int:
        count: int = policy.live_rules
        return count

    @admin.display(description="for")
    def for_whom(self, policy: SLAPolicy) -> str:
        parts = [f"priority {policy.min_priority} or higher"] if policy.min_priority is not None else []
        return ", ".join([*parts, *(["all others"] if policy.is_default else [])]) or "rules that name it"

    def why_not_archive(self, obj: Any) -> str:
        if obj.is_default:
            return "it is the default. Choose another default first."
        return "a rule of the live rule set names it." if _rules(obj, RuleSet.State.LIVE) else ""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        policy = self.get_object(request, unquote(object_id)) if object_id else None
        context = {**page_context(policy), **(extra_context or {})} if policy else extra_context
        answer: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return answer


def page_context(policy: SLAPolicy) -> dict[str, Any]:
    return {
        "policy": policy,
        "lines": draw_policy(policy),
        "warnings": policy_warnings(policy, timezone.now(), load_timetable()),
        "rules": _rules(policy, RuleSet.State.LIVE, RuleSet.State.DRAFT),
    }


def _rules(policy: SLAPolicy, *states: str) -> list[RoutingRule]:
    rules = RoutingRule.objects.filter(sla_policy=policy, rule_set__state__in=states)
    return list(rules.select_related("rule_set").order_by("rule_set", "position"))
