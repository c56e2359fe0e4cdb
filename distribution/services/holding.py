"""Writes down that a lead waits: for whom, since when, and when it is tried again at the latest."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from distribution.engine import outcomes
from distribution.engine.decision import Decision as Choice
from distribution.engine.waiting import changes_at, needs
from distribution.models import Hold
from distribution.snapshots import Subject

# What nobody told of is found by trying again: after this long, and never sooner than that.
LONGEST: Final = timedelta(hours=4)
SHORTEST: Final = timedelta(minutes=1)
WAITING: Final = (outcomes.HELD, outcomes.NOBODY_AVAILABLE, outcomes.ALL_AT_CAPACITY)


def hold_leads(decided: Iterable[tuple[Subject, Choice, int]], now: datetime) -> None:
    """Let those of the leads wait for whom nobody is there; in the transaction of their decisions, given by id."""
    waiting = [(subject, choice, made) for subject, choice, made in decided if choice.outcome in WAITING]
    if not waiting:
        return
    holds = Hold.objects.bulk_create([_build(subject, choice, made, now) for subject, choice, made in waiting])
    choices = [choice for _, choice, _ in waiting]
    _wait_for_pools(zip(holds, map(_asked_pools, choices), strict=True))
    _wait_for_reps(zip(holds, map(_asked_reps, choices), strict=True))


def _wait_for_pools(pairs: Iterable[tuple[Hold, set[int]]]) -> None:
    rows = Hold.pools.through
    rows._default_manager.bulk_create(rows(hold_id=hold.pk, pool_id=pk) for hold, pks in pairs for pk in sorted(pks))


def _wait_for_reps(pairs: Iterable[tuple[Hold, set[int]]]) -> None:
    rows = Hold.reps.through
    rows._default_manager.bulk_create(rows(hold_id=hold.pk, rep_id=pk) for hold, pks in pairs for pk in sorted(pks))


def _asked_pools(choice: Choice) -> set[int]:
    return {attempt.pool.id for attempt in choice.attempts if attempt.pool and attempt.pool.id}


def _asked_reps(choice: Choice) -> set[int]:
    """Those who were asked alone: a single rep is tried as a pool without an id."""
    alone = [attempt.pool for attempt in choice.attempts if attempt.pool and not attempt.pool.id]
    return {member.rep.id for pool in alone for member in pool.members}


def _build(subject: Subject, choice: Choice, decision_id: int, now: datetime) -> Hold:
    pool_id = choice.pool.id if choice.pool else None
    waited = subject.wait is not None and subject.wait.pool_id == pool_id
    since = subject.wait.since if subject.wait and waited else now
    return Hold(
        lead_id=subject.lead.pk,
        pool_id=pool_id,
        decision_id=decision_id,
        code=choice.reason or choice.outcome,
        since=since,
        retry_at=retry_at(choice, since, now),
        needs=needs(choice),
    )


def retry_at(choice: Choice, since: datetime, now: datetime) -> datetime:
    """When something is known to change, within bounds."""
    return min(max(changes_at(choice, since, now) or now + LONGEST, now + SHORTEST), now + LONGEST)
