"""Blind pools: who a lead is stays hidden until somebody has it.

What came through a blind pool is hidden from when it is offered, or waits for the pool, until somebody has it: also
between two offers, so that nobody takes a look in the meantime. ``pipeline.selectors`` asks :func:`came_blind` for
every page; what is told of a lead beside its page (offers, messages, calls) asks :func:`hidden_from`.
"""

from collections.abc import Collection

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q

from distribution.models import Assignment, Hold, Offer
from leadcrm.lib.prepared import Param
from pipeline.models import Lead
from pipeline.selectors import theirs, visible_leads


def came_blind(lead: str = "pk") -> Q:
    """The condition for leads that a blind pool offered, or that wait for one; ``lead``: where a row says its lead."""
    offers, holds = (model.objects.filter(lead=OuterRef(lead), pool__blind=True) for model in (Offer, Hold))
    return Q(Exists(offers)) | Q(Exists(holds))


def hidden_from(user: User, lead_ids: Collection[int]) -> set[int]:
    """The ids of those of these leads of which a user must not be told who it is: they came through a blind pool, and
    the user neither may read them nor ever had them."""
    blind = Lead.objects.filter(came_blind(), pk__in=lead_ids)
    seen = visible_leads(user).filter(pk__in=lead_ids).values("pk")
    had = Assignment.objects.filter(lead__in=lead_ids, rep__user=user).values("lead")
    return set(blind.exclude(pk__in=seen).exclude(pk__in=had).values_list("pk", flat=True))


def hidden_while_offered(user: User | Param) -> Q:
    """:func:`hidden_from` as a condition for open offers, to who may not read all leads: nobody has these leads yet."""
    had = Assignment.objects.filter(lead=OuterRef("lead"), rep__user=user)
    return came_blind("lead") & ~theirs(user, "lead__") & ~Q(Exists(had))


def called(lead: Lead, *, hidden: bool) -> str:
    """What a lead is called: by its name or, where that is hidden, by what it wants and its country."""
    return ", ".join(filter(None, (lead.product, lead.country))) or "Lead" if hidden else str(lead)


def called_by(user: User, lead: Lead) -> str:
    """What one user may call a lead."""
    return called(lead, hidden=bool(hidden_from(user, [lead.pk])))
