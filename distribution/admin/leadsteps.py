"""What an admin can do with leads: one entry per action, for a selection in the list and for a lead's own page."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from unfold.widgets import UnfoldAdminSelect2Widget, UnfoldAdminTextInputWidget

from distribution import services
from distribution.engine.outcomes import OUTCOMES
from distribution.errors import DistributionError
from distribution.models import Assignment, Decision, Rep
from pipeline.errors import PipelineError
from pipeline.models import Lead
from pipeline.services.archive import archive_lead, restore_lead

UNCHANGED: Final = "unchanged"


class PlainForm(forms.Form):
    """Asks nothing but to confirm."""


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=200, widget=UnfoldAdminTextInputWidget, help_text="Kept in the lead's history, for whoever asks."
    )


class ReassignForm(ReasonForm):
    to = forms.ModelChoiceField(
        Rep.objects.filter(active=True),
        empty_label="Select value",
        label="New owner",
        widget=UnfoldAdminSelect2Widget,
        help_text="Gets the leads whatever their capacity.",
    )
    field_order = ("to", "reason")


# Does it to one lead and says in a word what became of it; raises when it cannot be done.
Work = Callable[[Lead, User, Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Step:
    label: str
    intro: str
    form: type[forms.Form]
    work: Work


def _route_now(lead: Lead, actor: User, answers: Mapping[str, Any]) -> str:
    return _outcome(services.assign_lead(lead.pk, trigger=Assignment.Trigger.MANUAL, actor=actor))


def _reassign(lead: Lead, actor: User, answers: Mapping[str, Any]) -> str:
    return _outcome(services.reassign_lead(lead.pk, actor=actor, reason=answers["reason"]))


def _reassign_to(lead: Lead, actor: User, answers: Mapping[str, Any]) -> str:
    services.reassign_lead(lead.pk, to=answers["to"], actor=actor, reason=answers["reason"])
    return f"given to {answers['to']}"


def _return_invalid(lead: Lead, actor: User, answers: Mapping[str, Any]) -> str:
    # Without an owner there is no turn to give back.
    finish = services.return_lead if lead.owner_id else services.exclude_lead
    finish(lead.pk, actor=actor, reason=answers["reason"])
    return "kept out of routing"


def _archive(lead: Lead, actor: User, answers: Mapping[str, Any]) -> str:
    if lead.closed_at is None and lead.owner_id is None and lead.routing_state != Lead.RoutingState.EXCLUDED:
        services.exclude_lead(lead.pk, actor=actor, reason="archived")
    return "archived" if archive_lead(lead, actor=actor) else UNCHANGED


def _restore(lead: Lead, actor: User, answers: Mapping[str, Any]) -> str:
    return "brought back" if restore_lead(lead, actor=actor) else UNCHANGED


def _outcome(decision: Decision | None) -> str:
    return OUTCOMES[decision.outcome].label.lower() if decision else UNCHANGED


STEPS: Final[Mapping[str, Step]] = {
    "route_now": Step(
        "Route now",
        "The rules decide at once who gets the lead. One that has an owner, is closed or kept out stays as it is.",
        *(PlainForm, _route_now),
    ),
    "reassign": Step(
        "Reassign by the rules",
        "The rules choose somebody else; whoever had the lead before does not get it again.",
        *(ReasonForm, _reassign),
    ),
    "reassign_to": Step("Reassign to a person", "One person gets all of these leads.", *(ReassignForm, _reassign_to)),
    "return_invalid": Step(
        "Return as invalid",
        "This was no lead at all: it leaves routing, and a turn that it cost is given back.",
        *(ReasonForm, _return_invalid),
    ),
    "archive": Step(
        "Archive",
        "The lead leaves lists and boards, and routing if nobody has it. Nothing is deleted.",
        *(PlainForm, _archive),
    ),
    "restore": Step("Bring back from the archive", "The lead is again where it was.", *(PlainForm, _restore)),
}


def carry_out(
    step: Step, leads: Iterable[Lead], actor: User, answers: Mapping[str, Any]
) -> tuple[Counter[str], list[str]]:
    """Does a step to each lead, each in its own transaction.

    Returns:
        What became of them, counted by word; and a sentence for each that was refused.
    """
    done: Counter[str] = Counter()
    refused = []
    for lead in leads:
        try:
            done[step.work(lead, actor, answers)] += 1
        except (DistributionError, PipelineError) as error:
            refused.append(f"{lead}: {error}")
    return done, refused
