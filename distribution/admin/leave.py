"""Leave: whole days or hours by the rep's clock, who stands in, and calendars on the web that it follows."""

from dataclasses import asdict
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils import timezone
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    RangeDateTimeFilter,
)
from unfold.decorators import display
from unfold.widgets import UnfoldAdminURLInputWidget

from distribution.admin.leaveimport import import_urls, plan_url
from distribution.errors import WrongValue
from distribution.leavecalendars import NOT_NOW, ask
from distribution.leavespan import TypedSpan, span_text, state_of_leave, typed_span
from distribution.models import Leave, LeaveCalendar, Rep
from distribution.services.availability import cancel_leave, check_overlap
from leadcrm.lib.adminbase import AnyModelForm, HistoryAdmin, ModelAdmin, counted
from leadcrm.lib.adminwidgets import ClockInput, DayInput
from leadcrm.lib.outgoing import Refused, check_url

STATES = {"ahead": "info", "now": "warning", "over": "default", "cancelled": "danger"}
SPAN = ("first_day", "from_time", "last_day", "to_time")


class LeaveStateFilter(DropdownFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(state, state.capitalize()) for state in STATES]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Leave]) -> QuerySet[Leave]:
        now, holding = timezone.now(), queryset.filter(cancelled_at=None)
        found = {
            "ahead": holding.filter(starts_at__gt=now),
            "now": holding.filter(starts_at__lte=now, ends_at__gt=now),
            "over": holding.filter(ends_at__lte=now),
            "cancelled": queryset.exclude(cancelled_at=None),
        }
        return found.get(self.value() or "", queryset)


class LeaveForm(AnyModelForm):
    """Dates, and times when it is not whole days, by the clock of the rep."""

    first_day = forms.DateField(widget=DayInput, label="From")
    from_time = forms.TimeField(required=False, widget=ClockInput, label="at", help_text="Empty: all day.")
    last_day = forms.DateField(
        required=False, widget=DayInput, label="To", help_text="This day included. Empty: one day."
    )
    to_time = forms.TimeField(required=False, widget=ClockInput, label="until", help_text="Empty: all day.")

    class Meta:
        model = Leave
        fields = ("rep", "reason", "cover", "lend_leads")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(asdict(typed_span(self.instance)) if self.instance.pk else {})
        if self.instance.pk and self.instance.origin != Leave.Origin.TYPED:
            for name in SPAN:
                if name in self.fields:
                    self.fields[name].disabled = True
                    self.fields[name].help_text = "As the calendar says: change it there."

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        rep = self.instance.rep if self.instance.pk else values.get("rep")
        entered = not self.instance.pk or {*SPAN} & {*self.changed_data}
        if rep and entered and values.get("first_day") and not {*SPAN} & {*self.errors}:
            self._clean_span(rep)
        self._clean_cover(rep)
        return values

    def _clean_span(self, rep: Rep) -> None:
        values, leave = self.cleaned_data, self.instance
        first, last = values["first_day"], values.get("last_day") or values["first_day"]
        span = TypedSpan(first, last, values.get("from_time"), values.get("to_time"))
        try:
            leave.starts_at, leave.ends_at = span.instants(rep.time_zone)
        except WrongValue as error:
            self.add_error(error.field, str(error))
            return
        leave.whole_days = span.whole_days
        if "first_day" in self.changed_data and not leave.pk and leave.ends_at <= timezone.now():
            self.add_error("last_day" if values.get("last_day") else "first_day", "This is over already.")
            return
        leave.rep = rep
        try:
            check_overlap(leave)
        except WrongValue as error:
            self.add_error("first_day", str(error))

    def _clean_cover(self, rep: Rep | None) -> None:
        cover = self.cleaned_data.get("cover")
        if cover and rep and cover.pk == rep.pk:
            self.add_error("cover", "Nobody can stand in for themselves. Choose somebody else.")
        elif cover and not cover.active and "cover" in self.changed_data:
            self.add_error("cover", f"{cover} is not active. Choose somebody else.")
        elif self.cleaned_data.get("lend_leads") and not cover and "cover" not in self.errors:
            self.add_error("cover", "Choose who has the open leads meanwhile, or do not lend them.")

    def warnings(self) -> list[str]:
        """What is allowed but may not be meant, once the leave is saved."""
        leave = self.instance
        meets = Q(cancelled_at=None, starts_at__lt=leave.ends_at, ends_at__gt=leave.starts_at)
        others = Leave.objects.filter(meets).select_related("rep").exclude(pk=leave.pk)
        said = [f"{leave.rep} is on leave {span_text(other)} too." for other in others.filter(rep=leave.rep)[:3]]
        if leave.cover_id:
            absent = others.filter(rep=leave.cover_id)[:3]
            said += [f"{leave.cover} stands in, but is on leave {span_text(other)}." for other in absent]
        return said


