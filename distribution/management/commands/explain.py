import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from distribution.decisionpage import build_decision_page
from distribution.explaintext import as_text, plan_as_text
from distribution.models import Decision
from distribution.plan import plan_of
from distribution.selectors import decision_of, find_lead, trace_of
from pipeline.models import Lead


class Command(BaseCommand):
    help = "Says who got a lead and why: the sentence, the rules in order, and everyone who was considered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("lead", help="its uid, its number, or its id at the source")
        parser.add_argument("--decision", type=int, metavar="N", help="an earlier decision, by its number")
        parser.add_argument("--json", action="store_true", help="the stored decision with its trace")

    def handle(self, *args: Any, **options: Any) -> str:
        try:
            lead = find_lead(options["lead"])
        except LookupError as error:
            raise CommandError(str(error)) from None
        decision = decision_of(lead, options["decision"])
        if decision is None:
            which = f"decision {options['decision']}" if options["decision"] else "decision yet"
            raise CommandError(f"There is no {which} about {lead} ({lead.uid}).")
        if options["json"]:
            return json.dumps(as_json(lead, decision), indent=2, ensure_ascii=False)
        return "\n".join((as_text(build_decision_page(lead, decision)), *plan_as_text(plan_of(lead))))


def as_json(lead: Lead, decision: Decision) -> dict[str, Any]:
    """The decision as it was stored; the trace is null once it has been pruned."""
    return {
        "lead": str(lead.uid),
        "decision": {
            "id": decision.pk,
            "at": decision.at.isoformat(),
            "outcome": decision.outcome,
            "reason": decision.reason,
            "rule_set": decision.rule_set and {"name": decision.rule_set.name, "version": decision.rule_set.version},
            "rule": decision.rule and decision.rule.name,
            "pool": decision.pool and decision.pool.name,
            "method": decision.method,
            "winner": decision.winner and decision.winner.name,
            "sentence": decision.sentence,
            "trigger": decision.trigger,
            "actor": decision.actor and decision.actor.get_username(),
            "duration_us": decision.duration_us,
        },
        "digest": decision.digest,
        "trace": trace_of(decision),
    }
