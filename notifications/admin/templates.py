"""Message templates: written with a preview beside them, checked before they are saved, with all their versions."""

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms import Media
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.views.decorators.http import require_POST
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from leadcrm.lib.adminbase import AnyModelForm, HistoryAdmin, ModelAdmin
from leadcrm.lib.adminsteps import ask
from notifications.admin.deliveries import ChannelFilter, KindFilter
from notifications.channels import CHANNELS
from notifications.defaults import LANGUAGE_NAMES, Words, default_words
from notifications.fields import FIELDS
from notifications.kinds import KINDS
from notifications.models import MessageTemplate
from notifications.preview import check_words, preview, preview_values
from notifications.wording import FILTERS, TAGS
from pipeline.models import Lead
from pipeline.selectors import visible_leads

LATEST: Final = 30
FIRST: Final = {"kind": "assigned", "channel": "email", "language": "en"}


def kind_choices() -> list[tuple[str, str]]:
    return [(kind.key, f"{kind.label} (to {kind.to})") for kind in KINDS.values()]


def channel_choices() -> list[tuple[str, str]]:
    return [("", "Every channel without its own"), *((key, CHANNELS[key].label) for key in CHANNELS)]


class TemplateForm(AnyModelForm):
    kind = forms.ChoiceField(choices=kind_choices, widget=UnfoldAdminSelectWidget)
    channel = forms.ChoiceField(choices=channel_choices, required=False, widget=UnfoldAdminSelectWidget)
    language = forms.ChoiceField(choices=LANGUAGE_NAMES, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = MessageTemplate
        fields = ("kind", "channel", "language", "subject", "text", "html", "content_sid", "active")
        labels = {"html": "HTML"}
        widgets = {
            "text": UnfoldAdminTextareaWidget({"rows": 12}),
            "html": UnfoldAdminTextareaWidget({"rows": 12}),
        }

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        for part, sentence in check_words(_words(values)).items():
            self.add_error(part, sentence)
        if values.get("content_sid") and values.get("channel") != "whatsapp":
            self.add_error(
                "content_sid", "Only WhatsApp has approved templates. Choose that channel, or leave it empty."
            )
        return values


def _words(values: Any) -> Words:
    return Words(*(str(values.get(part) or "") for part in Words._fields))


@admin.register(MessageTemplate)
class MessageTemplateAdmin(HistoryAdmin):
    form = TemplateForm
    list_display = ("label", "channel_label", "language", "active")
    list_filter = (KindFilter, ChannelFilter, "language", "active")
    search_fields = ("kind", "subject", "text")
    search_help_text = "Search in kind, subject and text"
    fieldsets = (
        (None, {"fields": ("kind", "channel", "language", "subject", "text", "html")}),
        ("More", {"fields": ("content_sid", "active")}),
    )
    change_form_outer_after_template = "admin/notifications/messagetemplate/_preview.html"
    # The preview stands beside the form, so labels stand above what they name.
    compressed_fields = False
    actions_detail = ("take_default",)

    @property
    def media(self) -> Media:
        ours = Media(js=["notifications/preview.js"], css={"all": ["notifications/preview.css"]})
        merged: Media = super().media + ours
        return merged

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.preview_view))
        theirs: list[URLPattern] = super().get_urls()
        return [path("preview/", view, name="notifications_messagetemplate_preview"), *theirs]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A new template begins with the default text of what the address asks for."""
        wanted = {name: request.GET.get(name, value) for name, value in FIRST.items()}
        if wanted["kind"] not in KINDS or wanted["channel"] not in {"", *CHANNELS}:
            wanted = dict(FIRST)
        return {**wanted, **default_words(**wanted)._asdict()}

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        leads = visible_leads(request.user).order_by("-created_at", "-pk")[:LATEST]
        ours = {
            "preview_leads": leads,
            "preview_fields": FIELDS.items(),
            "preview_tags": TAGS,
            "preview_filters": FILTERS,
        }
        response: HttpResponse = super().changeform_view(
            request, object_id, form_url, {**ours, **(extra_context or {})}
        )
        return response

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """As a whole: what is put back from an earlier version has no field that was edited in the form."""
        super(ModelAdmin, self).save_model(request, obj, form, change)

    def revert_disabled(self, request: HttpRequest, obj: Any = None) -> bool:
        """An earlier version stands by itself, so it can be put back."""
        return False

    @admin.display(description="kind", ordering="kind")
    def label(self, template: MessageTemplate) -> str:
        return KINDS[template.kind].label if template.kind in KINDS else template.kind

    @admin.display(description="channel", ordering="channel")
    def channel_label(self, template: MessageTemplate) -> str:
        return dict(channel_choices()).get(template.channel, template.channel)

    @action(description="Back to the default text", permissions=("change",))
    def take_default(self, request: HttpRequest, object_id: str) -> HttpResponse:
        template = get_object_or_404(MessageTemplate, pk=object_id)
        if request.method != "POST":
            intro = (
                "Subject, text and HTML become those of the default set. What stands there now stays in the history."
            )
            return ask(self, request, title=f"Back to the default: {template}", intro=intro, button="Take the default")
        words = default_words(template.kind, template.channel, template.language)
        template.subject, template.text, template.html = words
        template.save(update_fields=["subject", "text", "html"])
        self.message_user(request, "This is the default text again. The one before is in the history.")
        return HttpResponseRedirect(reverse("admin:notifications_messagetemplate_change", args=[template.pk]))

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What the form would say, for a lead that the user may see; nothing is stored."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        sent = request.POST
        kind = sent.get("kind", "") if sent.get("kind", "") in KINDS else FIRST["kind"]
        channel, language = sent.get("channel", ""), sent.get("language", "") or FIRST["language"]
        lead = _lead(request)
        values = preview_values(lead, kind, language, request.user, timezone.now())  # type: ignore[arg-type]
        context: dict[str, Any] = {"errors": check_words(_words(sent))}
        if not context["errors"]:
            context["preview"] = preview(_words(sent), kind, channel, language, values, lead)
        return render(request, "admin/notifications/messagetemplate/_shown.html", context)


def _lead(request: HttpRequest) -> Lead | None:
    number = request.POST.get("preview_lead", "")
    known = number.isascii() and number.isdigit() and len(number) < 19
    return visible_leads(request.user).select_related("source", "owner").filter(pk=number).first() if known else None
