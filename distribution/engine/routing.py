"""The routing loop: from the facts of a lead and a snapshot of the world to a decision. Live routing, tests of a
lead, explanations and replays all call :func:`route`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Final

from distribution.engine import outcomes, targets
from distribution.engine.decision import Attempt, Decision
from distribution.engine.eligibility import ABSENT, FULL, Demand, Screening, screen
from distribution.engine.facts import LeadFacts
from distribution.engine.methods import ASSIGN, METHODS, OFFER, Ranking
from distribution.engine.people import Member, Pool, Rep
from distribution.engine.rules import MATCHED, Look, Rule, examine
from distribution.engine.snapshot import Snapshot
from distribution.engine.territories import Located

Examine = Callable[[Rule, LeadFacts, Callable[[], frozenset[int]], datetime], Look]

_ENDINGS: Final = {ASSIGN: outcomes.ASSIGNED, OFFER: outcomes.OFFERED}
_WHOLE: Final = {outcomes.EMPTY_POOL: outcomes.NOBODY_ELIGIBLE}
_HEALING: Final = (outcomes.NOBODY_AVAILABLE, outcomes.ALL_AT_CAPACITY)
# When several targets failed for different reasons, the one that time would heal is told.
# So many people may stand in for one another.
MOST_COVERS: Final = 3
_STRONGEST: Final = (*_HEALING, outcomes.NOBODY_ELIGIBLE, outcomes.NO_TARGET)


@dataclass(slots=True)
class _Trail:
    """What the loop has seen so far."""

    facts: LeadFacts
    snapshot: Snapshot
    looks: list[Look] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    # The first of the rules, if they were looked at before.
    seen: Sequence[Look] = ()
    examine: Examine = examine
    _located: Located | None = None

    @property
    def located(self) -> Located:
        """Looked up once."""
        if self._located is None:
            self._located = self.snapshot.territories.locate(self.facts)
        return self._located

    def territories(self) -> frozenset[int]:
        return self.located.all

    def decide(self, outcome: str, *, reason: str = "", winner: Member | None = None) -> Decision:
        return Decision(
            outcome=outcome,
            rule_set=self.snapshot.rule_set,
            facts=self.facts,
            located=self.located,
            looks=tuple(self.looks),
            attempts=tuple(self.attempts),
            reason=reason,
            winner=winner,
        )


def route(facts: LeadFacts, snapshot: Snapshot, seen: Sequence[Look] = ()) -> Decision:
    """Decide who gets a lead.

    An open lead of the same person keeps its owner. Otherwise the first rule that matches and can deliver wins, and
    the catch-all takes what no rule could place.

    Args:
        seen: what :func:`look_ahead` found for the same facts, rules and moment; spares doing it again.

    Raises:
        Missing: the snapshot lacks a pool or a rep that the decision needs.
    """
    trail = _Trail(facts, snapshot, seen=seen)
    return _keep(trail) or _by_rules(trail) or _by_catch_all(trail)


def look_ahead(facts: LeadFacts, snapshot: Snapshot, examine: Examine = examine) -> list[Look]:
    """The rules up to the first that matches, held against a lead. No pool or rep is needed for it."""
    trail = _Trail(facts, snapshot, examine=examine)
    for _ in _matching(trail):
        break
    return trail.looks


def _keep(trail: _Trail) -> Decision | None:
    """Stay with whoever has an open lead of the same person, even when full: two people must not call one."""
    barred = trail.snapshot.had | trail.snapshot.excluded
    for keeper in map(trail.snapshot.owner, trail.snapshot.keepers):
        if keeper is not None and keeper.active and keeper.id not in barred:
            return trail.decide(outcomes.KEPT, winner=Member(0, keeper))
    return None


def _by_rules(trail: _Trail) -> Decision | None:
    for rule in _matching(trail):
        decision = _follow(rule, trail)
        if decision is not None:
            return decision
    return None


def _matching(trail: _Trail) -> Iterator[Rule]:
    """The rules that match, in order, while all that are looked at are noted."""
    rules, now, territories = trail.snapshot.rule_set.rules, trail.snapshot.now, trail.territories
    unseen = (trail.examine(rule, trail.facts, territories, now) for rule in rules[len(trail.seen) :])
    for look in chain(trail.seen, unseen):
        trail.looks.append(look)
        if look.result == MATCHED:
            yield look.rule


def _follow(rule: Rule, trail: _Trail) -> Decision | None:
    """Try a matching rule's target, then do what the rule says when nobody there can take the lead."""
    demand = _demand(rule, trail)
    attempt = _try_target(rule, demand, trail)
    trail.attempts.append(attempt)
    if attempt.result in outcomes.DELIVERED:
        return _deliver(attempt, trail)
    if rule.unavailable == targets.HOLD and (attempt.result in _HEALING or _will_relax(attempt)):
        return trail.decide(outcomes.HELD, reason=attempt.result)
    if rule.unavailable == targets.FALLBACK and rule.fallback_pool_id is not None:
        return _deliver(_try_pool(rule, "fallback", rule.fallback_pool_id, demand, trail), trail)
    return None


