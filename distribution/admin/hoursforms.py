"""Forms of working hours: zones, holidays that exist, shifts and exceptions that do not overlap."""

from collections.abc import Callable, Iterator
from datetime import time
from functools import cache
from typing import Any, Final

from django import forms
from unfold.widgets import UnfoldAdminSelect2Widget

from distribution.models import HoursException, WorkingHours, WorkShift
from distribution.weekview import CENTURY
from leadcrm.lib.adminbase import AnyModelForm, LabelledFormSet
from leadcrm.lib.adminforms import refuse_second, time_zone_choices, time_zone_field
from leadcrm.lib.adminwidgets import ClockInput, DayInput
from leadcrm.lib.places import countries, regions

DAY: Final = 1440
WEEK: Final = 7 * DAY
LONGEST_REGION: Final = 10
Minutes = tuple[int, int]


@cache
def holiday_regions() -> dict[str, dict[str, str]]:
    """The countries whose holidays are known, each with its regions by code and name."""
    import holidays

    known = countries()
    return {
        code: {part: _region_name(code, part) for part in parts if len(part) <= LONGEST_REGION}
        for code, parts in sorted(holidays.list_supported_countries(include_aliases=False).items())
        if code in known
    }


def _region_name(country: str, part: str) -> str:
    region = regions(country).get(f"{country}-{part}")
    return region.name if region else part


def country_choices() -> list[tuple[str, str]]:
    named = sorted((countries()[code].name, code) for code in holiday_regions())
    return [("", "No holidays"), *((code, f"{name} ({code})") for name, code in named)]


def region_choices() -> list[Any]:
    """Regions below their countries. A value is country and region, as both are needed to name one."""
    groups = [
        (countries()[code].name, [(f"{code}-{part}", f"{name} ({code}-{part})") for part, name in parts.items()])
        for code, parts in holiday_regions().items()
        if parts
    ]
    return [("", "The whole country"), *sorted(groups)]


