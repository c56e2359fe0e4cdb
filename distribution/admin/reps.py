"""Who gets leads: reps with their state today, and skills."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Count, Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextInputWidget

from distribution.admin.onboard import onboard_urls
from distribution.engine.people import CAP_PERIODS
from distribution.models import PoolMember, Rep, RepCounter, RoutingRule, RuleSet, Skill
from distribution.periods import period_starts
from distribution.services import availability
from distribution.shares import in_leads
from leadcrm.lib.adminbase import AnyModelForm, HistoryAdmin, ModelAdmin, ReadOnlyInline, counted
from leadcrm.lib.adminforms import languages_field, time_zone_field
from leadcrm.lib.adminsteps import ask, chosen_again, is_confirmed
from leadcrm.lib.moments import moment_text

LONGEST_PERIOD = timedelta(days=32)
MOST_LISTED = 50
TONES = {tone: tone for tone in ("success", "info", "warning", "danger")}


def state_of(rep: Rep, now: datetime) -> tuple[str, str]:
    """Whether a rep can take leads now: a tone for the badge, and the words in it."""
    if not (rep.active and rep.user.is_active):
        return "danger", "inactive"
    if is_away(rep, now):
        return "warning", f"away until {moment_text(rep.away_until)}" if rep.away_until else "away"
    if rep.capacity is not None and rep.open_leads >= rep.capacity:
        return "info", f"full {rep.open_leads} of {rep.capacity}"
    return "success", "available"


def is_away(rep: Rep, now: datetime) -> bool:
    return rep.status == Rep.Status.AWAY and (rep.away_until is None or rep.away_until > now)


def load_of(rep: Rep) -> str:
    return f"{rep.open_leads} of {rep.capacity}" if rep.capacity is not None else str(rep.open_leads)


def caps_of(rep: Rep, now: datetime) -> str:
    """How much of each cap is used: ``day 3 of 5, week 9 of 20``. Reads counters that were prefetched."""
    limits = {period: getattr(rep, f"cap_per_{period}") for period in CAP_PERIODS}
    starts = period_starts(now, rep.time_zone)
    used = {
        counter.period: counter.count for counter in rep.counters.all() if counter.starts_at == starts[counter.period]
    }
    caps = (f"{period} {used.get(period, 0)} of {limit}" for period, limit in limits.items() if limit is not None)
    return ", ".join(caps) or "-"


class StateFilter(DropdownFilter):
    title = "state today"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("available", "Available"), ("away", "Away"), ("inactive", "Inactive")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rep]) -> QuerySet[Rep]:
        active = queryset.filter(active=True, user__is_active=True)
        away = queryset.filter(status=Rep.Status.AWAY).exclude(away_until__lte=timezone.now())
        if self.value() == "inactive":
            return queryset.exclude(pk__in=active.values("pk"))
        if self.value() == "away":
            return active & away
        return active.exclude(pk__in=away.values("pk")) if self.value() == "available" else queryset


class RepForm(AnyModelForm):
    time_zone = time_zone_field(initial="UTC", help_text="Days, weeks and months of the caps begin by this clock.")
    languages = languages_field()

    class Meta:
        model = Rep
        fields = (
            *("user", "name", "active", "time_zone", "languages", "skills", "status", "away_reason", "away_until"),
            *("capacity", *(f"cap_per_{period}" for period in CAP_PERIODS)),
        )

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        away, until = values.get("status") == Rep.Status.AWAY, values.get("away_until")
        if away and until and "away_until" in self.changed_data and until <= timezone.now():
            self.add_error("away_until", "This moment has passed. Leave it empty, or choose one to come.")
        if not away and ("away_until" in self.changed_data or "away_reason" in self.changed_data):
            for name in ("away_until", "away_reason"):
                if values.get(name):
                    self.add_error(name, "Only for people who are away. Set the status to away, or empty this.")
        return values


class AwayForm(forms.Form):
    reason = forms.CharField(
        max_length=100,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Shown in decisions, such as 'on leave'.",
    )
    until = forms.SplitDateTimeField(
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text="Available again from then on, in UTC; empty: until changed.",
    )

    def clean_until(self) -> datetime | None:
        until: datetime | None = self.cleaned_data["until"]
        if until and until <= timezone.now():
            raise forms.ValidationError("This moment has passed. Leave it empty, or choose one to come.")
        return until


class MembershipInline(ReadOnlyInline):
    """The pools of a rep; members are edited on the pool's page."""

    model = PoolMember
    verbose_name_plural = "pools"
    fields = ("pool", "weight", "tier", "max_open", "paused", "open_leads", "credit_in_leads")
    readonly_fields = fields
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[PoolMember]:
        members: QuerySet[PoolMember] = super().get_queryset(request)
        return members.filter(retired_at=None).select_related("pool")

    @admin.display(description="credit, in leads")
    def credit_in_leads(self, member: PoolMember) -> str:
        return in_leads(member.credit)


