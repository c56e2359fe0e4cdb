"""A manager hands all open leads of somebody over."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import User

from distribution.errors import DistributionError
from distribution.models import Rep
from distribution.services.handling import reassign_lead
from pipeline.models import Lead


@dataclass(frozen=True, slots=True)
class HandedOver:
    """``moved``: how many leads left. ``kept``: one sentence for each lead that did not, with the reason."""

    moved: int
    kept: list[str]


def hand_over(leads: Iterable[Lead], *, to: Rep | None, actor: User, reason: str) -> HandedOver:
    """Give each lead to somebody else: ``to``, or, lead by lead, whoever the rules choose. One that cannot leave does
    not keep back the others. Doing it again moves what is left."""
    moved, kept = 0, []
    for lead in leads:
        try:
            reassign_lead(lead.pk, to=to, actor=actor, reason=reason)
            moved += 1
        except DistributionError as error:
            kept.append(f"{lead}: {error}")
    return HandedOver(moved, kept)
