"""A lead's admin page, as far as this app knows leads. The app that routes them adds its part and registers it."""

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    FieldTextFilter,
    RangeDateFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import display

from leadcrm.lib.adminbase import ArchivedFilter, ModelAdmin
from pipeline.admin.history import ConsentInline, EventInline
from pipeline.admin.leadforms import QUESTION, LeadAddForm, LeadChangeForm, question_fields
from pipeline.admin.tasks import TaskInline
from pipeline.display import age, badge_of, cut, person
from pipeline.errors import PipelineError
from pipeline.intake import InvalidLead
from pipeline.models import AttributeDefinition, Lead
from pipeline.services.leads import create_lead, edit_lead
from pipeline.services.moving import move_on

# Tones of badges in the admin's own words.
TONES = {"info": "info", "warn": "warning", "act": "primary", "good": "success", "bad": "danger"}
LONGEST_SENTENCE = 90


class OpenFilter(DropdownFilter):
    title = "open or closed"
    parameter_name = "open"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Open"), ("won", "Won"), ("lost", "Lost")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return queryset.filter(closed_at=None)
        if self.value() in ("won", "lost"):
            return queryset.exclude(closed_at=None).filter(stage__kind=self.value())
        return queryset


class LeadAdmin(ModelAdmin):
    """Leads are written by services only; who has one is changed by actions."""

    inlines: tuple[type, ...] = (EventInline, TaskInline, ConsentInline)
    list_display = ("who", "badge", "owner_name", "team", "age", "why", "source", "stage")
    list_select_related = ("owner", "team", "source", "stage")
    list_filter = (
        ("routing_state", ChoicesDropdownFilter),
        OpenFilter,
        ("source", RelatedDropdownFilter),
        ("stage__pipeline", RelatedDropdownFilter),
        ("stage", RelatedDropdownFilter),
        ("owner", AutocompleteSelectFilter),
        ("team", RelatedDropdownFilter),
        ("account", AutocompleteSelectFilter),
        ("country", FieldTextFilter),
        ("created_at", RangeDateFilter),
        ArchivedFilter,
    )
    search_fields = ("first_name", "last_name", "company", "email", "phone", "external_id")
    search_help_text = "Search by name, company, e-mail, phone or external id"
    ordering = ("-created_at", "-id")

    _person = (("first_name", "last_name"), ("email", "phone"), ("company", "job_title"), "website")
    _place = (("country", "region"), ("postal_code", "city"), "language", "time_zone")
    _wish = (("industry", "employees"), ("value", "currency"), ("product", "tags"), "message", ("score", "priority"))
    _campaign = (("utm_source", "utm_medium"), ("utm_campaign", "utm_term"), "utm_content")
    routing_fields: tuple[Any, ...] = (
        ("owner", "team"),
        ("status", "routing_code"),
        "routing_sentence",
        ("attempts", "next_attempt_at"),
        ("respond_by", "page"),
    )
    _moments = (
        ("created_at", "assigned_at"),
        ("accepted_at", "first_contacted_at"),
        ("closed_at", "archived_at"),
        "uid",
    )
    readonly_fields: tuple[str, ...] = (
        *("owner", "team", "status", "routing_code", "routing_sentence", "attempts", "next_attempt_at", "respond_by"),
        *("page", "created_at", "assigned_at", "accepted_at", "first_contacted_at", "closed_at", "archived_at", "uid"),
        *("source", "external_id", "account", "duplicate_of", "answers", "value_base"),
    )

    # --- The list ---

    @display(description="lead", ordering="last_name", header=True)
    def who(self, lead: Lead) -> list[str]:
        return [str(lead), lead.company if lead.name else ""]

    @display(description="state", ordering="routing_state", label=TONES)
    def badge(self, lead: Lead) -> tuple[str, str]:
        words, tone = badge_of(lead)
        return tone, words

    @admin.display(description="owner", ordering="owner__first_name")
    def owner_name(self, lead: Lead) -> str:
        return person(lead.owner) if lead.owner else "-"

    @admin.display(description="came in", ordering="created_at")
    def age(self, lead: Lead) -> str:
        return age(lead.created_at, timezone.now())

    @admin.display(description="why")
    def why(self, lead: Lead) -> SafeString:
        shown, rest = cut(lead.routing_sentence, LONGEST_SENTENCE)
        return format_html('<span title="{}">{}{}</span>', lead.routing_sentence, shown, "…" if rest else "")

    # --- The page ---

    @admin.display(description="state")
    def status(self, lead: Lead) -> str:
        return badge_of(lead)[0]

    @admin.display(description="page")
    def page(self, lead: Lead) -> SafeString:
        return format_html('<a href="/leads/{}/" class="text-link">What the owner sees</a>', lead.uid)

    @admin.display(description="answers")
    def answers(self, lead: Any) -> SafeString | str:
        if not hasattr(lead, "labels"):  # the page asks twice
            known = AttributeDefinition.objects.filter(key__in=lead.attributes)
            lead.labels = dict(known.values_list("key", "label"))
        labels = lead.labels
        pairs = ((labels.get(key, key), value) for key, value in lead.attributes.items())
        return format_html_join(SafeString("<br>"), "{}: {}", pairs) or "-"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        described: tuple[Any, ...] = (
            ("Who it is", {"fields": self._person}),
            ("Where it is", {"fields": self._place}),
            ("What it wants", {"fields": self._wish}),
        )
        campaign = ("Campaign", {"fields": self._campaign, "classes": ("collapse",)})
        if obj is None:
            questions = ("Your own questions", {"fields": tuple(self._questions(request))})
            origin = (None, {"fields": (("source", "external_id"), "agreed")})
            return (origin, *described, *([questions] if questions[1]["fields"] else []), campaign)
        source = (
            "Where it came from",
            {"fields": (("source", "external_id"), ("account", "duplicate_of"), "answers", "value_base")},
        )
        standing = ("Where it stands", {"fields": (*self.routing_fields, ("stage", "lost_reason"), "seen_version")})
        moments = ("Moments", {"fields": self._moments, "classes": ("collapse",)})
        return (standing, *described, source, campaign, moments)

    def get_inlines(self, request: HttpRequest, obj: Any) -> tuple[type, ...]:
        return self.inlines if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj:
            return super().get_form(request, obj, change, form=LeadChangeForm, **kwargs)
        form = type("LeadAddForm", (LeadAddForm,), self._questions(request))
        return super().get_form(request, obj, change, form=form, **kwargs)

    def _questions(self, request: HttpRequest) -> dict[str, forms.Field]:
        """Our own questions as form fields, read once per request."""
        if not hasattr(request, QUESTION):
            setattr(request, QUESTION, question_fields())
        found: dict[str, forms.Field] = getattr(request, QUESTION)
        return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[Lead]:
        leads: QuerySet[Lead] = super().get_queryset(request)
        return leads.select_related("source", "stage__pipeline", "owner", "team", "account", "duplicate_of")

    # --- Writing ---

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Leads are archived, never deleted."""
        return False

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A change that lost a race by a moment is told like any other fault; nothing of it was kept."""
        try:
            response: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        except (PipelineError, InvalidLead) as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.path)
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = cast(User, request.user)
        if change:
            edit_lead(obj, form.edited(), actor=actor, version=form.cleaned_data["seen_version"])
            if form.cleaned_data["stage"].pk != obj.stage_id:
                reason = form.cleaned_data["lost_reason"]
                move_on(obj, form.cleaned_data["stage"], actor=actor, lost_reason=reason)
            return
        made = create_lead(
            source=form.cleaned_data["source"],
            fields=form.sent(),
            consents=form.consents(),
            external_id=form.cleaned_data["external_id"],
            attributes=form.answers(),
            actor=actor,
        )
        obj.pk = made.pk
        obj.refresh_from_db()

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """To the lead's page: who got it is known by the time it is shown."""
        if "_addanother" in request.POST:
            return cast(HttpResponse, super().response_add(request, obj, post_url_continue))
        self.message_user(request, f"{obj} was added and routed.")
        return HttpResponseRedirect(reverse("admin:pipeline_lead_change", args=[obj.pk]))
