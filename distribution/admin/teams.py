"""A team's admin page with what distribution adds to it: the working hours of its people, and their leave."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import ForeignKey, Q
from django.forms import Field, Media
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.decorators import action

from distribution.leavetimeline import DAYS, team_timeline
from distribution.models import TeamHours, WorkingHours
from distribution.weekview import monday_of
from leadcrm.lib.adminbase import TabularInline
from pipeline.admin.teams import TeamAdmin
from pipeline.models import Team


class TeamHoursInline(TabularInline):
    """At most one row: the hours of those of the team who have none of their own."""

    model = TeamHours
    verbose_name = "working hours"
    verbose_name_plural = "working hours of those who have none of their own"
    fields = ("hours",)

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any]", request: HttpRequest, **kwargs: Any
    ) -> Field | None:
        """Archived hours only where they are in use."""
        if db_field.name == "hours":
            kwargs["queryset"] = WorkingHours.objects.filter(Q(archived_at=None) | Q(teams__isnull=False)).distinct()
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Team)
class RoutedTeamAdmin(TeamAdmin):
    inlines = (TeamHoursInline,)
    actions_detail = ("leave",)

    @property
    def media(self) -> Media:
        merged: Media = super().media + Media(css={"all": ["distribution/hours.css", "distribution/rules.css"]})
        return merged

    def has_see_leave_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("distribution.view_leave")

    @action(description="Leave", icon="beach_access", url_path="leave", permissions=("see_leave",))
    def leave(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Who of the team is on leave in the five weeks from the one asked for (``?week=2026-03-02``)."""
        team = self.get_object(request, unquote(object_id))
        if team is None:
            raise Http404
        today = timezone.now().date()
        first = monday_of(request.GET.get("week", ""), today)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": team,
            "media": self.media,
            "title": f"Leave of {team}",
            "team": team,
            "rows": team_timeline(team, first),
            "days": [first + timedelta(days=n) for n in range(DAYS)],
            "today": today,
            "earlier": monday_of((first - timedelta(days=DAYS)).isoformat(), first),
            "later": monday_of((first + timedelta(days=DAYS)).isoformat(), first),
        }
        return TemplateResponse(request, "admin/pipeline/team/leave.html", context)
