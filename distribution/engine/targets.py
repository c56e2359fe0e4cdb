"""Where a rule may send a lead, and what it does when nobody there can take it."""

from typing import Final

POOL: Final = "pool"
REP: Final = "rep"
TEAM_QUEUE: Final = "team_queue"
ACCOUNT_OWNER: Final = "account_owner"
PREVIOUS_OWNER: Final = "previous_owner"
TERRITORY_OWNER: Final = "territory_owner"
TERRITORY_POOL: Final = "territory_pool"

TARGETS: Final = {
    POOL: "A pool",
    REP: "One rep",
    TEAM_QUEUE: "A team's queue",
    ACCOUNT_OWNER: "The account's owner",
    PREVIOUS_OWNER: "The previous owner",
    TERRITORY_OWNER: "The territory's owner",
    TERRITORY_POOL: "The territory's pool",
}

NEXT: Final = "next"
HOLD: Final = "hold"
FALLBACK: Final = "fallback"

UNAVAILABLE: Final = {
    NEXT: "Try the next matching rule",
    HOLD: "Wait until someone is available",
    FALLBACK: "Use the fallback pool",
}


def target_choices() -> list[tuple[str, str]]:
    return list(TARGETS.items())


def unavailable_choices() -> list[tuple[str, str]]:
    return list(UNAVAILABLE.items())
