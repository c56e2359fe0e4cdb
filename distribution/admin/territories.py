"""Territories and their areas; a large one has its areas in a list of its own, and in files."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from import_export.admin import ImportExportModelAdmin
from import_export.formats.base_formats import CSV
from import_export.tmp_storages import CacheStorage
from unfold.contrib.filters.admin import AutocompleteSelectFilter, FieldTextFilter, RelatedDropdownFilter
from unfold.contrib.import_export.forms import ExportForm, ImportForm
from unfold.widgets import UnfoldAdminTextInputWidget

from distribution.admin.areafiles import AreaResource
from distribution.areas import PARTS, read_area
from distribution.models import Condition, RuleSet, Territory, TerritoryArea
from leadcrm.lib.adminbase import (
    AnyModelForm,
    ArchivableAdmin,
    ArchivedFilter,
    HistoryAdmin,
    TabularInline,
    list_link,
)
from leadcrm.lib.adminforms import add_errors

PAGE = 25


class AreaForm(AnyModelForm):
    """Reads names of countries and regions; the checks are those of a file."""

    country = forms.CharField(max_length=100, required=False, widget=UnfoldAdminTextInputWidget)
    region = forms.CharField(max_length=100, required=False, widget=UnfoldAdminTextInputWidget)
    postal_from = forms.CharField(max_length=50, required=False, widget=UnfoldAdminTextInputWidget, label="postal code")
    postal_to = forms.CharField(max_length=50, required=False, widget=UnfoldAdminTextInputWidget, label="to")

    class Meta:
        model = TerritoryArea
        fields = ("territory", *PARTS)
        help_texts = {
            "account": "A company you know, wherever it is.",
            "industry": "As leads name it.",
        }

    def clean(self) -> dict[str, Any]:
        area, errors = read_area({name: self.cleaned_data.get(name) for name in PARTS})
        add_errors(self, {name: error for name, error in errors.items() if name not in self.errors})
        self.cleaned_data.update({name: value for name, value in area.items() if name not in self.errors})
        return self.cleaned_data


class AreaInline(TabularInline):
    model = TerritoryArea
    form = AreaForm
    verbose_name_plural = "areas"
    fields = PARTS
    autocomplete_fields = ("account",)
    per_page = PAGE

    def get_queryset(self, request: HttpRequest) -> QuerySet[TerritoryArea]:
        areas: QuerySet[TerritoryArea] = super().get_queryset(request)
        return areas.select_related("account")


@admin.register(Territory)
class TerritoryAdmin(HistoryAdmin, ArchivableAdmin):
    inlines = (AreaInline,)
    list_display = ("name", "priority", "owner", "pool", "area_count", "people")
    list_select_related = ("owner", "pool")
    list_filter = (("owner", AutocompleteSelectFilter), ("pool", RelatedDropdownFilter), ArchivedFilter)
    search_fields = ("name",)
    search_help_text = "Search by name"
    autocomplete_fields = ("owner", "pool", "reps")
    readonly_fields = ("all_areas",)
    fields = (("name", "priority"), ("owner", "pool"), "reps", "all_areas")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Territory]:
        territories: QuerySet[Territory] = super().get_queryset(request)
        return territories.annotate(
            area_count=Count("areas", distinct=True), people=Count("reps", distinct=True)
        ).select_related("owner", "pool")

    @admin.display(description="areas", ordering="area_count")
    def area_count(self, territory: Any) -> SafeString:
        return list_link(TerritoryArea, str(territory.area_count), territory__id__exact=territory.pk)

    @admin.display(description="people", ordering="people")
    def people(self, territory: Any) -> int:
        count: int = territory.people
        return count

    @admin.display(description="all areas")
    def all_areas(self, territory: Any) -> SafeString | str:
        if not territory.pk:
            return "Save first; many areas can then come from a CSV file."
        link = list_link(TerritoryArea, f"List of all {territory.area_count}", territory__id__exact=territory.pk)
        url = reverse("admin:distribution_territoryarea_import")
        return format_html('{}, or <a href="{}" class="text-link">add many from a CSV file</a>', link, url)

    def why_not_archive(self, obj: Territory) -> str:
        asking = Condition.objects.filter(rule__rule_set__state=RuleSet.State.LIVE, operator="in_territory")
        for condition in asking.select_related("rule"):
            if obj.pk in (condition.value if isinstance(condition.value, list) else [condition.value]):
                return f"the rule “{condition.rule}” of the live rule set asks for it."
        return ""


@admin.register(TerritoryArea)
class TerritoryAreaAdmin(ImportExportModelAdmin, HistoryAdmin):
    form = AreaForm
    resource_classes = (AreaResource,)
    import_form_class = ImportForm
    export_form_class = ExportForm
    formats = (CSV,)
    tmp_storage_class = CacheStorage  # seen by every web process, unlike a folder of one machine
    list_display = ("__str__", "territory", "country", "region", "postal_from", "postal_to", "industry", "account")
    list_select_related = ("territory", "account")
    list_filter = (
        ("territory", AutocompleteSelectFilter),
        ("country", FieldTextFilter),
        ("account", AutocompleteSelectFilter),
    )
    search_fields = ("territory__name", "region", "postal_from", "industry", "account__name")
    search_help_text = "Search by territory, region, postal code, industry or account"
    autocomplete_fields = ("territory", "account")
    fields = (
        *("territory", ("country", "region"), ("postal_from", "postal_to")),
        *("industry", ("employees_from", "employees_to"), "account"),
    )

    def has_import_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_add_permission(request))

    def has_export_permission(self, request: HttpRequest) -> bool:
        return bool(self.has_view_permission(request))
