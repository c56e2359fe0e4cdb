"""Channels: which can be used, what left today, the emergency stop, and a test."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextInputWidget

from leadcrm.lib.adminbase import ModelAdmin, list_link
from leadcrm.lib.adminsteps import ask
from notifications.channels import CHANNELS, IN_APP, SendError
from notifications.choosing import address_of
from notifications.models import ChannelSwitch, Notification
from notifications.preferences import READERS
from notifications.services import calls, switches
from notifications.services.resending import send_test

# Calls are no channel of messages, but can be stopped.
LABELS = {ChannelSwitch.ALL: "All channels at once", calls.PHONE: "Calls to leads"}


class TestForm(forms.Form):
    address = forms.CharField(
        max_length=2000,
        widget=UnfoldAdminTextInputWidget,
        help_text="Where the test goes: an e-mail address, a number such as +4930123456, or the address of a service.",
    )

    def __init__(self, channel: str, data: Any = None, initial: str = "") -> None:
        super().__init__(data, initial={"address": initial})
        self.channel = channel

    def clean_address(self) -> str:
        """Browsers describe themselves, and channels of others know their addresses best."""
        reader = READERS.get(self.channel, str)
        return reader(self.cleaned_data["address"].strip())


def ensure_switches() -> None:
    """A row for each channel that there is, and for all at once."""
    known = set(ChannelSwitch.objects.values_list("channel", flat=True))
    missing = [key for key in (*LABELS, *CHANNELS) if key not in known]
    ChannelSwitch.objects.bulk_create([ChannelSwitch(channel=key) for key in missing], ignore_conflicts=True)


@admin.register(ChannelSwitch)
class ChannelSwitchAdmin(ModelAdmin):
    list_display = ("label", "how", "why", "sent_today", "failed_today", "last_error", "most")
    fields = ("stopped", "reason", "per_minute")
    actions_detail = ("try_it",)
    ordering = ("channel",)
    computed_fields = ("changed_by",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        ensure_switches()
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChannelSwitch]:
        rows: QuerySet[ChannelSwitch] = super().get_queryset(request)
        return with_figures(rows)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.changed_by = request.user
        super().save_model(request, obj, form, change)

    @admin.display(description="channel", ordering="channel")
    def label(self, switch: ChannelSwitch) -> str:
        return CHANNELS[switch.channel].label if switch.channel in CHANNELS else LABELS.get(switch.channel, "-")

    @display(description="state", label={"ready": "success", "stopped": "danger", "missing": "warning"})
    def how(self, switch: Any) -> tuple[str, str]:
        if switch.stopped or switch.all_stopped:
            return "stopped", "Stopped" if switch.stopped else "Stopped with all"
        return ("missing", "Cannot be used") if _missing(switch) else ("ready", "Ready")

    @admin.display(description="why")
    def why(self, switch: ChannelSwitch) -> str:
        return (switch.reason if switch.stopped else "") or _missing(switch) or "-"

    @admin.display(description="a minute, at most")
    def most(self, switch: ChannelSwitch) -> str:
        limit = switches.limit_of(switch.channel) if switch.channel in CHANNELS else None
        return "no limit" if limit is None else str(limit)

    @admin.display(description="sent today")
    def sent_today(self, switch: Any) -> int | str:
        return switch.sent if switch.channel in CHANNELS else "-"

    @admin.display(description="failed today")
    def failed_today(self, switch: Any) -> SafeString | int:
        if not switch.failed:
            return 0
        return list_link(Notification, str(switch.failed), channel=switch.channel, state__exact="failed")

    @admin.display(description="last error")
    def last_error(self, switch: Any) -> str:
        return switch.last_reason or "-"

    @action(description="Test this channel", permissions=("change",))
    def try_it(self, request: HttpRequest, object_id: str) -> HttpResponse:
        switch = get_object_or_404(ChannelSwitch, pk=object_id)
        back = HttpResponseRedirect(reverse("admin:notifications_channelswitch_change", args=[switch.pk]))
        if switch.channel not in CHANNELS or switch.channel == IN_APP:
            self.message_user(request, "There is nothing to test here: choose one of the other channels.")
            return back
        form = TestForm(switch.channel, request.POST or None, _own_address(request, switch.channel))
        if request.method != "POST" or not form.is_valid():
            return _ask(self, request, switch, form)
        self._send(request, switch, form.cleaned_data["address"])
        return back

    def _send(self, request: HttpRequest, switch: ChannelSwitch, address: str) -> None:
        try:
            send_test(switch.channel, address)
        except SendError as error:
            self.message_user(request, f"The test did not go out: {error.text}", messages.ERROR)
        else:
            self.message_user(request, f"The test went out to {address}.")


def _ask(model_admin: ChannelSwitchAdmin, request: HttpRequest, switch: ChannelSwitch, form: TestForm) -> HttpResponse:
    label = CHANNELS[switch.channel].label
    intro = "A short message goes out at once, to this address and nobody else."
    return ask(model_admin, request, title=f"Test {label}", intro=intro, button="Send a test", form=form)


def _own_address(request: HttpRequest, channel: str) -> str:
    return address_of(request.user, channel) if isinstance(request.user, User) else ""


def _missing(switch: ChannelSwitch) -> str:
    if switch.channel == calls.PHONE:
        return calls.missing()
    return CHANNELS[switch.channel].unavailable() if switch.channel in CHANNELS else ""


def with_figures(rows: QuerySet[ChannelSwitch]) -> QuerySet[ChannelSwitch]:
    """Per channel ``sent`` and ``failed`` today, the ``last_reason`` why something failed, and whether the stop of all
    holds it."""
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    mine = Notification.objects.filter(channel=OuterRef("channel")).order_by()
    today_mine = mine.filter(created_at__gte=today).values("channel")
    sent = today_mine.annotate(n=Count("pk", filter=Q(sent_at__gte=today))).values("n")
    failed = today_mine.annotate(n=Count("pk", filter=Q(state="failed"))).values("n")
    last = mine.filter(state="failed").order_by("-created_at").values("reason")[:1]
    everything = ChannelSwitch.objects.filter(channel=ChannelSwitch.ALL, stopped=True)
    all_stopped = Case(When(channel=IN_APP, then=False), default=Exists(everything))
    return rows.annotate(
        all_stopped=all_stopped,
        sent=Coalesce(Subquery(sent), 0),
        failed=Coalesce(Subquery(failed), 0),
        last_reason=Subquery(last),
    )
