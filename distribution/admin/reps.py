"""Who gets leads: reps with their state today, and skills."""

from collections.abc import Callable
from copy import copy
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.db.models import Count, Prefetch, Q, QuerySet
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminSplitDateTimeWidget, UnfoldAdminTextInputWidget

from distribution.admin.hours import week_context
from distribution.admin.onboard import onboard_urls
from distribution.admin.repstate import caps_of, hours_of, load_of, state_of, whose_hours
from distribution.compiling import live_world
from distribution.engine.people import CAP_PERIODS
from distribution.hours import Timetable, first_team, leave_on
from distribution.models import (
    AwayReason,
    Leave,
    PoolMember,
    Rep,
    RepCounter,
    RoutingRule,
    RuleSet,
    Skill,
    WorkingHours,
)
from distribution.services import availability
from distribution.shares import in_leads
from leadcrm.lib.adminbase import AnyModelForm, HistoryAdmin, ModelAdmin, ReadOnlyInline, counted
from leadcrm.lib.adminforms import languages_field, time_zone_field
from leadcrm.lib.adminsteps import ask, chosen_again, is_confirmed

LONGEST_PERIOD = timedelta(days=32)
MOST_LISTED = 50
TONES = {tone: tone for tone in ("success", "info", "warning", "danger")}


class StateFilter(DropdownFilter):
    title = "state today"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("available", "Available"), ("away", "Away"), ("leave", "On leave"), ("inactive", "Inactive")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Rep]) -> QuerySet[Rep]:
        active = queryset.filter(active=True, user__is_active=True)
        away = queryset.filter(status=Rep.Status.AWAY).exclude(away_until__lte=timezone.now())
        if self.value() == "inactive":
            return queryset.exclude(pk__in=active.values("pk"))
        on_leave = leave_on(timezone.now()).values("rep")
        found = {
            "away": active & away,
            "leave": active.filter(pk__in=on_leave),
            "available": active.exclude(pk__in=away.values("pk")).exclude(pk__in=on_leave),
        }
        return found.get(self.value() or "", queryset)


class RepForm(AnyModelForm):
    time_zone = time_zone_field(initial="UTC", help_text="Days, weeks and months of the caps begin by this clock.")
    languages = languages_field()

    class Meta:
        model = Rep
        fields = (
            *("user", "name", "active", "time_zone", "hours", "languages", "skills"),
            *("status", "away_reason", "away_until"),
            *("capacity", *(f"cap_per_{period}" for period in CAP_PERIODS), "cap_window"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "hours" in self.fields:
            field: Any = self.fields["hours"]
            field.queryset = WorkingHours.objects.filter(Q(archived_at=None) | Q(pk=self.instance.hours_id))

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


class UsualReasonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """The installation's reasons, each with when one is back by itself."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj}, back after {obj.minutes} minutes" if obj.minutes else str(obj)


class AwayForm(forms.Form):
    usual = UsualReasonField(
        AwayReason.objects.all(),
        required=False,
        empty_label="Another reason",
        label="Usual reason",
        widget=UnfoldAdminSelectWidget,
    )
    reason = forms.CharField(
        max_length=100,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Shown in decisions, such as 'on leave'. Goes before the usual one.",
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

    def clean(self) -> dict[str, Any]:
        """The usual reason unless another was typed; its usual end is known where people are set away."""
        values = self.cleaned_data
        return {"reason": values.get("reason") or str(values.get("usual") or ""), "until": values.get("until")}


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
    timetable = Timetable()
    list_display = ("name", "badge", "load", "caps", "teams", "pools", "speaks", "time_zone", "last_seen_at")
    list_filter = (
        StateFilter,
        ("hours", RelatedDropdownFilter),
        ("skills", RelatedDropdownFilter),
        ("user__lead_teams", RelatedDropdownFilter),
        ("memberships__pool", RelatedDropdownFilter),
    )
    search_fields = ("name", "user__username", "user__email")
    search_help_text = "Search by name, user name or e-mail"
    autocomplete_fields = ("user", "skills")
    readonly_fields = ("state", "open_leads", "last_assigned_at", "last_seen_at", "caps", "teams", "holding_hours")
    change_form_outer_after_template = "admin/distribution/rep/after.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("user", "name"),
                    "active",
                    ("state", "open_leads"),
                    ("last_assigned_at", "last_seen_at"),
                    "teams",
                )
            },
        ),
        ("What they can sell, and to whom", {"fields": ("languages", "skills")}),
        ("When they work", {"fields": (("time_zone", "hours"), "holding_hours")}),
        ("Away", {"fields": ("status", "away_reason", "away_until")}),
        (
            "Limits",
            {
                "fields": (
                    "capacity",
                    ("cap_per_hour", "cap_per_day"),
                    ("cap_per_week", "cap_per_month"),
                    "cap_window",
                    "caps",
                )
            },
        ),
    )

    @property
    def media(self) -> Media:
        merged: Media = super().media + Media(css={"all": ["distribution/hours.css", "distribution/rules.css"]})
        return merged

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        return [*onboard_urls(self), *urls]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rep]:
        reps: QuerySet[Rep] = super().get_queryset(request)
        recent = RepCounter.objects.filter(starts_at__gte=timezone.now() - LONGEST_PERIOD)
        pools = PoolMember.objects.filter(retired_at=None).select_related("pool")
        leave = Leave.objects.filter(cancelled_at=None, ends_at__gt=timezone.now() - LONGEST_PERIOD)
        return (
            reps.select_related("user")
            .annotate(first_team=first_team("user_id"))
            .prefetch_related(
                Prefetch("counters", recent),
                Prefetch("memberships", pools),
                Prefetch("leaves", leave.order_by("starts_at")),
                "user__lead_teams",
            )
        )

    # --- Pages, for which the timetable is read once ---

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        page: Any = copy(self)
        page.timetable = live_world().timetable
        return super(RepAdmin, page).changelist_view(request, extra_context)

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        page: Any = copy(self)
        page.timetable = live_world().timetable
        rep: Any = self.get_object(request, unquote(object_id)) if object_id else None
        context = {**(page.week_of(request, rep) if rep else {}), **(extra_context or {})}
        answer: HttpResponse = super(RepAdmin, page).changeform_view(request, object_id, form_url, context)
        return answer

    def week_of(self, request: HttpRequest, rep: Any) -> dict[str, Any]:
        own = self.timetable.find(rep.hours_id, rep.first_team)
        hours = hours_of(rep, self.timetable)
        zone = hours.zone.key if hours and isinstance(hours.zone, ZoneInfo) else rep.time_zone
        return {"rep": rep, **week_context(request, hours, own, self.timetable, zone)}

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
        return state_of(rep, timezone.now(), self.timetable)

    @admin.display(description="today")
    def state(self, rep: Rep) -> str:
        return state_of(rep, timezone.now(), self.timetable)[1] if rep.pk else "-"

    @admin.display(description="hours that hold")
    def holding_hours(self, rep: Rep) -> str:
        return whose_hours(rep, self.timetable) if rep.pk else "-"

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
