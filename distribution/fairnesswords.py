"""What a member's record of a pool means, in sentences: for the member, or for whoever looks after the member."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from distribution.engine.ledger import UNIT
from distribution.fairness import OTHER, Record, Turn


@dataclass(frozen=True, slots=True)
class Voice:
    """How a page names the one it is about: in its sentences, and in its headings."""

    you: str
    whom: str
    your: str
    yours: str
    i: str
    me: str
    my: str


TO_YOU: Final = Voice(you="you", whom="you", your="your", yours="yours", i="I", me="me", my="my")
# The same forms of verbs go with both, so that each sentence is written once.
OF_THEM: Final = Voice(you="they", whom="them", your="their", yours="theirs", i="they", me="them", my="their")


def owed_words(credit: int, voice: Voice = TO_YOU) -> str:
    """What a credit, in billionths of a lead, means to a member."""
    tenths = in_tenths(credit)
    if not tenths:
        return f"{voice.you} are even"
    return f"owes {voice.whom} {_leads(tenths)}" if tenths > 0 else f"{voice.you} are {_leads(-tenths)} ahead"


def in_tenths(units: int) -> int:
    """Billionths of a lead in tenths."""
    return round(Fraction(10 * units, UNIT))


def story(record: Record, method: str, days: int, voice: Voice, *, ledger: bool) -> Iterable[str]:
    """A record in a few sentences, the least surprising first.

    Args:
        method: what the pool's way to choose is called; ``ledger``: whether it counts turns.
    """
    total, could, you = len(record.turns), record.could, voice.you
    if not total:
        yield f"No lead came to this pool in the last {days} days."
        return
    if record.full:
        yield f"Of the latest {total:,} leads of this pool {you} could take {could:,}."
    else:
        yield f"In the last {days} days {_count(total, 'lead')} came to this pool, and {you} could take {could:,}."
    if ledger:
        share = f"{voice.your.capitalize()} share of those, by weight, was {in_tenths(record.fair) / 10:.1f} leads."
        yield f"{share} {you.capitalize()} got {record.got:,}."
        yield from _standing(record, voice)
    elif could:
        yield f"{you.capitalize()} got {record.got:,} of them. This pool counts no turns: {method} decides each time."
    if skipped := total - could:
        yield (
            f"{_count(skipped, 'lead')} went by while {you} could not take {'it' if skipped == 1 else 'them'}. "
            f"That cost {voice.whom} nothing: {voice.your} place in line stayed as it was."
        )
    if record.returned:
        yield f"{_count(record.returned, 'lead')} that {you} returned as invalid gave the turn back."
    if record.by_hand:
        yield f"{_count(record.by_hand, 'turn')} changed hands because a manager passed a lead on."


def turn_words(turn: Turn, lead: str, voice: Voice) -> str:
    """What became of a turn that was the member's to lose. ``lead``: what it is called, for those who may know."""
    if turn.outcome == OTHER:
        return f"{turn.winner} before {voice.whom}" if turn.winner else "Offered to all"
    return f"{voice.you.capitalize()} got {lead or 'it'}" if turn.mine else f"Skipped: {turn.why}"


def _standing(record: Record, voice: Voice) -> Iterable[str]:
    """How the standing came about, and how far it ever was from fair. The tenths that are told add up."""
    now, corrected = in_tenths(record.moments[-1].credit), in_tenths(record.corrected)
    began = now - corrected - in_tenths(record.fair) + 10 * record.got
    by_correction = f" {_by_correction(corrected, voice)}" if corrected else ""
    yield f"When this time began {_stood(began, voice)}.{by_correction}"
    farthest = _leads(in_tenths(record.farthest))
    never = f"{voice.you.capitalize()} were never more than {farthest} away from {voice.your} share."
    yield f"So {_stands(now, voice)} now. {never}"


def _stands(tenths: int, voice: Voice) -> str:
    words = owed_words(tenths * UNIT // 10, voice)
    return f"the pool {words}" if words.startswith("owes") else words


def _stood(tenths: int, voice: Voice) -> str:
    return _stands(tenths, voice).replace("owes", "owed").replace(f"{voice.you} are", f"{voice.you} were")


def _by_correction(tenths: int, voice: Voice) -> str:
    way = "for" if tenths > 0 else "against"
    return f"Turns that were given back or changed hands count {_leads(abs(tenths))} {way} {voice.whom}."


def _leads(tenths: int) -> str:
    return f"{tenths / 10:.1f} of a lead" if tenths < 10 else f"{tenths / 10:.1f} leads"


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number:,} {what}s"
