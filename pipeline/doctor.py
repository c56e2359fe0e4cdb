"""Checks of leads that no constraint of the database can make."""

from collections.abc import Iterator

from django.db.models import Q

from leadcrm.lib.doctor import Violation, check
from pipeline.models import Lead, Stage


@check("closed-leads")
def closed_leads() -> Iterator[Violation]:
    """A lead is closed exactly when its stage is won or lost."""
    is_open = Q(stage__kind=Stage.Kind.OPEN)
    wrong = Lead.objects.filter(is_open & Q(closed_at__isnull=False) | ~is_open & Q(closed_at=None))
    for lead in wrong.select_related("stage").order_by("pk").iterator():
        state = "closed" if lead.closed_at else "open"
        sentence = f"Is {state}, but stands in the stage {lead.stage.name} ({lead.stage.get_kind_display().lower()})."
        yield Violation("closed-leads", f"lead {lead.uid}", sentence)


@check("lost-leads")
def lost_leads() -> Iterator[Violation]:
    """No open lead that nobody has is out of the sweep's sight."""
    unseen = Lead.objects.filter(
        routing_state__in=Lead.UNFINISHED, next_attempt_at=None, closed_at=None, archived_at=None
    )
    for lead in unseen.order_by("pk").iterator():
        yield Violation("lost-leads", f"lead {lead.uid}", "Waits for routing, but no sweep would try it.")
