from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from leadcrm.lib.access import GuardedModelAdmin
from leadcrm.lib.adminbase import ArchivableAdmin, ArchivedFilter, list_link
from pipeline.models import Lead, Team


class TeamAdmin(GuardedModelAdmin, ArchivableAdmin):
    """Registered by distribution, which adds the team's working hours."""

    list_display = ("name", "manager", "people", "leads")
    list_select_related = ("manager",)
    list_filter = (("manager", AutocompleteSelectFilter), ArchivedFilter)
    search_fields = ("name",)
    search_help_text = "Search by name"
    autocomplete_fields = ("manager", "members")
    fields: tuple[str, ...] = ("name", "manager", "members")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        teams: QuerySet[Team] = super().get_queryset(request)
        return teams.annotate(people=Count("members"))

    @admin.display(description="people", ordering="people")
    def people(self, team: Any) -> int:
        count: int = team.people
        return count

    @admin.display(description="leads")
    def leads(self, team: Team) -> SafeString:
        return list_link(Lead, "Leads", team__id__exact=team.pk)

    def why_not_archive(self, obj: Team) -> str:
        waiting = Lead.objects.filter(team=obj, closed_at=None, archived_at=None).exists()
        return "it has open leads. Reassign them first." if waiting else ""