def _will_relax(attempt: Attempt) -> bool:
    """Whether the pool, for a lead that has waited longer, drops what somebody lacks."""
    if attempt.pool is None:
        return False
    later = {step.demand for step in attempt.pool.relax[len(attempt.screening.dropped) :]}
    return any(reason.code in later for _, reason in attempt.screening.refused)


def _by_catch_all(trail: _Trail) -> Decision:
    reason = _strongest(trail)
    rule_set = trail.snapshot.rule_set
    if rule_set.catch_all_pool_id is not None:
        demand = Demand(had=trail.snapshot.had, excluded=trail.snapshot.excluded)
        attempt = _try_pool(None, "catch_all", rule_set.catch_all_pool_id, demand, trail)
        return _deliver(attempt, trail, reason) or trail.decide(_strongest(trail), reason=reason)
    if rule_set.catch_all_team_id is not None:
        team = Attempt(None, "catch_all", targets.TEAM_QUEUE, outcomes.QUEUED, team_id=rule_set.catch_all_team_id)
        trail.attempts.append(team)
        return trail.decide(outcomes.QUEUED, reason=reason)
    return trail.decide(reason, reason=reason)


def _final(attempt: Attempt) -> str:
    """An attempt's result as the outcome of the whole decision."""
    return _WHOLE.get(attempt.result, attempt.result)


def _strongest(trail: _Trail) -> str:
    """Why no rule placed the lead."""
    results = {_final(attempt) for attempt in trail.attempts}
    return next((code for code in _STRONGEST if code in results), outcomes.NO_RULE)


def _deliver(attempt: Attempt, trail: _Trail, reason: str = "") -> Decision | None:
    """The decision that an attempt leads to; the attempt is noted either way."""
    if not trail.attempts or trail.attempts[-1] is not attempt:
        trail.attempts.append(attempt)
    if attempt.result not in outcomes.DELIVERED:
        return None
    winner = attempt.ranking.order[0] if attempt.ranking and attempt.result == outcomes.ASSIGNED else None
    return trail.decide(attempt.result, reason=reason, winner=winner)


def _demand(rule: Rule, trail: _Trail) -> Demand:
    field_skill = trail.facts.text(rule.skill_field) if rule.skill_field else ""
    best = trail.located.best if rule.match_territory else None
    return Demand(
        skills=rule.skills | {field_skill} if field_skill else rule.skills,
        language=str(trail.facts.values.get("language") or "") if rule.match_language else "",
        territory_id=best.id if best else None,
        needs_territory=rule.match_territory,
        had=trail.snapshot.had,
        excluded=trail.snapshot.excluded,
    )


def _try_target(rule: Rule, demand: Demand, trail: _Trail) -> Attempt:
    if rule.target == targets.TEAM_QUEUE:
        return Attempt(rule, "target", rule.target, outcomes.QUEUED, team_id=rule.team_id)
    resolved = _resolve(rule, trail)
    if isinstance(resolved, Rep):
        return _try_person(rule, resolved, demand, trail)
    if isinstance(resolved, int):
        return _try_pool(rule, "target", resolved, demand, trail)
    return Attempt(rule, "target", rule.target, outcomes.NO_TARGET, note=resolved)


