"""Pools: who shares leads, by which method, and what each member may expect."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import MinValueValidator
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from distribution.compiling import live_world
from distribution.engine.methods import METHODS
from distribution.models import Pool, PoolMember, RoutingRule, RuleSet
from distribution.openhours import pool_hours_warnings
from distribution.relaxing import droppable, read_relax, relax_text
from distribution.shares import expected_shares, hint, in_leads, in_percent, oddities
from leadcrm.lib.access import GuardedModelAdmin
from leadcrm.lib.adminbase import AnyModelForm, ArchivableAdmin, ArchivedFilter, HistoryAdmin, TabularInline
from leadcrm.lib.moments import moment_text

# What re-joining a pool changes of the row that was kept.
REJOINED = ("weight", "tier", "max_open", "paused", "retired_at", "joined_at")


class RelaxField(forms.CharField):
    """Which demands to drop, in which order and after which wait; stored as a list."""

    def prepare_value(self, value: Any) -> Any:
        return relax_text(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        try:
            return read_relax(super().to_python(value) or "")
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class PoolForm(AnyModelForm):
    relax = RelaxField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        label="Drop demands",
        help_text=(
            "What to stop asking for, in this order, when nobody meets all that a rule asks for; the minutes are for "
            "how long a lead has waited for this pool: “language, skill after 30”. "
            f"Possible: {', '.join(droppable())}. Empty: nothing is dropped."
        ),
    )

    class Meta:
        model = Pool
        fields = ("name", "method", "period", "team", "relax", "offer_minutes", "blind")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "offer_minutes" in self.fields:
            field: Any = self.fields["offer_minutes"]
            field.validators.append(MinValueValidator(1, "At least one minute."))


class MemberForm(AnyModelForm):
    class Meta:
        model = PoolMember
        fields = ("rep", "weight", "tier", "max_open", "paused")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """A place belongs to one person for ever: what the pool owes it cannot pass to another."""
        super().__init__(*args, **kwargs)
        if self.instance.pk and "rep" in self.fields:
            choice = (self.instance.rep_id, self.instance.rep.name)
            self.fields["rep"].disabled = True
            self.fields["rep"].widget = UnfoldAdminSelectWidget(choices=[choice])

    def clean(self) -> dict[str, Any]:
        """Who comes back gets the old place, with its credit, so that the credits of the pool still sum to zero."""
        pool_id, rep = self.instance.pool_id, self.cleaned_data.get("rep")
        if self.instance.pk is None and pool_id and rep:
            kept = PoolMember.objects.filter(pool=pool_id, rep=rep).exclude(retired_at=None).first()
            if kept:
                kept.retired_at, kept.joined_at = None, timezone.now()
                self.instance = kept
        return self.cleaned_data


class MemberInline(TabularInline):
    model = PoolMember
    form = MemberForm
    verbose_name_plural = "members"
    fields = ("rep", "weight", "tier", "max_open", "paused", "expected_share", "credit_in_leads", "last_lead")
    readonly_fields = ("expected_share", "credit_in_leads", "last_lead")
    autocomplete_fields = ("rep",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PoolMember]:
        members: QuerySet[PoolMember] = super().get_queryset(request)
        return members.filter(retired_at=None).select_related("rep")

    @admin.display(description="expected share")
    def expected_share(self, member: PoolMember) -> str:
        return in_percent(shares_of(member.pool).get(member.pk)) if member.pk else "-"

    @admin.display(description="credit, in leads")
    def credit_in_leads(self, member: PoolMember) -> str:
        return in_leads(member.credit) if member.pk else "-"

    @admin.display(description="last lead")
    def last_lead(self, member: PoolMember) -> str:
        return moment_text(member.last_assigned_at) if member.last_assigned_at else "-"


def members_of(pool: Any) -> list[PoolMember]:
    """The pool's members with their reps, read once per page."""
    if not hasattr(pool, "present"):
        pool.present = list(pool.members.filter(retired_at=None).select_related("rep")) if pool.pk else []
    present: list[PoolMember] = pool.present
    return present


def attention(pool: Any) -> list[str]:
    """What to see to, worked out once per page."""
    if not hasattr(pool, "attention"):
        by_hours = pool_hours_warnings([pool], timezone.now(), live_world().timetable)
        pool.attention = [*oddities(pool, members_of(pool)), *by_hours.values()]
    found: list[str] = pool.attention
    return found


def shares_of(pool: Any) -> dict[int, Any]:
    if not hasattr(pool, "shares"):
        pool.shares = expected_shares(pool.method, members_of(pool))
    shares: dict[int, Any] = pool.shares
    return shares


def method_help() -> SafeString:
    lines = ((method.label, method.help) for method in METHODS.values())
    return format_html_join("", "<p><strong>{}</strong>: {}</p>", lines)


@admin.register(Pool)
class PoolAdmin(GuardedModelAdmin, HistoryAdmin, ArchivableAdmin):
    form = PoolForm
    inlines = (MemberInline,)
    list_display = ("name", "method", "member_count", "shares", "team", "health")
    list_select_related = ("team",)
    list_filter = (("method", ChoicesDropdownFilter), ("team", RelatedDropdownFilter), ArchivedFilter)
    search_fields = ("name",)
    search_help_text = "Search by name"
    readonly_fields = ("warnings",)
    conditional_fields = {"period": "method == 'equal_totals'", "offer_minutes": "method == 'claim'"}
    fieldsets = (
        (None, {"fields": ("warnings", "name", "method", "period", "offer_minutes", "blind", "team", "relax")}),
        ("What the methods do", {"fields": (), "description": method_help(), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pool]:
        pools: QuerySet[Pool] = super().get_queryset(request)
        members = PoolMember.objects.filter(retired_at=None).select_related("rep")
        return pools.prefetch_related(Prefetch("members", members, to_attr="present"))

    @admin.display(description="members")
    def member_count(self, pool: Pool) -> int:
        return len(members_of(pool))

    @admin.display(description="expected shares")
    def shares(self, pool: Pool) -> str:
        return hint(pool, shares_of(pool))

    @display(description="health", label={"fine": "success"})
    def health(self, pool: Pool) -> str:
        found = oddities(pool, members_of(pool))
        return found[0].partition(":")[0] if found else "fine"

    @admin.display(description="Attention")
    def warnings(self, pool: Pool) -> SafeString | str:
        found = attention(pool) if pool.pk else []
        return format_html("<strong>{}</strong>", " ".join(found)) if found else "Nothing to see to."

    def remove_row(self, obj: Any) -> None:
        """Members are retired, not deleted: their credit is part of what sums to zero."""
        obj.retired_at = timezone.now()
        obj.save(update_fields=["retired_at"])

    def add_row(self, obj: Any) -> None:
        if obj.pk:
            obj.save(update_fields=REJOINED)
        else:
            obj.save()

    def why_not_archive(self, obj: Pool) -> str:
        live = RuleSet.objects.filter(state=RuleSet.State.LIVE)
        rules = RoutingRule.objects.filter(rule_set__in=live)
        if rules.filter(pool=obj).exists() or rules.filter(fallback_pool=obj).exists():
            return "a rule of the live rule set sends leads here."
        if live.filter(catch_all_pool=obj).exists():
            return "it catches what no rule of the live rule set places."
        return "a territory sends its leads here." if obj.territories.filter(archived_at=None).exists() else ""
