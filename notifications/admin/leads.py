"""What leads are written, what they wrote and forbade, and the calls with them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.paginator import InfinitePaginator
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminTimeWidget,
)

from leadcrm.lib.adminbase import (
    AnyModelForm,
    HistoryAdmin,
    ModelAdmin,
    ReadOnlyAdmin,
    TabularInline,
    admin_link,
    counted,
)
from leadcrm.lib.adminforms import ListField, country_field
from leadcrm.lib.places import countries
from leadcrm.lib.text import Unreadable, clean_lines
from notifications.footer import UNADDRESSED, without_address
from notifications.guard import SEQUENCE_KINDS, normal_address
from notifications.kinds import KINDS
from notifications.models import Call, GuardPolicy, InboundMessage, Sequence, SequenceRun, SequenceStep, Stop
from notifications.services import optouts
from pipeline.models import Consent
from pipeline.normalise import parse_email, parse_phone

# A message to a lead goes over one of these; calls are made by people.
CHANNELS = [choice for choice in Consent.Channel.choices if choice[0] != Consent.Channel.PHONE]


# What is entered by hand; the others come by themselves.
STOP_REASONS = [
    (Stop.Reason.ASKED, "Its owner wants no messages"),
    (Stop.Reason.BOUNCED, "It does not work: messages come back"),
]


class StopForm(AnyModelForm):
    channel = forms.ChoiceField(choices=CHANNELS, widget=UnfoldAdminSelectWidget)
    address = forms.CharField(
        max_length=254,
        widget=UnfoldAdminTextInputWidget,
        help_text="A number such as +4930123456, or an e-mail address.",
    )

    reason = forms.ChoiceField(
        choices=STOP_REASONS,
        widget=UnfoldAdminSelectWidget,
        help_text="One of your own people whose address works again lifts the second by a code, under My messages.",
    )

    class Meta:
        model = Stop
        fields = ("channel", "address", "reason")

    def clean(self) -> dict[str, Any]:
        channel, address = self.cleaned_data.get("channel"), self.cleaned_data.get("address", "")
        if channel and address:
            try:
                read = parse_email(address).address if channel == "email" else parse_phone(address).e164
                self.cleaned_data["address"] = normal_address(channel, read)
                if Stop.objects.filter(channel=channel, address=self.cleaned_data["address"], lifted_at=None).exists():
                    self.add_error("address", "This address is on the list already.")
            except Unreadable as fault:
                self.add_error("address", str(fault))
        return self.cleaned_data


@admin.register(Stop)
class StopAdmin(ModelAdmin):
    """Rows come by the word STOP, by a link, or by hand; they are lifted, never deleted."""

    form = StopForm
    list_display = ("at", "channel", "address", "reason", "origin", "lifted_at", "lifted_by")
    list_filter = ("channel", "reason", ("at", RangeDateTimeFilter))
    search_fields = ("address",)
    search_help_text = "Search by number or e-mail address"
    ordering = ("-at", "-id")
    actions = ("lift",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Through the service, so that what is queued is taken back too."""
        origin = f"entered by {request.user.get_username()}"
        optouts.stop(obj.channel, obj.address, reason=Stop.Reason(obj.reason), origin=origin, now=timezone.now())
        kept = Stop.objects.get(channel=obj.channel, address=obj.address, lifted_at=None)
        obj.pk, obj.origin = kept.pk, kept.origin

    @admin.action(description="Lift: write to them again", permissions=("add",))
    def lift(self, request: HttpRequest, queryset: QuerySet[Stop]) -> None:
        origin = f"lifted by {request.user.get_username()}"
        done = sum(
            optouts.start(stop.channel, stop.address, origin=origin, now=timezone.now())
            for stop in queryset.filter(lifted_at=None)
        )
        self.message_user(request, counted(done, Stop, "lifted"))


class OfLeadAdmin(ReadOnlyAdmin):
    paginator = InfinitePaginator
    list_select_related: tuple[str, ...] = ("lead",)

    @admin.display(description="lead")
    def of_lead(self, row: InboundMessage | Call | SequenceRun) -> SafeString | str:
        return admin_link(row.lead)


@admin.register(InboundMessage)
class InboundMessageAdmin(OfLeadAdmin):
    list_display = ("at", "channel", "sender", "of_lead", "result")
    list_filter = ("channel", ("at", RangeDateTimeFilter))
    search_fields = ("sender", "provider_id")
    search_help_text = "Search by number or id at the provider"
    fields = ("at", "channel", "sender", "receiver", "text", "media", "of_lead", "result", "provider_id")


@admin.register(Call)
class CallAdmin(OfLeadAdmin):
    list_display = ("started_at", "direction", "of_lead", "rep", "status", "seconds", "recording")
    list_select_related = ("lead", "rep")
    list_filter = (
        ("direction", ChoicesDropdownFilter),
        ("rep", AutocompleteSelectFilter),
        ("started_at", RangeDateTimeFilter),
    )
    search_fields = ("lead__phone", "provider_id")
    search_help_text = "Search by the lead's number or the id at the provider"
    fields = (
        *("of_lead", "direction", "rep", "status", "seconds", "recording"),
        *("started_at", "ended_at", "provider_id"),
    )

    @admin.display(description="recording")
    def recording(self, call: Call) -> SafeString | str:
        if not call.recording_url:
            return "-"
        return format_html('<a href="{}" class="text-link" rel="noopener noreferrer">Listen</a>', call.recording_url)


