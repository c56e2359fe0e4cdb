"""Where people are reached, and what they chose. They say so themselves under ``/my/notifications/``."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from leadcrm.lib.adminbase import ReadOnlyAdmin
from notifications.admin.deliveries import ChannelFilter
from notifications.models import ChannelChoice, ContactAddress


@admin.register(ContactAddress)
class ContactAddressAdmin(ReadOnlyAdmin):
    list_display = ("user", "channel", "address", "state", "verified_at")
    list_filter = (ChannelFilter,)
    list_select_related = ("user",)
    search_fields = ("user__username", "user__first_name", "user__last_name", "address")
    search_help_text = "Search by name or address"
    fields = ("user", "channel", "address", "verified_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContactAddress]:
        rows: QuerySet[ContactAddress] = super().get_queryset(request)
        return rows.exclude(address="")

    @display(description="state", label={"confirmed": "success", "waiting": "warning"})
    def state(self, row: ContactAddress) -> tuple[str, str]:
        return ("confirmed", "Confirmed") if row.verified_at else ("waiting", "To be confirmed")


@admin.register(ChannelChoice)
class ChannelChoiceAdmin(ReadOnlyAdmin):
    list_display = ("user", "urgency", "first", "backup")
    list_filter = ("urgency",)
    list_select_related = ("user",)
    search_fields = ("user__username", "user__first_name", "user__last_name")
    search_help_text = "Search by name"
