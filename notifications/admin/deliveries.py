"""Messages and what became of them: to read, and to send again."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    DropdownFilter,
    RangeDateTimeFilter,
)
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from leadcrm.lib.adminbase import ReadOnlyAdmin, admin_link, counted
from notifications.channels import CHANNELS
from notifications.kinds import KINDS
from notifications.models import FanOutFailure, Notification
from notifications.services.resending import send_again

State = Notification.State
COLOURS = {
    State.DELIVERED: "success",
    State.SENT: "success",
    State.RETRY: "warning",
    State.SUPPRESSED: "info",
    State.FAILED: "danger",
}


class ValueFilter(DropdownFilter):
    """Rows with one value of a column, of those that there are."""

    def values(self) -> Iterable[tuple[str, str]]:
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return list(self.values())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Notification]) -> QuerySet[Notification]:
        return queryset.filter(**{self.parameter_name: self.value()}) if self.value() else queryset


class ChannelFilter(ValueFilter):
    title = "channel"
    parameter_name = "channel"

    def values(self) -> Iterable[tuple[str, str]]:
        return ((channel.key, channel.label) for channel in CHANNELS.values())


class KindFilter(ValueFilter):
    title = "kind"
    parameter_name = "kind"

    def values(self) -> Iterable[tuple[str, str]]:
        return ((kind.key, kind.label) for kind in KINDS.values())


class ErrorFilter(ValueFilter):
    title = "error"
    parameter_name = "error_code"

    def values(self) -> Iterable[tuple[str, str]]:
        codes = Notification.objects.exclude(error_code="").order_by("error_code")
        return ((code, code) for code in codes.values_list("error_code", flat=True).distinct())


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator
    list_display = ("created_at", "what", "to", "by", "how", "reason", "of_lead")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ChannelFilter,
        KindFilter,
        ErrorFilter,
        ("urgency", ChoicesDropdownFilter),
        ("user", AutocompleteSelectFilter),
        ("created_at", RangeDateTimeFilter),
    )
    search_fields = ("user__username", "user__email", "lead__email", "lead__company", "lead__last_name", "address")
    search_help_text = "Search by receiver, address, or the lead's e-mail, company or last name"
    actions = ("send_again",)
    fields = (
        *("what", "of_lead", "to", ("by", "address"), ("urgency", "backup"), ("how", "reason", "error_code")),
        *(("attempts", "next_at", "unsure"), ("created_at", "sent_at", "delivered_at", "read_at")),
        *("subject", "text", "bundled_into", ("token", "provider_id")),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        rows: QuerySet[Notification] = super().get_queryset(request)
        return rows.select_related("user", "lead", "bundled_into")

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("notifications.change_notification"))

    @admin.display(description="what")
    def what(self, row: Notification) -> str:
        return KINDS[row.kind].label if row.kind in KINDS else row.kind

    @admin.display(description="to")
    def to(self, row: Notification) -> str:
        return str(row.user or "the lead")

    @admin.display(description="by")
    def by(self, row: Notification) -> str:
        return CHANNELS[row.channel].label if row.channel in CHANNELS else row.channel

    @display(description="state", label={**COLOURS, State.QUEUED: "info", State.SENDING: "info"})
    def how(self, row: Notification) -> tuple[str, str]:
        return row.state, row.get_state_display()

    @admin.display(description="lead")
    def of_lead(self, row: Notification) -> SafeString | str:
        return admin_link(row.lead)

    @admin.action(description="Send again what failed", permissions=("resend",))
    def send_again(self, request: HttpRequest, queryset: QuerySet[Notification]) -> None:
        self.message_user(request, counted(send_again(queryset), self.model, "will be sent again"))


@admin.register(FanOutFailure)
class FanOutFailureAdmin(ReadOnlyAdmin):
    list_display = ("at", "what", "of_lead", "error", "attempts", "next_at", "solved_at")
    list_filter = (("at", RangeDateTimeFilter),)
    fields = list_display

    def get_queryset(self, request: HttpRequest) -> QuerySet[FanOutFailure]:
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("event__lead")

    @admin.display(description="event")
    def what(self, failure: FanOutFailure) -> SafeString | str:
        return admin_link(failure.event)

    @admin.display(description="lead")
    def of_lead(self, failure: FanOutFailure) -> SafeString | str:
        return admin_link(failure.event.lead)
