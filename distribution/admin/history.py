"""The record of who had which lead and why: to read."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    RangeDateTimeFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from distribution.decisionpage import trigger_label
from distribution.engine.outcomes import DELIVERED, OUTCOMES
from distribution.explain import explain, method_name, outcome_fix, outcome_label
from distribution.models import Assignment, CreditCorrection, Decision, Hold, Offer, RepCounter
from distribution.selectors import names_in, trace_of
from distribution.shares import in_leads
from leadcrm.lib.adminbase import ReadOnlyAdmin, admin_link
from pipeline.display import cut

LONGEST_SENTENCE = 140


class LeadRecordAdmin(ReadOnlyAdmin):
    """A record about one lead."""

    paginator = InfinitePaginator
    search_fields = ("lead__email", "lead__company", "lead__last_name")
    search_help_text = "Search by the lead's e-mail, company or last name"

    @admin.display(description="lead")
    def of_lead(self, record: Any) -> SafeString | str:
        return admin_link(record.lead)


@admin.register(Assignment)
class AssignmentAdmin(LeadRecordAdmin):
    list_display = ("started_at", "of_lead", "rep", "trigger", "accepted_at", "ended_at", "end")
    list_select_related = ("lead", "rep")
    list_filter = (
        ("rep", AutocompleteSelectFilter),
        ("member__pool", RelatedDropdownFilter),
        ("trigger", ChoicesDropdownFilter),
        ("end", ChoicesDropdownFilter),
        ("started_at", RangeDateTimeFilter),
    )
    fields = (
        *("of_lead", "rep", "member", "because", "trigger", "actor", "reason"),
        *("started_at", "accepted_at", "ended_at", "end"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        rows: QuerySet[Assignment] = super().get_queryset(request)
        return rows.select_related("lead", "rep", "member__rep", "member__pool", "decision", "actor")

    @admin.display(description="decision")
    def because(self, assignment: Assignment) -> SafeString | str:
        return admin_link(assignment.decision)


class OutcomeFilter(DropdownFilter):
    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(outcome.code, outcome.label) for outcome in OUTCOMES.values()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Decision]) -> QuerySet[Decision]:
        return queryset.filter(outcome=self.value()) if self.value() else queryset


class TriggerFilter(OutcomeFilter):
    title = "trigger"
    parameter_name = "trigger"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in Assignment.Trigger.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Decision]) -> QuerySet[Decision]:
        return queryset.filter(trigger=self.value()) if self.value() else queryset


@admin.register(Decision)
class DecisionAdmin(LeadRecordAdmin):
    list_display = ("at", "of_lead", "result", "why", "winner", "trigger_name")
    list_filter = (
        OutcomeFilter,
        TriggerFilter,
        ("pool", RelatedDropdownFilter),
        ("winner", AutocompleteSelectFilter),
        ("at", RangeDateTimeFilter),
    )
    fields = (
        *("of_lead", "sentence", "what_to_do", ("at", "took"), ("trigger_name", "actor"), ("rule_set", "rule")),
        *(("pool", "method_label"), "winner", "digest"),
    )
    change_form_after_template = "admin/distribution/decision/after.html"

    class Media:
        css = {"all": ("leadcrm/tokens.css", "leadcrm/decision.css")}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        rows: QuerySet[Decision] = super().get_queryset(request)
        return rows.select_related("lead", "winner", "rule_set", "rule", "pool", "actor")

    @display(description="outcome", ordering="outcome", label={"yes": "success", "no": "warning"})
    def result(self, decision: Decision) -> tuple[str, str]:
        return ("yes" if decision.outcome in DELIVERED else "no", outcome_label(decision.outcome))

    @admin.display(description="why")
    def why(self, decision: Decision) -> str:
        shown, rest = cut(decision.sentence, LONGEST_SENTENCE)
        return f"{shown}…" if rest else shown

    @admin.display(description="trigger")
    def trigger_name(self, decision: Decision) -> str:
        return trigger_label(decision.trigger)

    @admin.display(description="what to do")
    def what_to_do(self, decision: Decision) -> str:
        return outcome_fix(decision.outcome) or "-"

    @admin.display(description="method")
    def method_label(self, decision: Decision) -> str:
        return method_name(decision.method) if decision.method else "-"

    @admin.display(description="took")
    def took(self, decision: Decision) -> str:
        return f"{decision.duration_us / 1000:.1f} ms"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        decision = self.get_object(request, unquote(object_id))
        trace = trace_of(decision) if decision else None
        explanation = explain(trace, names_in(trace)) if trace else None
        context = {**(extra_context or {}), "explanation": explanation}
        response: HttpResponse = super().change_view(request, object_id, form_url, context)
        return response


class HoldStateFilter(DropdownFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("waiting", "Waiting"), ("due", "Due to be tried"), ("released", "Released")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Hold]) -> QuerySet[Hold]:
        waiting = queryset.filter(released_at=None)
        found = {
            "waiting": waiting,
            "due": waiting.filter(retry_at__lte=timezone.now()),
            "released": queryset.exclude(released_at=None),
        }
        return found.get(self.value() or "", queryset)


@admin.register(Hold)
class HoldAdmin(LeadRecordAdmin):
    list_display = ("since", "of_lead", "waits_for", "pool", "retry_at", "released_at")
    list_select_related = ("lead", "pool")
    list_filter = (HoldStateFilter, ("pool", RelatedDropdownFilter), ("since", RangeDateTimeFilter))
    fields = ("of_lead", "waits_for", "pool", "because", "since", "retry_at", "released_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hold]:
        rows: QuerySet[Hold] = super().get_queryset(request)
        return rows.select_related("lead", "pool", "decision")

    @admin.display(description="why it waits")
    def waits_for(self, hold: Hold) -> str:
        return outcome_label(hold.code)

    @admin.display(description="decision")
    def because(self, hold: Hold) -> SafeString | str:
        return admin_link(hold.decision)


@admin.register(Offer)
class OfferAdmin(LeadRecordAdmin):
    list_display = ("offered_at", "of_lead", "offered_to", "pool", "expires_at", "ended_at", "end")
    list_filter = (
        ("end", ChoicesDropdownFilter),
        ("rep", AutocompleteSelectFilter),
        ("pool", RelatedDropdownFilter),
        ("offered_at", RangeDateTimeFilter),
    )
    fields = ("of_lead", "offered_to", "pool", "because", "offered_at", "expires_at", "ended_at", "end")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offer]:
        rows: QuerySet[Offer] = super().get_queryset(request)
        return rows.select_related("lead", "rep", "pool", "team", "decision")

    @admin.display(description="offered to")
    def offered_to(self, offer: Offer) -> str:
        return str(offer.rep or offer.team or "everyone in the pool")

    @admin.display(description="decision")
    def because(self, offer: Offer) -> SafeString | str:
        return admin_link(offer.decision)


@admin.register(RepCounter)
class RepCounterAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator
    list_display = ("rep", "period", "starts_at", "count")
    list_select_related = ("rep",)
    list_filter = (("rep", AutocompleteSelectFilter), ("period", ChoicesDropdownFilter))
    ordering = ("-starts_at", "rep")
    fields = list_display


@admin.register(CreditCorrection)
class CreditCorrectionAdmin(ReadOnlyAdmin):
    list_display = ("at", "member", "kind", "in_leads", "reason", "actor")
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ("member__pool", RelatedDropdownFilter),
        ("at", RangeDateTimeFilter),
    )
    fields = ("at", "member", "kind", "in_leads", "reason", "actor", "because", "posting")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditCorrection]:
        rows: QuerySet[CreditCorrection] = super().get_queryset(request)
        return rows.select_related("member__rep", "member__pool", "actor", "decision")

    @admin.display(description="credit, in leads", ordering="amount")
    def in_leads(self, correction: CreditCorrection) -> str:
        return in_leads(correction.amount)

    @admin.display(description="decision")
    def because(self, correction: CreditCorrection) -> SafeString | str:
        return admin_link(correction.decision)
