"""Running promises, the steps that were taken, and leads that are lent: to read, and to help on a clock that failed."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    RangeDateTimeFilter,
    RelatedDropdownFilter,
)
from unfold.decorators import display

from distribution.admin.history import LeadRecordAdmin
from distribution.engine.sla import BREAK, load_ladder
from distribution.ladders import action_label, duration_words
from distribution.models import Loan, SLAClock, StepTaken
from distribution.services.stepping import try_again
from leadcrm.lib.adminbase import ReadOnlyInline, admin_link, counted

STATES = {"running": "info", "paused": "default", "failed": "danger", "broken": "warning", "stopped": "success"}


def state_of_clock(clock: SLAClock) -> str:
    if clock.stopped_at is not None:
        return "stopped"
    if clock.failures:
        return "failed"
    if clock.paused_at is not None:
        return "paused"
    return "broken" if clock.broken_at is not None else "running"


class ClockStateFilter(DropdownFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            *(("running", "Running"), ("paused", "Paused"), ("broken", "Promise broken")),
            *(("failed", "A step failed"), ("stopped", "Stopped")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[SLAClock]) -> QuerySet[SLAClock]:
        running = queryset.filter(stopped_at=None)
        found = {
            "running": running.filter(paused_at=None),
            "paused": running.exclude(paused_at=None),
            "broken": queryset.exclude(broken_at=None),
            "failed": running.filter(failures__gt=0),
            "stopped": queryset.exclude(stopped_at=None),
        }
        return found.get(self.value() or "", queryset)


def step_words(action: str) -> str:
    return "The promise was broken" if action == BREAK else action_label(action)


class StepTakenInline(ReadOnlyInline):
    model = StepTaken
    verbose_name_plural = "steps that were taken"
    fields = ("at", "due_at", "what", "result")
    readonly_fields = fields

    @admin.display(description="step")
    def what(self, step: StepTaken) -> str:
        return step_words(step.action)


@admin.register(SLAClock)
class SLAClockAdmin(LeadRecordAdmin):
    inlines = (StepTakenInline,)
    actions = ("retry",)
    list_display = ("started_at", "of_lead", "kind", "state", "rep", "policy", "due_at", "next_at", "outcome")
    list_filter = (
        ClockStateFilter,
        ("kind", ChoicesDropdownFilter),
        ("outcome", ChoicesDropdownFilter),
        ("policy", RelatedDropdownFilter),
        ("rep", AutocompleteSelectFilter),
        ("due_at", RangeDateTimeFilter),
    )
    fields = (
        *("of_lead", ("kind", "policy"), ("rep", "assignment"), ("state", "outcome"), ("promise", "counts")),
        *(("started_at", "due_at"), ("next_at", "broken_at"), ("paused_at", "stopped_at"), "plan"),
        *(("failures", "error"),),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SLAClock]:
        rows: QuerySet[SLAClock] = super().get_queryset(request)
        return rows.select_related("lead", "rep", "policy", "assignment__lead", "assignment__rep")

    @display(description="state", label=STATES)
    def state(self, clock: SLAClock) -> str:
        return state_of_clock(clock)

    @admin.display(description="promise")
    def promise(self, clock: SLAClock) -> str:
        return duration_words(clock.span)

    @admin.display(description="minutes count")
    def counts(self, clock: SLAClock) -> str:
        return "in working time of the owner" if clock.working else "by the clock"

    @admin.display(description="ladder as it was when the clock started")
    def plan(self, clock: SLAClock) -> SafeString | str:
        rungs = ((duration_words(rung.after), step_words(rung.action)) for rung in load_ladder(clock.ladder))
        return format_html_join(SafeString("<br>"), "{}: {}", rungs) or "-"

    @admin.action(description="Try again now", permissions=("retry",))
    def retry(self, request: HttpRequest, queryset: QuerySet[SLAClock]) -> None:
        """The next sweep takes up what failed. Nothing that was taken is taken again."""
        count = try_again(Q(pk__in=queryset.values("pk")))
        self.message_user(request, counted(count, SLAClock, "left to the next sweep"))

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("distribution.change_slaclock")


@admin.register(StepTaken)
class StepTakenAdmin(LeadRecordAdmin):
    list_display = ("at", "of_lead", "of_clock", "what", "due_at", "result")
    list_filter = (("at", RangeDateTimeFilter),)
    search_fields = ("clock__lead__email", "clock__lead__company", "clock__lead__last_name")
    fields = ("of_lead", "of_clock", "what", ("due_at", "at"), "result")

    def get_queryset(self, request: HttpRequest) -> QuerySet[StepTaken]:
        rows: QuerySet[StepTaken] = super().get_queryset(request)
        return rows.select_related("clock__lead", "clock__policy")

    @admin.display(description="lead")
    def of_lead(self, record: StepTaken) -> SafeString | str:
        return admin_link(record.clock.lead)

    @admin.display(description="clock")
    def of_clock(self, step: StepTaken) -> SafeString | str:
        return admin_link(step.clock, step.clock.get_kind_display())

    @admin.display(description="step")
    def what(self, step: StepTaken) -> str:
        return step_words(step.action)


class LoanStateFilter(DropdownFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Lent now"), ("late", "Overdue"), ("ended", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Loan]) -> QuerySet[Loan]:
        held = queryset.filter(ended_at=None)
        found = {"open": held, "late": held.filter(until__lt=timezone.now()), "ended": queryset.exclude(ended_at=None)}
        return found.get(self.value() or "", queryset)


@admin.register(Loan)
class LoanAdmin(LeadRecordAdmin):
    list_display = ("since", "of_lead", "lender", "borrower", "until", "ended_at")
    list_filter = (LoanStateFilter, ("lender", AutocompleteSelectFilter), ("borrower", AutocompleteSelectFilter))
    fields = ("of_lead", ("lender", "borrower"), ("since", "until"), "ended_at", "for_leave")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Loan]:
        rows: QuerySet[Loan] = super().get_queryset(request)
        return rows.select_related("lead", "lender", "borrower", "leave__rep")

    @admin.display(description="while on leave")
    def for_leave(self, loan: Loan) -> SafeString | str:
        return admin_link(loan.leave)
