"""What the people of the demo company have to do: tasks of today and the days after, and replies that wait."""

from datetime import datetime, timedelta
from itertools import cycle, groupby
from typing import Final

from django.utils import timezone

from leadcrm.lib.demo import demo_part
from pipeline.models import Event, Lead
from pipeline.services.events import record
from pipeline.services.tasks import TaskTerms, add_task

_TASKS: Final = ("Call again", "Send the offer", "Ask for the floor plan", "Agree on a visit", "Send a reference")
_REPLIES: Final = (
    "Thank you, that looks good. Could you call me this afternoon?",
    "Which of the two would you take for a hall of 4,000 square metres?",
    "We have to talk to our works council first. May I come back to you next week?",
    "The price is above our budget. Is there a smaller one?",
)
_KINDS: Final = (Event.Kind.TASK_ADDED, Event.Kind.REPLIED)


@demo_part("work")
def build_work() -> None:
    """Each person's open leads in turn: one to call today, one that replied, one to go on with tomorrow."""
    now = timezone.now()
    leads = Lead.objects.filter(closed_at=None, archived_at=None, owner__isnull=False).order_by("owner", "-created_at")
    for _, mine in groupby(leads.select_related("owner"), key=lambda lead: lead.owner_id):
        for lead, act in zip(mine, cycle((_today, _reply, _tomorrow)), strict=False):
            act(lead, now)
    # Old news, of which nobody is told by message.
    Event.objects.filter(kind__in=_KINDS, fanned_out_at=None).update(fanned_out_at=now)


def _today(lead: Lead, now: datetime) -> None:
    _plan(lead, now, timedelta(hours=2))


def _tomorrow(lead: Lead, now: datetime) -> None:
    _plan(lead, now, timedelta(days=1))


def _plan(lead: Lead, now: datetime, ahead: timedelta) -> None:
    add_task(lead, TaskTerms(_TASKS[lead.pk % len(_TASKS)], now + ahead), actor=lead.owner, now=now)


def _reply(lead: Lead, now: datetime) -> None:
    record(lead, Event.Kind.REPLIED, channel="email", text=_REPLIES[lead.pk % len(_REPLIES)])
