"""What message templates may name: plain texts, each empty when it is not known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Field:
    """``sample`` stands for a value where there is no lead to take one from."""

    help: str
    sample: str


FIELDS: Final[Mapping[str, Field]] = {
    "lead": Field("Who it is: the name, else the company, e-mail or phone.", "Ada Lovelace"),
    "name": Field("First and last name.", "Ada Lovelace"),
    "first_name": Field("First name.", "Ada"),
    "last_name": Field("Last name.", "Lovelace"),
    "role": Field("Job title.", "Head of Operations"),
    "company": Field("Company.", "Engines Ltd"),
    "place": Field("City and country.", "London, GB"),
    "phone": Field("Phone number.", "+442071234567"),
    "email": Field("E-mail address.", "ada@engines.example"),
    "product": Field("The product it asked for.", "Analytics"),
    "value": Field("Expected value.", "12,500 EUR"),
    "message": Field("What it wrote, in one line.", "We need it before spring. Could you call me today?"),
    "message_lines": Field(
        "What it wrote, with its line breaks; for e-mail.", "We need it before spring.\nCould you call me today?"
    ),
    "score": Field("Score, 0 to 100.", "82"),
    "source": Field("Where the lead, and with it the score, came from.", "Web form"),
    "why": Field(
        "Why it went to whom it went: in English the sentence of its routing, else in the language of the message.",
        "Next in turn in the pool London.",
    ),
    "why_short": Field("The same in a few words.", "Your turn (London)"),
    "answer_by": Field("Until when the promise asks for an answer, in the reader's time zone.", "14:05"),
    "time_left": Field("How long that is from now.", "12 min"),
    "late_by": Field("How long ago that was, when it has passed.", ""),
    "owner": Field("Who has the lead.", "Sam Rivera"),
    "reader": Field("First name of who gets the message.", "Sam"),
    "actor": Field("Who did what is told.", "Kim Novak"),
    "sentence": Field("What happened, in a sentence.", "Given to Sam Rivera by Kim Novak."),
    "notes": Field("What the SLA policy says to go with the message.", "Ask about the spring budget."),
    "reason": Field("The reason that was given.", "speaks the language"),
    "due": Field("When a task is due, in the reader's time zone.", "Mon 30 Nov 14:05"),
    "text": Field("The note or the reply that is told of.", "Yes, tomorrow at ten is fine."),
    "link_open": Field("The page of the lead.", "https://crm.example/leads/1/"),
    "link_accept": Field("Accepts the lead, without signing in.", "https://crm.example/act/a/"),
    "link_decline": Field("Declines the lead, without signing in.", "https://crm.example/act/d/"),
    "link_snooze": Field("Snoozes the lead, without signing in.", "https://crm.example/act/s/"),
    "link_call": Field("Calls the lead from a phone.", "tel:+442071234567"),
    "opens_time": Field("To leads: when we open, where the lead is; empty while we are there.", "09:00"),
    "opens_day": Field("To leads: the day of that, when it is not today.", "Monday"),
}

SAMPLE: Final[Mapping[str, str]] = {name: field.sample for name, field in FIELDS.items()}
EMPTY: Final[Mapping[str, str]] = dict.fromkeys(FIELDS, "")
