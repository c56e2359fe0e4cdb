"""Working hours: when people work, drawn as the week that results; and what people may give as a reason to be away."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Count, QuerySet
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.contrib.filters.admin import BooleanRadioFilter

from distribution.admin.hoursforms import (
    ExceptionForm,
    ExceptionFormSet,
    ShiftForm,
    ShiftFormSet,
    WorkingHoursForm,
    holiday_regions,
)
from distribution.engine.worktime import Hours
from distribution.hours import Timetable, holidays_of, load_timetable, reps_using
from distribution.models import AwayReason, HoursException, Rep, TeamHours, WorkingHours, WorkShift
from distribution.rulewords import days_words
from distribution.weekview import WEEK, Week, build_week, day_of, monday_of, notes_of
from leadcrm.lib.adminbase import ArchivableAdmin, ArchivedFilter, HistoryAdmin, ModelAdmin, TabularInline
from leadcrm.lib.places import countries
from leadcrm.lib.readerzone import reader_zone

MOST_NAMED = 30


class ShiftInline(TabularInline):
    model = WorkShift
    form = ShiftForm
    formset = ShiftFormSet
    verbose_name_plural = "weekly shifts"


class ExceptionInline(TabularInline):
    model = HoursException
    form = ExceptionForm
    formset = ExceptionFormSet
    verbose_name = "exception"
    verbose_name_plural = "exceptions: other hours on one date"


def week_context(
    request: HttpRequest, hours: Hours | None, own: int | None, timetable: Timetable, zone: str
) -> dict[str, Any]:
    """The week that the address asks for (``?week=2026-03-02``), by the clock of these hours and by the viewer's."""
    monday = monday_of(request.GET.get("week", ""), day_of(timezone.now(), zone))
    notes = notes_of(own, timetable.weeks[own].holidays if own else {}, monday)
    weeks = [build_week(hours, monday, zone, notes)]
    if (theirs := viewer_zone(request)) and theirs != zone:
        weeks.append(build_week(hours, monday, theirs, {}))
    return {
        "weeks": weeks,
        "days": _side_by_side(weeks),
        "monday": monday,
        "week_before": monday_of((monday - WEEK).isoformat(), monday),
        "week_after": monday_of((monday + WEEK).isoformat(), monday),
    }


def _side_by_side(weeks: list[Week]) -> list[dict[str, Any]]:
    days = zip(*(week.lines for week in weeks), strict=True)
    return [{"day": lines[0].day, "lines": lines, "notes": lines[0].notes} for lines in days]


def viewer_zone(request: HttpRequest) -> str:
    """The time zone of whoever looks: of the rep profile, else of the browser; "" when neither says one."""
    own = Rep.objects.filter(user=request.user.pk).values_list("time_zone", flat=True).first()
    return own or reader_zone(request)


