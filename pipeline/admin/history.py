"""What happened, and what people agreed to: to read."""

import json

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.paginator import InfinitePaginator

from leadcrm.lib.adminbase import ReadOnlyAdmin, ReadOnlyInline, admin_link
from pipeline.models import Consent, Event

LONGEST_DETAIL = 200


def detail_of(event: Event) -> str:
    """What an event tells, on one line: its sentence, or else its data, as in ``stage: won, reason: price``."""
    line = event.data.get("sentence") or ", ".join(f"{key}: {_plain(value)}" for key, value in event.data.items())
    return line if len(line) <= LONGEST_DETAIL else f"{line[:LONGEST_DETAIL]}…"


def told(events: QuerySet[Event]) -> QuerySet[Event]:
    """Those that are part of a lead's history."""
    return events.exclude(kind__in=Event.UNTOLD)


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator
    list_display = ("at", "kind", "of_lead", "actor_name", "detail")
    list_select_related = ("lead", "actor")
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ("actor", AutocompleteSelectFilter),
        ("at", RangeDateTimeFilter),
    )
    search_fields = ("lead__email", "lead__company", "lead__last_name")
    search_help_text = "Search by the lead's e-mail, company or last name"
    ordering = ("-at", "-id")
    fields = ("at", "kind", "of_lead", "actor_name", "data")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return told(super().get_queryset(request))

    @admin.display(description="lead")
    def of_lead(self, event: Event) -> SafeString | str:
        return admin_link(event.lead)

    @admin.display(description="by")
    def actor_name(self, event: Event) -> str:
        return str(event.actor or "the system")

    @admin.display(description="detail")
    def detail(self, event: Event) -> str:
        return detail_of(event)


@admin.register(Consent)
class ConsentAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator
    list_display = ("at", "of_lead", "channel", "granted", "origin")
    list_select_related = ("lead",)
    list_filter = (("channel", ChoicesDropdownFilter), "granted", ("at", RangeDateTimeFilter))
    search_fields = ("lead__email", "lead__phone", "lead__last_name")
    search_help_text = "Search by the lead's e-mail, phone or last name"
    ordering = ("-at", "-id")
    fields = ("at", "of_lead", "channel", "granted", "wording", "origin", "ip")

    @admin.display(description="lead")
    def of_lead(self, consent: Consent) -> SafeString | str:
        return admin_link(consent.lead)


class EventInline(ReadOnlyInline):
    """A lead's timeline, newest first."""

    model = Event
    verbose_name_plural = "timeline"
    ordering = ("-at", "-id")
    per_page = 20
    list_select_related = ("actor",)
    fields = ("at", "kind", "actor_name", "detail")
    readonly_fields = fields
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        return told(super().get_queryset(request))

    @admin.display(description="by")
    def actor_name(self, event: Event) -> str:
        return str(event.actor or "the system")

    @admin.display(description="detail")
    def detail(self, event: Event) -> str:
        return detail_of(event)


class ConsentInline(ReadOnlyInline):
    model = Consent
    per_page = 20
    fields = ("at", "channel", "granted", "wording", "origin")
    readonly_fields = fields
    tab = True
