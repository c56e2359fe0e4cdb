"""Where a lead begins that somebody enters on a board: under which source, and in which stage."""

from collections.abc import Iterable
from typing import Any, Final

from django.db.models import F, Q

from pipeline.errors import NotSetUp
from pipeline.models import LeadSource, Pipeline, Stage

_SLUG: Final = "by-hand"
_NAME: Final = "Entered by hand"


def first_open(pipeline: Pipeline, stages: Iterable[Stage]) -> Stage:
    """The stage of a board in which new leads start.

    Args:
        stages: those of the board, in order.

    Raises:
        NotSetUp: none of them is open.
    """
    found = next((stage for stage in stages if stage.kind == Stage.Kind.OPEN), None)
    if found is None:
        why = f"“{pipeline}” has no open stage, so a new lead has nowhere to start."
        raise NotSetUp(why, "Add an open stage to the pipeline.", pipeline)
    return found


def manual_source(pipeline: Pipeline, *, make: bool = True) -> LeadSource:
    """Where leads come from that people enter on a board: its own source of this kind, else one for all boards, which
    is made when there was never any. Without ``make`` it is only said what it would be.

    Raises:
        NotSetUp: what there is was switched off.
    """
    fitting = Q(Q(pipeline=pipeline) | Q(pipeline=None), kind=LeadSource.Kind.MANUAL)
    # All in one look: of two people who come first at once, one makes the source that the other finds.
    known = LeadSource.objects.annotate(fits=fitting).filter(Q(fits=True) | Q(slug=_SLUG) | Q(name__iexact=_NAME))
    there = list(known.order_by(F("pipeline").asc(nulls_last=True), "pk"))
    if found := next((source for source in there if source.fits and source.active), None):
        return found
    if there:
        why = f"No source for leads that are entered by hand is switched on for “{pipeline}”."
        raise NotSetUp(why, f"Switch “{there[0]}” on, or add an active source of the kind “{_NAME}”.", there[0])
    named: dict[str, Any] = {"name": _NAME, "kind": LeadSource.Kind.MANUAL}
    return LeadSource.objects.get_or_create(slug=_SLUG, defaults=named)[0] if make else LeadSource(slug=_SLUG, **named)