class RegionField(forms.ChoiceField):
    """Shows ``DE-BY`` for what is stored as ``BY`` beside its country."""

    country = ""

    def prepare_value(self, value: Any) -> Any:
        return f"{self.country}-{value}" if value and self.country and "-" not in str(value) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class WorkingHoursForm(AnyModelForm):
    time_zone = time_zone_field(
        required=False,
        choices=lambda: [("", "Each rep's own"), *time_zone_choices()],
        help_text="Whose clock the times below are read by.",
    )
    holiday_country = forms.ChoiceField(
        choices=country_choices,
        required=False,
        widget=UnfoldAdminSelect2Widget,
        label="Holidays of",
        help_text="No shift begins on a public holiday of this country.",
    )
    holiday_region = RegionField(
        choices=region_choices,
        required=False,
        widget=UnfoldAdminSelect2Widget,
        label="and of its region",
        help_text="A part of that country with holidays of its own.",
    )

    class Meta:
        model = WorkingHours
        fields = ("name", "time_zone", "always", "is_default", "holiday_country", "holiday_region")
        help_texts = {"is_default": "For everyone whose profile and team name no hours. One set at most."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "holiday_region" in self.fields:
            field: Any = self.fields["holiday_region"]
            field.country = self.instance.holiday_country

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        country, region = values.get("holiday_country"), values.get("holiday_region")
        if region and country is not None:
            owner, _, values["holiday_region"] = region.partition("-")
            if owner != country:
                here = countries()[country].name if country else ""
                right = f"Choose a region of {here}, or none." if here else "Choose its country above, or no region."
                self.add_error("holiday_region", f"This is a region of {countries()[owner].name}. {right}")
        refuse_second(self, "is_default")
        return values


# --- Shifts and exceptions ---------------------------------------------------------------------------


class ClockField(forms.TimeField):
    """A time of day in whole minutes, as hours are told."""

    widget = ClockInput

    def clean(self, value: Any) -> time | None:
        found: time | None = super().clean(value)
        if found is not None and found != found.replace(second=0, microsecond=0):
            raise forms.ValidationError(f"Give whole minutes, such as {found:%H:%M}.")
        return found


class ShiftForm(AnyModelForm):
    start = ClockField(label="From")
    end = ClockField(label="To", help_text=WorkShift._meta.get_field("end").help_text)

    class Meta:
        model = WorkShift
        fields = ("weekday", "start", "end")


class ExceptionForm(AnyModelForm):
    date = forms.DateField(widget=DayInput)
    start = ClockField(label="From", required=False, help_text=HoursException._meta.get_field("start").help_text)
    end = ClockField(label="To", required=False)

    class Meta:
        model = HoursException
        fields = ("date", "start", "end", "name")

    def clean_date(self) -> Any:
        day = self.cleaned_data["date"]
        if not CENTURY[0] <= day <= CENTURY[1]:
            raise forms.ValidationError("Choose a date of this century.")
        return day

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        start, end = values.get("start"), values.get("end")
        if (start is None) != (end is None) and not {"start", "end"} & {*self.errors}:
            self.add_error("start" if start is None else "end", "Give both times, or none: closed all day.")
        return values


class ShiftFormSet(LabelledFormSet):
    def clean(self) -> None:
        _refuse_overlaps(_whole_rows(self, "weekday", "start", "end"), _week_minutes, WEEK)
        if not any(self.errors):
            super().clean()


class ExceptionFormSet(LabelledFormSet):
    def clean(self) -> None:
        _refuse_overlaps(_whole_rows(self, "date", "start", "end"), _date_minutes)
        _refuse_closed_twice(_whole_rows(self, "date"))
        if not any(self.errors):
            super().clean()


def _refuse_closed_twice(rows: list[Any]) -> None:
    """An error on each row of a date that an earlier one closes, or that closes what an earlier one opens."""
    seen: dict[Any, bool] = {}
    for row in rows:
        day, closed = row.cleaned_data["date"], _is_closed(row)
        if day in seen and (closed or seen[day]):
            row.add_error("date", f"{day:%Y-%m-%d} stands in another row too. A date is closed, or has times.")
        else:
            seen[day] = closed


def _is_closed(row: Any) -> bool:
    return row.cleaned_data.get("start") is None


def _whole_rows(formset: LabelledFormSet, *names: str) -> list[Any]:
    """The rows that are kept and have a value in each of these fields."""
    rows = [row for row in formset.forms if not (formset.can_delete and formset._should_delete_form(row))]
    return [row for row in rows if all(row.cleaned_data.get(name) is not None for name in names)]


def _refuse_overlaps(rows: list[Any], minutes: Callable[[Any], Minutes], cycle: int = 0) -> None:
    """An error on each row that overlaps with one before it; ``cycle`` is after how many minutes all begins anew."""
    seen: list[tuple[Minutes, Any]] = []
    for row in rows:
        span = minutes(row.cleaned_data)
        other = next((found for taken, found in seen if _overlap(span, taken, cycle)), None)
        if other is not None:
            row.add_error("start", f"It overlaps with {row._meta.model(**_own_values(other))}.")
        seen.append((span, row))


def _own_values(row: Any) -> dict[str, Any]:
    return {name: row.cleaned_data.get(name) for name in row._meta.fields if row.cleaned_data.get(name) is not None}


def _overlap(one: Minutes, other: Minutes, cycle: int) -> bool:
    return any(one[0] + shift < other[1] and other[0] < one[1] + shift for shift in _shifts(cycle))


def _shifts(cycle: int) -> Iterator[int]:
    yield from (-cycle, 0, cycle) if cycle else (0,)


def _week_minutes(values: dict[str, Any]) -> Minutes:
    return _from_day((values["weekday"] - 1) * DAY, values["start"], values["end"])


def _date_minutes(values: dict[str, Any]) -> Minutes:
    return _from_day(values["date"].toordinal() * DAY, values["start"], values["end"])


def _from_day(day: int, start: time, end: time) -> Minutes:
    begins, ends = start.hour * 60 + start.minute, end.hour * 60 + end.minute
    return day + begins, day + ends + (DAY if ends <= begins else 0)
