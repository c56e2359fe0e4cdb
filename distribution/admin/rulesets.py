"""The page of a rule set: what is wrong with it, its rules in order, and going live."""

from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from distribution.admin.ordering import posted_order
from distribution.admin.ruleforms import RuleSetForm
from distribution.admin.rules import add_rule_url, rule_set_url
from distribution.admin.testlead import test_lead_view
from distribution.errors import DistributionError
from distribution.fields import RuleFields, rule_fields
from distribution.models import RoutingRule, RuleSet
from distribution.rulediff import catch_all_words, changes_between
from distribution.rulesets import (
    ERROR,
    Fixed,
    Invalid,
    Problem,
    check_rule_set,
    clone_rule_set,
    lock_draft,
    publish_again,
    publish_rule_set,
    reorder_rules,
)
from distribution.rulewords import then_words, when_words
from leadcrm.lib.adminbase import ModelAdmin

STATE_COLOURS = {"Live": "success", "Draft": "info", "Archived": "default"}


@dataclass(frozen=True, slots=True)
class RuleLine:
    """One line of the list of rules."""

    rule: RoutingRule
    number: int
    when: str
    then: str
    errors: int
    warnings: int


@dataclass(frozen=True, slots=True)
class Overview:
    """A rule set as its page shows it."""

    lines: list[RuleLine]
    errors: list[Problem]
    warnings: list[Problem]

    @property
    def is_sound(self) -> bool:
        return not self.errors and not self.warnings


def overview_of(rule_set: RuleSet) -> Overview:
    problems = check_rule_set(rule_set)
    rules = rule_set.rules.select_related("pool", "rep", "team", "fallback_pool", "sla_policy")
    rules = rules.prefetch_related("conditions", "required_skills").order_by("position", "id")
    fields = rule_fields()
    return Overview(
        lines=[_line(rule, number, fields, problems) for number, rule in enumerate(rules, 1)],
        errors=[problem for problem in problems if problem.severity == ERROR],
        warnings=[problem for problem in problems if problem.severity != ERROR],
    )


def _line(rule: RoutingRule, number: int, fields: RuleFields, problems: list[Problem]) -> RuleLine:
    own = [problem.severity for problem in problems if problem.rule == rule]
    errors = own.count(ERROR)
    return RuleLine(rule, number, when_words(rule, fields), then_words(rule), errors, len(own) - errors)


