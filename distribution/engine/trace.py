"""The trace of a decision: the facts, every rule looked at, every candidate. Schema version 1.

It is put together as text, with sorted keys, because taking data apart again costs as much as deciding. What a rule
came to is rendered once, however many leads share it.
"""

import json
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from distribution.engine.decision import Attempt, Decision
from distribution.engine.eligibility import Refusal
from distribution.engine.facts import LeadFacts, is_blank, plain
from distribution.engine.jsontext import json_text, number_text
from distribution.engine.methods import Ranking
from distribution.engine.people import Member

SCHEMA_VERSION: Final = 1


def render_trace(decision: Decision) -> dict[str, Any]:
    """The trace as data."""
    data: dict[str, Any] = json.loads(trace_text(decision))
    return data


def trace_text(decision: Decision) -> str:
    """The trace as compact JSON with sorted keys, as it is stored and digested."""
    rule_set, best, winner = decision.rule_set, decision.located.best, decision.winner
    version = f'"id":{rule_set.id},"name":{json_text(rule_set.name)},"version":{number_text(rule_set.version)}'
    place = json_text(best.name) if best else "null"
    person = f'{{"name":{json_text(winner.rep.name)},"rep":{winner.rep.id}}}' if winner else "null"
    return (
        f'{{"attempts":[{_joined(map(_attempt, decision.attempts))}],"facts":{_facts(decision.facts)},'
        f'"outcome":{json_text(decision.outcome)},"reason":{json_text(decision.reason)},"rule_set":{{{version}}},'
        f'"rules":[{_joined(look.text for look in decision.looks)}],"schema":{SCHEMA_VERSION},'
        f'"territories":{json_text(sorted(decision.located.all))},"territory":{place},'
        f'"winner":{person}}}'
    )


def _joined(parts: Iterable[str]) -> str:
    return ",".join(parts)


def _facts(facts: LeadFacts) -> str:
    return json_text({key: plain(value) for key, value in facts.values.items() if value or not is_blank(value)})


def _attempt(attempt: Attempt) -> str:
    pool, rule = attempt.pool, attempt.rule
    note = attempt.note or (attempt.ranking.note if attempt.ranking else "")
    where = f'{{"id":{pool.id},"name":{json_text(pool.name)}}}' if pool else "null"
    relaxed = _joined(
        f'{{"after":{step.after},"demand":{json_text(step.demand)}}}' for step in attempt.screening.dropped
    )
    return (
        f'{{"candidates":[{_joined(_candidates(attempt))}],"method":{json_text(attempt.method)},'
        f'"note":{json_text(note)},"pool":{where},"relaxed":[{relaxed}],"result":{json_text(attempt.result)},'
        f'"rule":{rule.id if rule else "null"},"team":{number_text(attempt.team_id)},"via":{json_text(attempt.via)}}}'
    )


def _candidates(attempt: Attempt) -> list[str]:
    refused = [_refused(member, reason) for member, reason in attempt.screening.refused]
    ranking = attempt.ranking
    if ranking is None:
        return refused
    return [_eligible(member, rank, ranking) for rank, member in enumerate(ranking.order, 1)] + refused


def _eligible(member: Member, rank: int, ranking: Ranking) -> str:
    rep, turn, why = member.rep, ranking.turns.get(member.id), json_text(ranking.why.get(member.id, ""))
    standing = (
        f'"last":{_moment(member.last_assigned_at)},"member":{member.id or "null"},"name":{json_text(rep.name)},'
        f'"open":{rep.open_leads},'
    )
    if turn is None:
        return (
            f'{{"capacity":{number_text(rep.capacity)},"eligible":true,{standing}"rank":{rank},"rep":{rep.id},'
            f'"tier":{member.tier},"weight":{member.weight},"why":{why}}}'
        )
    return (
        f'{{"after":{turn.before + ranking.postings[member.id]},"before":{turn.before},'
        f'"capacity":{number_text(rep.capacity)},"eligible":true,{standing}"owed":{turn.credited},"rank":{rank},'
        f'"rep":{rep.id},"share":{turn.share},"tier":{member.tier},"weight":{member.weight},"why":{why}}}'
    )


def _refused(member: Member, reason: Refusal) -> str:
    rep = member.rep
    until = f'"until":{_moment(reason.until)},' if reason.until else ""
    return (
        f'{{"capacity":{number_text(rep.capacity)},"code":{json_text(reason.code)},"eligible":false,'
        f'"last":{_moment(member.last_assigned_at)},"member":{member.id or "null"},"name":{json_text(rep.name)},'
        f'"open":{rep.open_leads},"rep":{rep.id},"tier":{member.tier},{until}"weight":{member.weight},'
        f'"why":{json_text(reason.phrase)}}}'
    )


@lru_cache(maxsize=4096)
def _moment(moment: datetime | None) -> str:
    return f'"{moment.isoformat()}"' if moment else "null"
