"""Writes where a lead stands in routing: who has it, or why nobody does. Called by distribution only, in the
transaction of the assignment or decision that it records."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, QuerySet

from leadcrm.lib.bulk import update_each
from pipeline.models import Lead


@dataclass(frozen=True, slots=True)
class Standing:
    """The routing columns of a lead. ``code`` and ``sentence`` explain the state to people and programs."""

    state: str
    code: str
    sentence: str
    owner_id: int | None = None
    team_id: int | None = None
    assigned_at: datetime | None = None
    accepted_at: datetime | None = None
    next_attempt_at: datetime | None = None


def open_leads() -> QuerySet[Lead]:
    """Leads that may still change hands."""
    return Lead.objects.filter(closed_at=None, archived_at=None)


@transaction.atomic
def try_again(now: datetime) -> int:
    """Have all leads that nobody was found for tried again at once: there are other rules or people. Returns how many.

    One that is being routed at this moment is not waited for; its own time to be tried again is near.
    """
    later = open_leads().filter(routing_state=Lead.RoutingState.UNASSIGNED, next_attempt_at__gt=now)
    free = later.order_by("pk").select_for_update(no_key=True, skip_locked=True)
    with transaction.atomic():  # whoever saves a person or a rule need not have opened one
        return Lead.objects.filter(pk__in=free.values("pk")).update(next_attempt_at=now)


def place(lead: Lead, standing: Standing, **also: Any) -> bool:
    """Write a standing if the lead is still open and as it was read; ``also`` sets further columns with it.

    Returns False, and changes nothing, when somebody changed the lead in between.
    """
    return bool(place_many([(lead, standing, also)]))


def set_respond_bys(moments: Mapping[int, datetime | None]) -> None:
    """Note until when somebody must do something for leads, by id; None: nothing is promised."""
    update_each(Lead, [{"id": pk, "respond_by": at} for pk, at in moments.items()], match=("id",))


def place_many(rows: Sequence[tuple[Lead, Standing, Mapping[str, Any]]]) -> set[int]:
    """:func:`place` for many leads in one statement, each with the same further columns. Returns who was placed."""
    return update_each(
        Lead,
        [_row(lead, standing, also) for lead, standing, also in rows],
        match=("id", "version"),
        keep=("team_id", "assigned_at"),
        also="version = t.version + 1, attempts = t.attempts + 1",
        where="t.closed_at IS NULL AND t.archived_at IS NULL",
    )


def overtake(undecided: Collection[int], leads: Collection[int]) -> bool:
    """Lock leads together with undecided ones of the same people, so that who decides about those at this moment must
    decide again. False when somebody has one of those by now: the caller must roll back."""
    locked = Lead.objects.filter(pk__in={*undecided, *leads}).order_by("pk").select_for_update(no_key=True)
    free = Lead.objects.filter(pk__in=undecided, owner=None).filter(pk__in=locked.values("pk"))
    return free.update(version=F("version") + 1) == len(undecided)


def _row(lead: Lead, standing: Standing, also: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": lead.pk,
        "version": lead.version,
        "routing_state": standing.state,
        "routing_code": standing.code,
        "routing_sentence": standing.sentence,
        "owner_id": standing.owner_id,
        "team_id": standing.team_id,
        "assigned_at": standing.assigned_at,
        "accepted_at": standing.accepted_at,
        "next_attempt_at": standing.next_attempt_at,
        **also,
    }


def mark_accepted(lead_id: int, owner_id: int, now: datetime) -> bool:
    """Note the first acceptance by the owner. False when the lead is not theirs, is closed or was accepted before."""
    lead = open_leads().filter(pk=lead_id, owner=owner_id, accepted_at=None)
    return lead.update(accepted_at=now, version=F("version") + 1) == 1
