"""A lead's admin page with all that routing adds to it: who had it, why, and actions that change it."""

from collections.abc import Callable
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import action

from distribution.admin.leadsteps import STEPS, carry_out
from distribution.models import Assignment, Decision, SLAClock
from leadcrm.lib.adminbase import ReadOnlyInline, admin_link
from leadcrm.lib.adminsteps import CONFIRMED, ask, chosen_again, is_confirmed
from pipeline.admin.leads import LeadAdmin
from pipeline.models import Lead

MOST_AT_ONCE = 1000
MOST_REFUSALS = 5
MOST_LISTED = 20
FROM_PAGE = "from_page"


class DecisionInline(ReadOnlyInline):
    model = Decision
    fk_name = "lead"
    per_page = 10
    ordering = ("-at", "-id")
    fields = ("at", "outcome", "explained", "trigger")
    readonly_fields = fields
    tab = True

    @admin.display(description="why")
    def explained(self, decision: Decision) -> SafeString | str:
        return admin_link(decision)


class AssignmentInline(ReadOnlyInline):
    model = Assignment
    per_page = 10
    fields = ("rep", "trigger", "started_at", "accepted_at", "ended_at", "end", "reason")
    readonly_fields = fields
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Assignment]:
        held: QuerySet[Assignment] = super().get_queryset(request)
        return held.select_related("rep")


class ClockInline(ReadOnlyInline):
    model = SLAClock
    per_page = 10
    verbose_name_plural = "promises"
    fields = ("what", "rep", "started_at", "due_at", "next_at", "broken_at", "stopped_at", "outcome")
    readonly_fields = fields
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[SLAClock]:
        clocks: QuerySet[SLAClock] = super().get_queryset(request)
        return clocks.select_related("rep")

    @admin.display(description="clock")
    def what(self, clock: SLAClock) -> SafeString | str:
        return admin_link(clock, clock.get_kind_display())


@admin.register(Lead)
class RoutedLeadAdmin(LeadAdmin):
    inlines = (DecisionInline, AssignmentInline, ClockInline, *LeadAdmin.inlines)
    actions_detail = (
        {
            "title": "Who has it",
            "icon": "alt_route",
            "items": ("test_rules", "route_now", "reassign", "reassign_to", "return_invalid"),
        },
    )

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., Any], str, str]]:
        if not self.has_change_permission(request):
            return {}
        return {key: (_in_list(key), key, step.label) for key, step in STEPS.items()}

    def has_view_rules_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        # A method of its own: a permission named in the action is looked up when the project is checked, at which time
        # a new database has no tables.
        return request.user.has_perm("distribution.view_ruleset")

    @action(description="Test with…", icon="science", url_path="test-rules", permissions=("view_rules",))
    def test_rules(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Who would get this lead, or one like it, under the live rules or a draft."""
        lead = self.get_object(request, unquote(object_id))
        if lead is None:
            raise Http404
        return HttpResponseRedirect(reverse("admin:distribution_test_lead", query={"lead": str(lead.uid)}))

    @action(description=STEPS["route_now"].label, icon="alt_route", permissions=("change",))
    def route_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._on_page(request, object_id, "route_now")

    @action(description=STEPS["reassign"].label, icon="autorenew", permissions=("change",))
    def reassign(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._on_page(request, object_id, "reassign")

    @action(description=STEPS["reassign_to"].label, icon="person_add", permissions=("change",))
    def reassign_to(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._on_page(request, object_id, "reassign_to")

    @action(description=STEPS["return_invalid"].label, icon="block", permissions=("change",))
    def return_invalid(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._on_page(request, object_id, "return_invalid")

    def _on_page(self, request: HttpRequest, object_id: str, key: str) -> HttpResponse:
        """Asks about one lead, and posts the answer to the list, where this lead is the selection."""
        lead = self.get_object(request, unquote(object_id))
        if lead is None:
            raise Http404
        hidden = [("action", key), (ACTION_CHECKBOX_NAME, str(lead.pk)), (FROM_PAGE, "1"), (CONFIRMED, "1")]
        post_to = reverse("admin:pipeline_lead_changelist", query={"archived": "all"})
        return self._ask(request, key, STEPS[key].form(), [str(lead)], hidden, post_to)

    def in_list(self, request: HttpRequest, leads: QuerySet[Lead], key: str) -> HttpResponse | None:
        """Asks about the selected leads, or, once the answer is there, does it and reports."""
        count = leads.count()
        if count > MOST_AT_ONCE:
            self.message_user(request, f"At most {MOST_AT_ONCE:,} leads at once. Nothing was changed.", messages.ERROR)
            return None
        form = STEPS[key].form(request.POST if is_confirmed(request) else None)
        if form.is_valid():
            self._report(request, *carry_out(STEPS[key], leads, cast(User, request.user), form.cleaned_data))
            return self._back_to_page(request)
        names = [str(lead) for lead in leads[:MOST_LISTED]]
        names += [f"and {count - len(names)} more"] if count > len(names) else []
        hidden = [*chosen_again(request), *((FROM_PAGE, value) for value in request.POST.getlist(FROM_PAGE))]
        return self._ask(request, key, form, names, hidden, request.get_full_path())

    def _ask(
        self,
        request: HttpRequest,
        key: str,
        form: forms.Form,
        names: list[str],
        hidden: list[tuple[str, str]],
        post_to: str,
    ) -> HttpResponse:
        step = STEPS[key]
        words = {"title": step.label, "intro": step.intro, "button": step.label}
        return ask(self, request, **words, form=form, subjects=names, hidden=hidden, post_to=post_to)

    def _report(self, request: HttpRequest, done: dict[str, int], refused: list[str]) -> None:
        if done:
            counts = ", ".join(f"{count} {word}" for word, count in sorted(done.items()))
            total = sum(done.values())
            self.message_user(request, f"{total} lead{'s' if total > 1 else ''}: {counts}.")
        for sentence in refused[:MOST_REFUSALS]:
            self.message_user(request, sentence, messages.ERROR)
        if (more := len(refused) - MOST_REFUSALS) > 0:
            self.message_user(request, f"{more} more could not be changed.", messages.ERROR)

    def _back_to_page(self, request: HttpRequest) -> HttpResponse | None:
        if FROM_PAGE not in request.POST:
            return None
        return HttpResponseRedirect(
            reverse("admin:pipeline_lead_change", args=[request.POST.get(ACTION_CHECKBOX_NAME, "0")])
        )


def _in_list(key: str) -> Callable[[RoutedLeadAdmin, HttpRequest, QuerySet[Lead]], HttpResponse | None]:
    return lambda model_admin, request, leads: model_admin.in_list(request, leads, key)