@admin.register(SequenceRun)
class SequenceRunAdmin(OfLeadAdmin):
    list_display = ("started_at", "sequence", "of_lead", "next_step", "next_at", "ended_at", "end")
    list_select_related = ("lead", "sequence")
    list_filter = (("started_at", RangeDateTimeFilter),)
    ordering = ("-started_at", "-id")
    fields = ("sequence", "of_lead", "started_at", "next_step", "next_at", "ended_at", "end")


def warn_of_missing_address(model_admin: ModelAdmin, request: HttpRequest) -> None:
    """Said to whoever changes what leads are written, as long as it is so."""
    if without_address():
        model_admin.message_user(request, UNADDRESSED, messages.WARNING)


class StepForm(AnyModelForm):
    kind = forms.ChoiceField(
        choices=[(key, KINDS[key].label) for key in SEQUENCE_KINDS], label="message", widget=UnfoldAdminSelectWidget
    )


class StepInline(TabularInline):
    model = SequenceStep
    form = StepForm
    fields = ("position", "after_hours", "kind")
    verbose_name = "message"
    verbose_name_plural = "messages, one after the other"


@admin.register(Sequence)
class SequenceAdmin(HistoryAdmin):
    inlines = (StepInline,)
    list_display = ("name", "start", "source", "step_count", "active")
    list_select_related = ("source",)
    list_filter = (("start", ChoicesDropdownFilter), "active")
    search_fields = ("name",)
    search_help_text = "Search by name"
    autocomplete_fields = ("source",)
    fields = ("name", "start", "source", "max_age_days", "active")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sequence]:
        rows: QuerySet[Sequence] = super().get_queryset(request)
        return rows.annotate(steps_of=Count("steps"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Leads got its messages: it is switched off instead."""
        return bool(obj and not obj.runs.exists() and super().has_delete_permission(request, obj))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        warn_of_missing_address(self, request)

    @admin.display(description="messages")
    def step_count(self, sequence: Any) -> int:
        return int(sequence.steps_of)


class PolicyForm(AnyModelForm):
    country = country_field("Empty: for every country without a policy of its own.")
    channels = ListField(
        required=True,
        help_text="In order, such as whatsapp, sms, email: the first that a lead agreed to and can be reached by gets "
        "the first response.",
    )
    assumed_countries = ListField(help_text=GuardPolicy._meta.get_field("assumed_countries").help_text)

    class Meta:
        model = GuardPolicy
        widgets = {
            **{name: UnfoldAdminTimeWidget(format="%H:%M") for name in ("opens", "closes")},
            "postal_address": UnfoldAdminTextareaWidget({"rows": 4}),
        }
        fields = (
            *("country", "opens", "closes", "per_lead", "per_address", "per_channel"),
            *("channels", "assumed_countries", "postal_address"),
        )

    def clean_channels(self) -> list[str]:
        wanted: list[str] = [word.lower() for word in self.cleaned_data["channels"]]
        unknown = [word for word in wanted if word not in dict(CHANNELS)]
        if unknown:
            known = ", ".join(dict(CHANNELS))
            raise ValidationError(f"{', '.join(unknown)}: no channel. Use {known}.", code="invalid")
        return wanted

    def clean_postal_address(self) -> str:
        return clean_lines(self.cleaned_data["postal_address"])

    def clean_assumed_countries(self) -> list[str]:
        codes: list[str] = [code.upper() for code in self.cleaned_data["assumed_countries"]]
        unknown = [code for code in codes if code not in countries()]
        if unknown:
            raise ValidationError(f"{', '.join(unknown)}: no country. Use ISO 3166 codes such as DE.", code="invalid")
        return codes


@admin.register(GuardPolicy)
class GuardPolicyAdmin(HistoryAdmin):
    form = PolicyForm
    list_display = ("where", "opens", "closes", "per_lead", "per_address", "per_channel", "order")
    fieldsets = (
        (None, {"fields": ("country",)}),
        ("When, where the lead is", {"fields": ("opens", "closes", "assumed_countries")}),
        ("How often, in 24 hours", {"fields": ("per_lead", "per_address", "per_channel")}),
        ("How", {"fields": ("channels", "postal_address")}),
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        warn_of_missing_address(self, request)

    @admin.display(description="country", ordering="country")
    def where(self, policy: GuardPolicy) -> str:
        return str(policy)

    @admin.display(description="order of channels")
    def order(self, policy: GuardPolicy) -> str:
        return ", ".join(policy.channels)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The one for everywhere stays."""
        return bool((obj is None or obj.country) and super().has_delete_permission(request, obj))


__all__ = ["CallAdmin", "GuardPolicyAdmin", "InboundMessageAdmin", "SequenceAdmin", "SequenceRunAdmin", "StopAdmin"]
