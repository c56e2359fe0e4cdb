"""Test a lead: who would get it, and why, under the live rules or a draft. Nothing is written."""

from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.widgets import INPUT_CLASSES, TEXTAREA_CLASSES, UnfoldAdminSelectWidget

from distribution.digests import digest
from distribution.engine.decision import Decision
from distribution.engine.facts import LEAD_FIELDS
from distribution.engine.sentences import sentence
from distribution.engine.trace import render_trace
from distribution.explain import Explanation, explain, outcome_label
from distribution.models import RuleSet
from distribution.selectors import names_in
from distribution.snapshots import leads_to_route, preview_lead
from pipeline.admin.leadforms import QUESTION, LeadForm, question_fields
from pipeline.attributes import read_attributes
from pipeline.errors import PipelineError
from pipeline.intake import blank_of, in_base_currency, read_fields
from pipeline.models import AttributeDefinition, Lead, LeadSource
from pipeline.selectors import access_lead, visible_leads
from pipeline.services.leads import first_stage

MOST_FOUND: Final = 10
# A lead whose company or person is another than it was is matched to an account again.
MATCHED_BY: Final = {"company", "website", "email"}
LABELS: Final = {entry.key: entry.label for entry in LEAD_FIELDS if entry.key != "value"}
SECTIONS: Final = {
    "Test with": ("rule_set", "source", "at"),
    "What it wants": ("product", "industry", "employees", "value", "currency", "score", "priority", "tags", "message"),
    "Where it is": ("country", "region", "postal_code", "city", "language", "time_zone"),
    "Who it is": ("company", "job_title", "first_name", "last_name", "email", "phone", "website"),
    "Where it came from": ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"),
}


class TestLeadForm(LeadForm):
    """A lead to try: read and judged like any other, but nothing is required and nothing is stored."""

    rule_set = forms.ModelChoiceField(
        RuleSet.objects.order_by("-state", "-version", "-created_at"),
        widget=UnfoldAdminSelectWidget,
        label="Rules",
        error_messages={"required": "Choose the rules to test with."},
    )
    source = forms.ModelChoiceField(LeadSource.objects.all(), widget=UnfoldAdminSelectWidget)
    at = forms.DateTimeField(
        required=False,
        label="At (UTC)",
        widget=forms.DateTimeInput({"type": "datetime-local"}),
        help_text="For rules with days and hours. Empty: now.",
    )

    def __init__(self, *args: Any, lead: Lead | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "instance": lead})
        self.lead = lead
        self.fields.update(question_fields())
        answers = lead.attributes if lead else {}
        self.initial.update({QUESTION + key: _shown(value) for key, value in answers.items()})
        for name, field in self.fields.items():
            field.label = LABELS.get(name, field.label)
            field.required = field.required and field in (self.fields["rule_set"], self.fields["source"])
            _dress(field.widget)
        self.fields["message"].widget.attrs["rows"] = 3

    @property
    def sections(self) -> dict[str, list[forms.BoundField]]:
        sections = {title: [self[name] for name in names] for title, names in SECTIONS.items()}
        questions = [self[name] for name in self.fields if name.startswith(QUESTION)]
        return sections | ({"Your own questions": questions} if questions else {})

    def clean(self) -> dict[str, Any]:
        source = self.cleaned_data.get("source")
        if source is None:
            return self.cleaned_data
        self.values, errors = read_fields(self.sent(), source)
        self.answers, wrong = read_attributes(self._answers(), AttributeDefinition.objects.all())
        self.tell([*errors, *wrong])
        try:
            self.stage = first_stage(source)
        except PipelineError as error:
            self.add_error("source", str(error))
        return self.cleaned_data

    def _answers(self) -> dict[str, Any]:
        given = {name.removeprefix(QUESTION): v for name, v in self.cleaned_data.items() if name.startswith(QUESTION)}
        return {key: value for key, value in given.items() if value not in ("", None)}

    def build(self) -> Lead:
        """The lead to try, unsaved."""
        return self._new() if self.lead is None else self._overridden(self.lead)

    def _new(self) -> Lead:
        worth = in_base_currency(self.values)
        source = self.cleaned_data["source"]
        return Lead(source=source, stage=self.stage, attributes=self.answers, value_base=worth, **self.values)

    def _overridden(self, lead: Lead) -> Lead:
        """The picked lead with what was changed in the form; what was not stays as it is stored."""
        changed = {*self.changed_data} & {*self.sent()}
        inferred = {name for name in ("country", "currency", "region") if not getattr(lead, name)} if changed else set()
        for name in changed | inferred:
            setattr(lead, name, self.values.get(name, blank_of(name)))
        if changed & {"value", "currency"}:
            lead.value_base = in_base_currency({"value": lead.value, "currency": lead.currency})
        if changed & MATCHED_BY:
            lead.account = None
        if any(name.startswith(QUESTION) for name in self.changed_data):
            lead.attributes = self.answers
        if "source" in self.changed_data:
            lead.source, lead.stage = self.cleaned_data["source"], self.stage
        return lead