@admin.register(RuleSet)
class RuleSetAdmin(ModelAdmin):
    form = RuleSetForm
    list_display = ("name", "state_label", "version", "rule_count", "published_at", "published_by")
    list_filter = (("state", ChoicesDropdownFilter),)
    list_select_related = ("published_by",)
    search_fields = ("name",)
    search_help_text = "Search by name"
    ordering = ("-state", "-version", "-created_at")
    actions = None
    change_form_outer_before_template = "admin/distribution/ruleset/_before.html"
    fieldsets = (
        (None, {"fields": ("name",)}),
        (
            "Catch-all",
            {
                "fields": ("catch_all_pool", "catch_all_team"),
                "description": "Every lead must end up with someone. Leads that no rule could place go to this pool, "
                "or wait in this team's queue. Choose one of the two.",
            },
        ),
    )

    @property
    def media(self) -> Media:
        merged: Media = super().media + Media(css={"all": ["distribution/rules.css"]})
        return merged

    def get_queryset(self, request: HttpRequest) -> QuerySet[RuleSet]:
        rule_sets: QuerySet[RuleSet] = super().get_queryset(request)
        return rule_sets.annotate(rule_count=Count("rules"))

    @display(description="state", ordering="state", label=STATE_COLOURS)
    def state_label(self, rule_set: RuleSet) -> str:
        return rule_set.get_state_display()

    @admin.display(description="rules", ordering="rule_count")
    def rule_count(self, rule_set: Any) -> int:
        count: int = rule_set.rule_count
        return count

    # --- What may be done -----------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_change_permission(request, obj)
        return allowed and (obj is None or obj.state == RuleSet.State.DRAFT)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed: bool = super().has_delete_permission(request, obj)
        return allowed and (obj is None or obj.state == RuleSet.State.DRAFT)

    # --- The page -------------------------------------------------------------------------------

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        rule_set = self.get_object(request, unquote(object_id)) if object_id else None
        extra: dict[str, Any] = {"show_save_and_continue": False, "show_save_and_add_another": False}
        if rule_set:
            extra |= self._page_context(request, rule_set)
        try:
            answer: HttpResponse = super().changeform_view(
                request, object_id, form_url, {**extra, **(extra_context or {})}
            )
        except Fixed as fixed:
            messages.error(request, f"Nothing was saved. {fixed}")
            return HttpResponseRedirect(request.path)
        return answer

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        except Fixed as fixed:
            messages.error(request, f"Nothing was deleted. {fixed}")
            return HttpResponseRedirect(reverse("admin:distribution_ruleset_changelist"))
        return answer

    def _page_context(self, request: HttpRequest, rule_set: RuleSet) -> dict[str, Any]:
        return {
            "rule_set": rule_set,
            "overview": overview_of(rule_set),
            "state_colour": STATE_COLOURS[rule_set.get_state_display()],
            "catch_all": catch_all_words(rule_set),
            "is_draft": rule_set.state == RuleSet.State.DRAFT,
            "may_change": self.has_change_permission(request, rule_set),
            "may_publish": self.has_change_permission(request),
            "may_clone": self.has_add_permission(request),
            "add_rule_url": add_rule_url(rule_set),
        }

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            lock_draft(obj)
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        lock_draft(obj)
        super().delete_model(request, obj)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """On to its page, where rules are added."""
        super().response_add(request, obj, post_url_continue)
        return HttpResponseRedirect(rule_set_url(obj))

    def response_post_save_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return HttpResponseRedirect(rule_set_url(obj))

    # --- Publish, clone, order ------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        def view(name: str, function: Any) -> URLPattern:
            wrapped = self.admin_site.admin_view(function)
            url: URLPattern = path(f"<path:object_id>/{name}/", wrapped, name=f"distribution_ruleset_{name}")
            return url

        test_lead = self.admin_site.admin_view(partial(test_lead_view, self))
        own = [
            path("test-lead/", test_lead, name="distribution_test_lead"),
            view("publish", self.publish_view),
            view("clone", require_POST(self.clone_view)),
            view("reorder", require_POST(self.reorder_view)),
        ]
        urls: list[URLPattern] = super().get_urls()
        return own + urls

    def publish_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Asks before, publishes on POST. What was live before is published again as a copy."""
        rule_set = self._find(request, object_id, allowed=self.has_change_permission(request))
        if rule_set.state == RuleSet.State.LIVE:
            messages.info(request, f"“{rule_set}” is live already.")
            return HttpResponseRedirect(rule_set_url(rule_set))
        if request.method == "POST":
            return self._publish(request, rule_set)
        live = RuleSet.objects.filter(state=RuleSet.State.LIVE).first()
        context = {
            **self.admin_site.each_context(request),
            **self._page_context(request, rule_set),
            "opts": self.opts,
            "original": rule_set,
            "media": self.media,
            "title": f"Publish “{rule_set}”",
            "live": live,
            "changes": changes_between(live, rule_set) if live else None,
        }
        return TemplateResponse(request, "admin/distribution/ruleset/publish.html", context)

    def _publish(self, request: HttpRequest, rule_set: RuleSet) -> HttpResponse:
        seen = request.POST.get("replaces", "")
        replaces = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else None
        publish = publish_rule_set if rule_set.state == RuleSet.State.DRAFT else publish_again
        try:
            done = publish(rule_set, actor=cast(User, request.user), replaces=replaces)
        except Invalid as invalid:
            messages.error(request, f"Not published: {len(invalid.problems)} errors. They are listed below.")
        except DistributionError as error:
            messages.error(request, f"Not published. {error}")
        else:
            self.log_change(request, done, f"Published as version {done.version}.")
            messages.success(request, f"Version {done.version} is live. New leads follow it from now on.")
            return HttpResponseRedirect(rule_set_url(done))
        return HttpResponseRedirect(rule_set_url(rule_set))

    def clone_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rule_set = self._find(request, object_id, allowed=self.has_add_permission(request))
        clone = clone_rule_set(rule_set, actor=cast(User, request.user))
        self.log_addition(request, clone, f"Cloned from “{rule_set}”.")
        messages.success(request, "This is your draft. Nothing changes for leads until you publish it.")
        return HttpResponseRedirect(rule_set_url(clone))

    def reorder_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Saves the order of the inputs named ``rule``; ``move`` (``12:up``) moves one of them a place before."""
        rule_set = self._find(request, object_id, allowed=self.has_change_permission(request))
        said, level = "Order saved.", messages.SUCCESS
        try:
            reorder_rules(rule_set, posted_order(request.POST))
            self.log_change(request, rule_set, "Changed the order of its rules.")
        except (DistributionError, ValueError) as error:
            said, level = f"The order was not saved. {error}", messages.ERROR
        if not request.headers.get("HX-Request"):
            messages.add_message(request, level, said)
            return HttpResponseRedirect(rule_set_url(rule_set))
        context = {**self._page_context(request, rule_set), "said": said, "failed": level == messages.ERROR}
        return TemplateResponse(request, "admin/distribution/ruleset/_rules.html", context)

    def _find(self, request: HttpRequest, object_id: str, *, allowed: bool) -> RuleSet:
        rule_set = self.get_object(request, unquote(object_id))
        if rule_set is None:
            raise Http404("There is no such rule set.")
        if not allowed:
            raise PermissionDenied
        found: RuleSet = rule_set
        return found
