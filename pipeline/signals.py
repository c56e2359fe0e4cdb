"""What this app tells the apps above it. They listen in their ``receivers.py``.

In the transaction (``send``; a failure rolls the change back):

``lead_closed(lead, actor, at)`` the lead was moved to a won or lost stage; who held it is free again
``closing_undone(lead, closed_at)``  that was a mistake: what ended with it at this moment goes on as if it had not been
``lead_reopened(lead, actor)``   the lead is open again; its owner, if any, holds it again
``lead_archived(lead, actor)``   the lead was put out of sight
``lead_merged(lead, into, actor)`` the lead went into another one, which goes on in its place; the lead is locked
``lead_contacted(lead, actor, at)``  somebody really reached out to the lead; sent for each time, the lead is locked
``lead_touched(lead, actor, at)``    somebody moved or edited the lead, or wrote a note; who would have to take back
                                 what follows from it answers with what that needs, as JSON
``touch_undone(lead, touch)``    that was a mistake; with each answer that there was
``lead_snoozed(lead, actor, at)``    the lead rests; ``lead_woken(lead, actor, at)``: it no longer does

After the commit (``send_robust``; a wake-up, nothing is lost when nobody hears it, because a sweep finds the rest):

``leads_created(lead_ids)``      many leads were stored at once, without ``post_save``
``lead_waiting(lead_id)``        somebody waits for what becomes of this lead
``events_stored()``              many events were stored at once, without ``post_save``

Asked while a page is made (``send``); whoever knows answers:

``takeable_asked(user, lead_ids)``   the ids of those of these leads that this user may take now
``offers_asked(user)``              the uids of all leads that this user may take now
``territory_asked(territory_id)``    the condition (``Q``) for leads that lie in a territory
``territories_asked(people)``        the territories of these people, or all (None), as pairs of id and name
``stops_asked(lead)``                the channels over which nothing may be sent to a lead, each with why, as pairs
``blind_asked()``                    the condition (``Q``) for leads that are hidden as long as nobody has them
``hiders_asked()``                   what hides leads, as rows: without any, no lead is hidden
"""

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q
from django.dispatch import Signal

lead_closed = Signal()
lead_reopened = Signal()
closing_undone = Signal()
lead_archived = Signal()
lead_merged = Signal()
lead_contacted = Signal()
lead_touched = Signal()
touch_undone = Signal()
lead_snoozed = Signal()
lead_woken = Signal()
leads_created = Signal()
lead_waiting = Signal()
events_stored = Signal()
takeable_asked = Signal()
offers_asked = Signal()
territory_asked = Signal()
territories_asked = Signal()
blind_asked = Signal()
hiders_asked = Signal()
stops_asked = Signal()


def condition_from(asked: Signal, **about: Any) -> Q:
    """The condition that those who answer a signal give together; nothing fulfils it when nobody answers."""
    answers: list[tuple[Any, Any]] = asked.send(None, **about)
    return reduce(or_, (condition for _, condition in answers), Q(pk__in=()))