@admin.register(Rep)
class RepAdmin(HistoryAdmin):
    form = RepForm
    inlines = (MembershipInline,)
    actions = ("set_available", "set_away")
    list_display = ("name", "badge", "load", "caps", "teams", "pools", "speaks", "time_zone")
    list_filter = (
        StateFilter,
        ("skills", RelatedDropdownFilter),
        ("user__lead_teams", RelatedDropdownFilter),
        ("memberships__pool", RelatedDropdownFilter),
    )
    search_fields = ("name", "user__username", "user__email")
    search_help_text = "Search by name, user name or e-mail"
    autocomplete_fields = ("user", "skills")
    readonly_fields = ("state", "open_leads", "last_assigned_at", "caps", "teams")
    fieldsets = (
        (None, {"fields": (("user", "name"), "active", ("state", "open_leads"), ("last_assigned_at", "teams"))}),
        ("What they can sell, and to whom", {"fields": (("languages", "skills"), "time_zone")}),
        ("Away", {"fields": ("status", "away_reason", "away_until")}),
        (
            "Limits",
            {"fields": ("capacity", ("cap_per_hour", "cap_per_day"), ("cap_per_week", "cap_per_month"), "caps")},
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        return [*onboard_urls(self), *urls]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rep]:
        reps: QuerySet[Rep] = super().get_queryset(request)
        recent = RepCounter.objects.filter(starts_at__gte=timezone.now() - LONGEST_PERIOD)
        pools = PoolMember.objects.filter(retired_at=None).select_related("pool")
        return reps.select_related("user").prefetch_related(
            Prefetch("counters", recent), Prefetch("memberships", pools), "user__lead_teams"
        )

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        found, duplicates = super().get_search_results(request, queryset, search_term)
        choosing = request.path.endswith("/autocomplete/")
        return found.filter(active=True) if choosing else found, duplicates

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A rep stays the same person: leads and decisions name both."""
        return (*self.readonly_fields, "user") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="today", label=TONES)
    def badge(self, rep: Rep) -> tuple[str, str]:
        return state_of(rep, timezone.now())

    @admin.display(description="today")
    def state(self, rep: Rep) -> str:
        return state_of(rep, timezone.now())[1] if rep.pk else "-"

    @admin.display(description="open leads", ordering="open_leads")
    def load(self, rep: Rep) -> str:
        return load_of(rep)

    @admin.display(description="caps used")
    def caps(self, rep: Rep) -> str:
        return caps_of(rep, timezone.now()) if rep.pk else "-"

    @admin.display(description="teams")
    def teams(self, rep: Rep) -> str:
        return ", ".join(team.name for team in rep.user.lead_teams.all()) or "-" if rep.pk else "-"

    @admin.display(description="pools")
    def pools(self, rep: Rep) -> str:
        return ", ".join(member.pool.name for member in rep.memberships.all()) or "-"

    @admin.display(description="languages")
    def speaks(self, rep: Rep) -> str:
        return ", ".join(rep.languages) or "-"

    @admin.action(description="Set available", permissions=("change",))
    def set_available(self, request: HttpRequest, queryset: QuerySet[Rep]) -> None:
        self._set(
            request, queryset, Rep.Status.AVAILABLE, partial(availability.set_available, actor=cast(User, request.user))
        )

    @admin.action(description="Set away ...", permissions=("change",))
    def set_away(self, request: HttpRequest, queryset: QuerySet[Rep]) -> HttpResponse | None:
        form = AwayForm(request.POST if is_confirmed(request) else None)
        if form.is_valid():
            set_one = partial(availability.set_away, **form.cleaned_data, actor=cast(User, request.user))
            self._set(request, queryset, Rep.Status.AWAY, set_one)
            return None
        words = {
            "title": "Set away",
            "intro": "They get no new leads; what they have stays theirs.",
            "button": "Set away",
        }
        names = [rep.name for rep in queryset[:MOST_LISTED]]
        return ask(self, request, **words, form=form, subjects=names, hidden=chosen_again(request))

    def _set(
        self, request: HttpRequest, queryset: QuerySet[Rep], status: Rep.Status, set_one: Callable[[Rep], None]
    ) -> None:
        reps = list(queryset)
        for rep in reps:
            set_one(rep)
        self.message_user(request, counted(len(reps), Rep, f"set {status.label.lower()}"))


@admin.register(Skill)
class SkillAdmin(ModelAdmin):
    list_display = ("name", "kind", "people")
    list_filter = (("kind", ChoicesDropdownFilter),)
    search_fields = ("name",)
    search_help_text = "Search by name"
    fields = ("name", "kind")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Skill]:
        skills: QuerySet[Skill] = super().get_queryset(request)
        return skills.annotate(people=Count("reps"))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """A live rule that asks for a skill would ask for nothing without it."""
        to_delete, counts, perms_needed, protected = super().get_deleted_objects(objs, request)
        rules = RoutingRule.objects.filter(required_skills__in=objs, rule_set__state=RuleSet.State.LIVE).distinct()
        return to_delete, counts, perms_needed, [*protected, *(f"The live rule “{rule}”" for rule in rules)]

    @admin.display(description="people", ordering="people")
    def people(self, skill: Any) -> int:
        count: int = skill.people
        return count