@admin.register(WorkingHours)
class WorkingHoursAdmin(HistoryAdmin, ArchivableAdmin):
    form = WorkingHoursForm
    inlines = (ShiftInline, ExceptionInline)
    list_display = ("name", "zone", "in_words", "holidays", "is_default", "people")
    list_filter = (("is_default", BooleanRadioFilter), ArchivedFilter)
    search_fields = ("name",)
    search_help_text = "Search by name"
    # One constraint spans the two.
    computed_fields = ("holiday_country", "holiday_region")
    change_form_outer_after_template = "admin/distribution/workinghours/after.html"
    fieldsets = (
        (None, {"fields": ("name", ("time_zone", "always"), "is_default")}),
        ("Public holidays", {"fields": (("holiday_country", "holiday_region"),)}),
    )

    @property
    def media(self) -> Media:
        merged: Media = super().media + Media(css={"all": ["distribution/hours.css", "distribution/rules.css"]})
        return merged

    def get_queryset(self, request: HttpRequest) -> QuerySet[WorkingHours]:
        rows: QuerySet[WorkingHours] = super().get_queryset(request)
        counts = {"rep_count": Count("reps", distinct=True), "team_count": Count("teams", distinct=True)}
        return rows.annotate(**counts).prefetch_related("shifts")

    # --- The list -------------------------------------------------------------------------------

    @admin.display(description="time zone", ordering="time_zone")
    def zone(self, hours: WorkingHours) -> str:
        return hours.time_zone or "each rep's own"

    @admin.display(description="hours")
    def in_words(self, hours: WorkingHours) -> str:
        if hours.always:
            return "around the clock"
        return "; ".join(week_words(hours.shifts.all())) or "none: always closed"

    @admin.display(description="holidays", ordering="holiday_country")
    def holidays(self, hours: WorkingHours) -> str:
        return holiday_words(hours.holiday_country, hours.holiday_region)

    @admin.display(description="used by")
    def people(self, hours: Any) -> str:
        counts = ((hours.rep_count, "rep"), (hours.team_count, "team"))
        parts = [f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in counts if count]
        return ", ".join([*parts, *(["all others"] if hours.is_default else [])]) or "nobody"

    def why_not_archive(self, obj: Any) -> str:
        if obj.is_default:
            return "it is the default. Choose another default first."
        used = obj.reps.filter(active=True).exists() or obj.teams.exists()
        return "reps or teams have these hours. Give them others first." if used else ""

    # --- The page -------------------------------------------------------------------------------

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        hours = self.get_object(request, unquote(object_id)) if object_id else None
        context = {**self._page_context(request, hours), **(extra_context or {})} if hours else extra_context
        answer: HttpResponse = super().changeform_view(request, object_id, form_url, context)
        return answer

    def _page_context(self, request: HttpRequest, row: WorkingHours) -> dict[str, Any]:
        timetable = load_timetable()
        zone = row.time_zone or viewer_zone(request) or "UTC"
        found = {
            "hours": row,
            **week_context(request, timetable.hours(row.pk, None, zone), row.pk, timetable, zone),
            "holiday_years": _holiday_years(row),
            "teams": [entry.team for entry in TeamHours.objects.filter(hours=row).select_related("team")],
        }
        reps = list(reps_using(row).filter(active=True).order_by("name")[: MOST_NAMED + 1])
        return {**found, "reps": reps[:MOST_NAMED], "more_reps": len(reps) > MOST_NAMED}


def _holiday_years(row: WorkingHours) -> list[tuple[int, list[tuple[Any, str]]]]:
    year = timezone.now().year
    years = (year, year + 1) if row.holiday_country else ()
    return [(y, sorted(holidays_of(row.holiday_country, row.holiday_region, (y,)).items())) for y in years]


def holiday_words(country: str, region: str) -> str:
    """``Germany, Bavaria``; "-" without a country."""
    if not country:
        return "-"
    named = countries()[country].name if country in countries() else country
    return f"{named}, {holiday_regions().get(country, {}).get(region, region)}" if region else named


def week_words(shifts: Iterable[WorkShift]) -> list[str]:
    """``Mon, Tue 09:00–18:00``: days with the same times named together."""
    times: dict[int, list[str]] = {}
    for shift in sorted(shifts, key=lambda row: (row.weekday, row.start)):
        times.setdefault(shift.weekday, []).append(f"{shift.start:%H:%M}–{shift.end:%H:%M}")
    days: dict[str, list[int]] = {}
    for weekday, texts in times.items():
        days.setdefault(", ".join(texts), []).append(weekday)
    return [f"{days_words(numbers)} {text}" for text, numbers in days.items()]


@admin.register(AwayReason)
class AwayReasonAdmin(ModelAdmin):
    list_display = ("name", "back_after")
    search_fields = ("name",)
    search_help_text = "Search by name"
    fields = ("name", "minutes")

    @admin.display(description="back by itself", ordering="minutes")
    def back_after(self, reason: AwayReason) -> str:
        return f"after {reason.minutes} minutes" if reason.minutes is not None else "when they say so"