def _resolve(rule: Rule, trail: _Trail) -> Rep | int | str:
    """A rule's target as a rep or the id of a pool, or why there is none."""
    snapshot = trail.snapshot
    if rule.target == targets.ACCOUNT_OWNER:
        return snapshot.owner(snapshot.account_owner) or "the lead has no account with an owner"
    if rule.target == targets.PREVIOUS_OWNER:
        return snapshot.owner(snapshot.previous_owner) or "nobody had a lead of this person before"
    if rule.target in (targets.TERRITORY_OWNER, targets.TERRITORY_POOL):
        return _resolve_territory(rule, trail)
    if rule.rep_id is not None and rule.target == targets.REP:
        return snapshot.rep(rule.rep_id)
    return rule.pool_id or "the rule names no one"


def _resolve_territory(rule: Rule, trail: _Trail) -> Rep | int | str:
    best = trail.located.best
    if best is None:
        return "the lead is in no territory"
    if rule.target == targets.TERRITORY_POOL:
        return best.pool_id or f"territory “{best.name}” has no pool"
    if best.owner_id is None:
        return f"territory “{best.name}” has no owner"
    return trail.snapshot.rep(best.owner_id)


def _try_pool(rule: Rule | None, via: str, pool_id: int, demand: Demand, trail: _Trail) -> Attempt:
    pool = trail.snapshot.pool(pool_id)
    method = METHODS[pool.method]
    if pool.archived or not pool.members:
        note = "the pool is archived" if pool.archived else "the pool has no members"
        return Attempt(rule, via, method.key, outcomes.EMPTY_POOL, pool, note=note)
    counts = method.posts and any(member.weight for member in pool.members)
    screening = screen(pool, demand._replace(weights_count=counts), trail.snapshot.waited(pool.id))
    if not screening.eligible and method.ending in (ASSIGN, OFFER):
        return Attempt(rule, via, method.key, _why_nobody(screening), pool, screening=screening)
    ranking = method.rank(screening.eligible) if screening.eligible else Ranking([])
    ending = _ENDINGS.get(method.ending, outcomes.QUEUED)
    return Attempt(rule, via, method.key, ending, pool, screening=screening, ranking=ranking)


def _try_person(rule: Rule, rep: Rep, demand: Demand, trail: _Trail) -> Attempt:
    """Try the rep, or while on leave the first of those who stand in that can take the lead. When none of them can,
    it is as if nobody stood in."""
    for cover in _covers(rep, trail):
        attempt = _try_rep(rule, cover, demand)
        if attempt.result == outcomes.ASSIGNED:
            return replace(attempt, note=f"stands in for {rep.name}")
    return _try_rep(rule, rep, demand)


def _covers(rep: Rep, trail: _Trail) -> Iterator[Rep]:
    """Who stands in for a rep on leave, and while that one is on leave too, who stands in for them; nobody twice."""
    seen = {rep.id}
    while rep.active and rep.leave is not None and rep.leave.cover is not None and len(seen) <= MOST_COVERS:
        rep = trail.snapshot.rep(rep.leave.cover)
        if rep.id in seen:
            return
        seen.add(rep.id)
        yield rep


def _try_rep(rule: Rule, rep: Rep, demand: Demand) -> Attempt:
    pool = Pool(0, rep.name, rule.target, (Member(0, rep, last_assigned_at=rep.last_assigned_at),))
    screening = screen(pool, demand)
    result = outcomes.ASSIGNED if screening.eligible else _why_nobody(screening)
    return Attempt(rule, "target", rule.target, result, pool, None, screening, Ranking(screening.eligible))


def _why_nobody(screening: Screening) -> str:
    kinds = {reason.kind for _, reason in screening.refused}
    if ABSENT in kinds:
        return outcomes.NOBODY_AVAILABLE
    return outcomes.ALL_AT_CAPACITY if FULL in kinds else outcomes.NOBODY_ELIGIBLE
