"""A year of leads, one day after the other: they come in, the engine gives them out, and their owners work them."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.utils import timezone

from distribution import services
from distribution.demo.company import Company
from distribution.demo.wishes import Wishes
from distribution.demo.words import INVALID_REASONS, LOST_REASONS
from distribution.errors import DistributionError
from distribution.models import Assignment, Offer, PoolMember, Rep
from leadcrm.lib.bulk import update_each
from pipeline.models import Consent, Event, Lead, Stage
from pipeline.services.history import Past, store_history, write_past
from pipeline.services.leads import build_consents, build_lead

DAYS: Final = 365
# The last days lead by lead, each given out at its own moment; before that as one list a week, which is much quicker.
CLOSE_UP_DAYS: Final = 10
_LIST_MINUTES: Final = 15
_OPENING, _CLOSING = 7, 19  # hours in UTC between which most leads come in


@dataclass(frozen=True, slots=True)
class _Story:
    """What becomes of a lead that somebody holds, decided when they get it; ``ends``: when it is closed."""

    assignment: Assignment
    stages: list[Stage]
    accepted: datetime
    contacted: datetime
    ends: datetime
    won: bool


@dataclass(slots=True)
class History:
    """The state of the simulation; ``open`` are leads that somebody is working on."""

    rng: random.Random
    company: Company
    wishes: Wishes
    open: list[_Story] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)


def write_history(
    rng: random.Random, company: Company, wishes: Wishes, until: datetime, days: int = DAYS
) -> Counter[str]:
    """Live through the days before ``until``. Returns how many leads came in, were won, lost and so on.

    Must run inside one transaction: it is all there or not at all.
    """
    history = History(rng, company, wishes)
    for age in range(days, 0, -1):
        day = (until - timedelta(days=age)).replace(hour=0, minute=0, second=0, microsecond=0)
        arrivals = sorted(_arrivals(rng, day, alone=age <= CLOSE_UP_DAYS))
        if arrivals:
            _finish(history, [story for story in history.open if story.ends < day])
        for moments in arrivals:
            _arrive(history, moments)
    _leave_open(history, until)
    Event.objects.filter(fanned_out_at=None, at__lt=until).update(fanned_out_at=timezone.now())
    return history.done


def _arrivals(rng: random.Random, day: datetime, *, alone: bool) -> list[list[datetime]]:
    """The moments at which leads come in on a day, grouped by when they are given out."""
    if alone:
        count = rng.randint(4, 9) if day.weekday() < 5 else rng.randint(0, 2)
        return [[_at(rng, day)] for _ in range(count)]
    if day.weekday() != day.isocalendar().week % 5:
        return []
    end = _at(rng, day)
    seconds = sorted(rng.sample(range(_LIST_MINUTES * 60), rng.randint(30, 50)), reverse=True)
    return [[end - timedelta(seconds=earlier) for earlier in seconds]]


def _at(rng: random.Random, day: datetime) -> datetime:
    return day + timedelta(seconds=rng.randrange(_OPENING * 3600, _CLOSING * 3600))


def _arrive(history: History, moments: Sequence[datetime]) -> None:
    """Take leads in, give them out, and decide what their owners will make of them."""
    now = moments[-1] + timedelta(seconds=1)
    ids = _store(history, moments)
    if len(ids) == 1:
        services.assign_lead(ids[0], now=now)
    else:
        services.assign_leads(ids, trigger=Assignment.Trigger.CREATED, now=now)
    _take_offers(history, ids, now)
    _hand_around(history, ids, now)
    held = Assignment.objects.filter(lead__in=ids, ended_at=None).select_related("lead", "rep").order_by("lead")
    history.open += [_story(history, assignment) for assignment in held]
    history.done["came in"] += len(ids)


def _store(history: History, moments: Sequence[datetime]) -> list[int]:
    """Through the same intake as every other lead, at moments of the past."""
    leads, consents = [], []
    for moment in moments:
        wish = history.wishes.next()
        source = history.company.sources[wish.source]
        lead, given = build_lead(source, wish.fields, wish.consents, "", wish.attributes)
        lead.created_at, lead.stage = moment, history.company.first_stage(source)
        leads.append(lead)
        consents.append(given)
    store_history(leads)
    Consent.objects.bulk_create(
        row for lead, given in zip(leads, consents, strict=True) for row in build_consents(lead, given)
    )
    return [lead.pk for lead in leads]


def _take_offers(history: History, ids: Sequence[int], now: datetime) -> None:
    """Most of what is up for claim is taken within minutes by one of those it was offered to."""
    if not Lead.objects.filter(pk__in=ids, routing_state=Lead.RoutingState.CLAIMABLE).exists():
        return
    offers = list(Offer.objects.filter(lead__in=ids, ended_at=None).select_related("rep").order_by("pk"))
    history.rng.shuffle(offers)
    for offer in offers:
        rep = offer.rep or _somebody(history, offer)
        try:
            services.claim_lead(offer.lead_id, rep=rep, now=now + timedelta(minutes=history.rng.randint(1, 20)))
        except DistributionError:
            continue  # somebody was faster, or is full


def _somebody(history: History, offer: Offer) -> Rep:
    members = PoolMember.objects.filter(pool=offer.pool_id).select_related("rep").order_by("id")
    return history.rng.choice([member.rep for member in members])


def _hand_around(history: History, ids: Sequence[int], now: datetime) -> None:
    """Some turn out to be no leads at all, and some need somebody else."""
    rng, managers = history.rng, history.company.managers
    for pk in ids:
        chance = rng.random()
        try:
            if chance < 0.02:
                reason = rng.choice(INVALID_REASONS)
                services.return_lead(pk, actor=rng.choice(managers), reason=reason, now=now + timedelta(hours=2))
                history.done["returned as invalid"] += 1
            elif chance < 0.03:
                reason = "on a trade fair"
                services.reassign_lead(pk, actor=rng.choice(managers), reason=reason, now=now + timedelta(hours=1))
                history.done["reassigned"] += 1
        except DistributionError:
            continue  # nobody had it


def _story(history: History, assignment: Assignment) -> _Story:
    rng, started = history.rng, assignment.started_at
    stages = history.company.stages_of(assignment.lead.stage_id)
    accepted = assignment.accepted_at or started + timedelta(minutes=rng.expovariate(1 / 40))
    contacted = accepted + timedelta(minutes=rng.expovariate(1 / 90))
    ends = contacted + timedelta(days=min(rng.lognormvariate(2.6, 0.8), 120))
    return _Story(assignment, stages, accepted, contacted, ends, rng.random() < 0.34)


def _finish(history: History, stories: Sequence[_Story]) -> None:
    """Close leads as won or lost, at the moments their stories say, and free the places of those who held them."""
    if not stories:
        return
    write_past([_closed(history.rng, story) for story in stories])
    rows = [
        {"id": story.assignment.pk, "accepted_at": story.accepted, "ended_at": story.ends, "end": "closed"}
        for story in stories
    ]
    update_each(Assignment, rows, match=("id",))
    _free(Rep, Counter(story.assignment.rep_id for story in stories))
    _free(PoolMember, Counter(story.assignment.member_id for story in stories if story.assignment.member_id))
    history.done.update("won" if story.won else "lost" for story in stories)
    finished = {story.assignment.pk for story in stories}
    history.open = [story for story in history.open if story.assignment.pk not in finished]


def _closed(rng: random.Random, story: _Story) -> Past:
    kind = Stage.Kind.WON if story.won else Stage.Kind.LOST
    return Past(
        lead_id=story.assignment.lead_id,
        user_id=story.assignment.rep.user_id,
        stage=next(stage for stage in story.stages if stage.kind == kind),
        accepted_at=story.accepted,
        contacted_at=story.contacted,
        closed_at=story.ends,
        lost_reason="" if story.won else rng.choice(LOST_REASONS),
    )


def _leave_open(history: History, until: datetime) -> None:
    """What is not closed yet stands in the stage that it has come to."""
    _finish(history, [story for story in history.open if story.ends < until])
    stories = [story for story in history.open if story.accepted < until]
    write_past([_running(story, until) for story in stories])
    rows = [{"id": story.assignment.pk, "accepted_at": story.accepted} for story in stories]
    update_each(Assignment, rows, match=("id",))
    history.done["still open"] = len(history.open)


def _running(story: _Story, until: datetime) -> Past:
    stages = [stage for stage in story.stages if stage.kind == Stage.Kind.OPEN]
    contacted = story.contacted if story.contacted < until else None
    share = (until - story.contacted) / (story.ends - story.contacted) if contacted else 0
    stage = stages[min(1 + int(share * len(stages)), len(stages) - 1)] if contacted else stages[0]
    return Past(story.assignment.lead_id, story.assignment.rep.user_id, stage, story.accepted, contacted)


def _free(model: type[Rep] | type[PoolMember], counts: Counter[int]) -> None:
    rows = [{"id": pk, "open_leads": -count} for pk, count in sorted(counts.items())]
    update_each(model, rows, match=("id",), add=("open_leads",))