@dataclass(frozen=True, slots=True)
class Result:
    """What would happen, ready to show."""

    outcome: str
    label: str
    sentence: str
    digest: str
    explanation: Explanation


def result_of(decision: Decision) -> Result:
    trace = render_trace(decision)
    return Result(
        outcome=decision.outcome,
        label=outcome_label(decision.outcome),
        sentence=sentence(decision),
        digest=digest(trace),
        explanation=explain(trace, names_in(trace)),
    )


def test_lead_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The page: a form, and after POST the decision that routing would make now."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    lead = _picked(request)
    form = TestLeadForm(request.POST if request.method == "POST" else None, lead=lead, initial=_initial(request, lead))
    result = None
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data
        result = result_of(preview_lead(form.build(), rule_set=chosen["rule_set"], now=chosen["at"]))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Test a lead",
        "form": form,
        "lead": lead,
        "result": result,
        "find": request.GET.get("find", ""),
        "found": _found(request),
        "media": form.media + Media(css={"all": _STYLES}),
    }
    return TemplateResponse(request, "admin/distribution/testlead.html", context)


_STYLES: Final = ["leadcrm/tokens.css", "leadcrm/decision.css", "distribution/rules.css"]


def _picked(request: HttpRequest) -> Lead | None:
    """The lead of the address, with all that its facts are made of; 404 when this user may not see it."""
    uid = request.GET.get("lead", "")
    return leads_to_route().get(pk=access_lead(request.user, uid).pk) if uid else None


def _initial(request: HttpRequest, lead: Lead | None) -> dict[str, Any]:
    wanted = request.GET.get("rule_set", "")
    rule_sets = RuleSet.objects.order_by("-state", "-version", "-created_at")
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        rule_sets = rule_sets.filter(pk=wanted)
    return {"rule_set": rule_sets.first(), "source": lead.source if lead else LeadSource.objects.first()}


def _found(request: HttpRequest) -> list[Lead]:
    """Leads to start from, by what was typed."""
    words = request.GET.get("find", "").replace("\0", "").strip()[:100]
    if not words:
        return []
    names = ("first_name", "last_name", "company", "email")
    matching = Q(*((f"{name}__icontains", words) for name in names), _connector=Q.OR)
    return list(visible_leads(request.user).filter(matching).order_by("-id")[:MOST_FOUND])


def _shown(answer: Any) -> Any:
    return ("yes" if answer else "no") if isinstance(answer, bool) else answer


def _dress(widget: Any) -> None:
    """Give a plain input the looks of the theme."""
    if "class" not in widget.attrs or widget.attrs["class"] in ("vTextField", "vLargeTextField"):
        classes = TEXTAREA_CLASSES if isinstance(widget, forms.Textarea) else INPUT_CLASSES
        widget.attrs["class"] = " ".join(classes)
