"""The page behind a link in a message, as values ready to show."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from distribution.blind import called, hidden_from
from distribution.models import Offer
from notifications.links import Action
from notifications.localwords import moment_words, span_words
from notifications.models import ActionLink
from notifications.readerwords import facts_of, hidden_facts_of, zone_of
from pipeline.display import person

BUTTONS: Final = {Action.ACCEPT: "Accept", Action.DECLINE: "Decline", Action.SNOOZE: "Snooze"}


@dataclass(frozen=True, slots=True)
class ActPage:
    """``spent``: why the link does nothing any more; empty when it does. ``mine``: the lead is the reader's."""

    title: str
    lead: str
    reader: str
    button: str
    facts: list[tuple[str, str]]
    clock: str
    mine: bool
    phone: str
    page: str
    spent: str


def build_act_page(link: ActionLink, now: datetime, *, done: bool = False) -> ActPage:
    """The page; ``done``: its button was pressed just now, and it worked. Only then it says how to reach the lead."""
    lead = link.lead
    mine = lead.owner_id == link.user_id
    told = mine or Offer.objects.filter(lead=lead, ended_at=None).exists()
    hidden = not mine and lead.pk in hidden_from(link.user, [lead.pk])
    name = called(lead, hidden=hidden)
    return ActPage(
        title=f"{BUTTONS[Action(link.action)]} {name}",
        lead=name,
        reader=person(link.user),
        button=BUTTONS[Action(link.action)],
        facts=_facts(hidden_facts_of(lead) if hidden else facts_of(lead)) if told else [],
        clock=_clock(link, now) if told else "",
        mine=mine,
        phone=lead.phone if done and mine and lead.accepted_at else "",
        page=f"/leads/{lead.uid}/" if mine else "",
        spent=_spent(link, name, now),
    )


def _facts(words: Mapping[str, str]) -> list[tuple[str, str]]:
    """What helps to decide; how to reach the lead is told to whoever took it on."""
    named = (
        ("Role", "role"),
        ("Company", "company"),
        ("Wants", "product"),
        ("Value", "value"),
        ("Place", "place"),
        ("Score", "score"),
        ("Why you", "why"),
    )
    return [(label, words[name]) for label, name in named if words[name]]


def _clock(link: ActionLink, now: datetime) -> str:
    due = link.lead.respond_by
    if due is None or link.lead.first_contacted_at:
        return ""
    at = moment_words(due, now, zone_of(link.user_id), "en")
    return f"Answer by {at}, {span_words(due - now)} left." if due > now else f"Was to be answered by {at}."


def _spent(link: ActionLink, name: str, now: datetime) -> str:
    if link.used_at is not None:
        return f"This link was used already. {_standing(link, name)}"
    if link.expires_at <= now:
        return "This link has expired. Sign in to see who has the lead."
    if not link.user.is_active:
        return "This link belongs to somebody who may no longer sign in."
    return ""


def _standing(link: ActionLink, name: str) -> str:
    """Who has the lead now, for who comes late; ``name``: what it may be called."""
    lead = link.lead
    if lead.closed_at:
        return f"{name} is closed."
    if lead.owner_id == link.user_id:
        return f"{name} is yours{', and accepted' if lead.accepted_at else ''}."
    return f"{person(lead.owner)} has {name} now." if lead.owner else f"{name} is not yours."