@admin.register(Leave)
class LeaveAdmin(HistoryAdmin):
    form = LeaveForm
    actions = ("cancel",)
    list_display = ("rep", "span", "state", "reason", "cover", "lend_leads", "origin")
    list_select_related = ("rep", "cover")
    list_filter = (
        LeaveStateFilter,
        ("rep", AutocompleteSelectFilter),
        ("origin", ChoicesDropdownFilter),
        ("starts_at", RangeDateTimeFilter),
    )
    ordering = ("-starts_at", "-id")
    search_fields = ("rep__name", "reason")
    search_help_text = "Search by rep or reason"
    autocomplete_fields = ("rep", "cover")
    computed_fields = ("starts_at", "ends_at", "whole_days")
    readonly_fields = ("state", "origin", "zone")
    list_before_template = "admin/distribution/leave/before.html"
    fieldsets = (
        (None, {"fields": ("rep", ("first_day", "from_time"), ("last_day", "to_time"), "reason")}),
        ("Meanwhile", {"fields": ("cover", "lend_leads")}),
        ("Besides", {"fields": (("state", "origin"), "zone")}),
    )

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        return [*import_urls(self), *urls]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Leave]:
        rows: QuerySet[Leave] = super().get_queryset(request)
        return rows.select_related("rep", "cover")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "rep") if obj else self.readonly_fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What is over or cancelled is history."""
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or state_of_leave(obj, timezone.now()) in ("ahead", "now"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)
        for sentence in form.warnings():
            self.message_user(request, sentence, messages.WARNING)

    @admin.display(description="when", ordering="starts_at")
    def span(self, leave: Leave) -> str:
        return span_text(leave)

    @display(description="state", label=STATES)
    def state(self, leave: Leave) -> str:
        return state_of_leave(leave, timezone.now()) if leave.pk else "ahead"

    @admin.display(description="times are")
    def zone(self, leave: Leave) -> str:
        return f"by the clock in {leave.rep.time_zone}" if leave.pk else "by the rep's clock"

    @admin.action(description="Cancel", permissions=("change",))
    def cancel(self, request: HttpRequest, queryset: QuerySet[Leave]) -> None:
        """What has begun ends now."""
        rows = list(queryset.filter(cancelled_at=None, ends_at__gt=timezone.now()))
        for leave in rows:
            cancel_leave(leave, actor=cast(User, request.user))
        self.message_user(request, counted(len(rows), Leave, "cancelled"))


class CalendarUrlField(forms.URLField):
    """Also takes webcal addresses, as calendars give them out: they are https ones."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"assume_scheme": "https", "widget": UnfoldAdminURLInputWidget, **kwargs})

    def to_python(self, value: Any) -> Any:
        return super().to_python(str(value or "").strip().replace("webcal://", "https://", 1))


class CalendarForm(AnyModelForm):
    url = CalendarUrlField(max_length=500, label="Address", help_text="The secret address in iCal format; https only.")

    class Meta:
        model = LeaveCalendar
        fields = ("rep", "url")

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"])
        try:
            check_url(url)
        except Refused as refused:
            raise ValidationError(str(refused)) from None
        return url


@admin.register(LeaveCalendar)
class LeaveCalendarAdmin(ModelAdmin):
    form = CalendarForm
    actions = ("read_now",)
    list_display = ("rep", "read_at", "works", "reading")
    list_select_related = ("rep",)
    search_fields = ("rep__name",)
    search_help_text = "Search by rep"
    autocomplete_fields = ("rep",)
    readonly_fields = ("read_at", "reading", "plan")
    fields = ("rep", "url", "read_at", "reading", "plan")
    computed_fields = ("etag", "read_at", "error", "result", "asked_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "rep") if obj else self.readonly_fields

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Another address is another calendar: read in full."""
        obj.etag, obj.read_at, obj.error, obj.result = "", None, "", ""
        super().save_model(request, obj, form, change)

    @admin.display(boolean=True, description="works")
    def works(self, calendar: LeaveCalendar) -> bool | None:
        return None if calendar.read_at is None else not calendar.error

    @admin.display(description="last reading")
    def reading(self, calendar: LeaveCalendar) -> str:
        return "is being read" if calendar.asked_at else calendar.error or calendar.result

    @admin.display(description="what reading it would change")
    def plan(self, calendar: LeaveCalendar) -> str:
        return plan_url(calendar) if calendar.pk else "Save it first; then you see what reading it would change."

    @admin.action(description="Read now", permissions=("change",))
    def read_now(self, request: HttpRequest, queryset: QuerySet[LeaveCalendar]) -> None:
        started = [ask(pk) for pk in queryset.values_list("pk", flat=True)]
        if all(started):
            self.message_user(request, counted(len(started), LeaveCalendar, "being read"))
        else:
            self.message_user(request, NOT_NOW, messages.WARNING)
