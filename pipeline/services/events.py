"""The history of a lead, written in the transaction of what it tells."""

from typing import Any

from django.contrib.auth.models import User

from pipeline.models import Event, Lead


def record(lead: Lead, kind: Event.Kind, *, actor: User | None = None, **data: Any) -> Event:
    """Adds one line to the lead's history.

    Args:
        actor: who did it; None is the system.
        data: what the line needs to be understood later, as JSON values.
    """
    return Event.objects.create(lead=lead, kind=kind, actor=actor, data=data)
