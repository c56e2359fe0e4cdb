"""Whether a message to a lead may leave now: the rules, over facts that were read elsewhere.

Pure: no database, no clock. A verdict says *allowed*, *suppressed* and why, or *delayed*, until when and why. The
moment until which a message is delayed is the first at which every rule allows it, as far as can be known now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

DAY: Final = timedelta(days=1)
WHATSAPP_WINDOW: Final = timedelta(hours=24)
# After an emergency stop nobody knows until when: the message asks again.
ASK_AGAIN: Final = timedelta(minutes=5)
# When no minute of so many days is allowed in every zone, none will be.
HORIZON: Final = timedelta(days=3)
_MINUTE: Final = timedelta(minutes=1)
# Further than any change of clocks goes.
_CHANGE_OF_CLOCKS: Final = timedelta(hours=3)


class Outcome(StrEnum):
    ALLOWED = "allowed"
    SUPPRESSED = "suppressed"
    DELAYED = "delayed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard says. ``until`` is set exactly when the message is delayed, ``reason`` unless it is allowed."""

    outcome: Outcome
    reason: str = ""
    until: datetime | None = None

    @property
    def allowed(self) -> bool:
        return self.outcome == Outcome.ALLOWED


ALLOWED: Final = Verdict(Outcome.ALLOWED)


def suppressed(reason: str) -> Verdict:
    return Verdict(Outcome.SUPPRESSED, reason)


def delayed(until: datetime, reason: str) -> Verdict:
    return Verdict(Outcome.DELAYED, reason, until)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many messages in any 24 hours. ``sent``: when those of the last 24 hours left, the oldest first."""

    whom: str
    most: int
    sent: Sequence[datetime] = ()

    def free_from(self, now: datetime) -> datetime:
        """The first moment from ``now`` on at which one more is allowed; ``most`` must be at least 1."""
        return now if len(self.sent) < self.most else max(now, self.sent[-self.most] + DAY)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the rules look at.

    ``consent`` is the latest record of the channel, None without one. ``never`` says why nothing goes to this lead at
    all, such as that it is closed. ``zones`` are the time zones the lead may be in; each must show a time from
    ``opens`` until just before ``closes``, whole minutes; without hours any time will do. ``needs_window``: free text
    over WhatsApp, allowed only within 24 hours after ``last_inbound``.
    """

    consent: bool | None
    never: str = ""
    stopped: str = ""
    emergency: str = ""
    zones: Sequence[tzinfo] = ()
    opens: time | None = None
    closes: time | None = None
    limits: Sequence[Limit] = ()
    needs_window: bool = False
    last_inbound: datetime | None = None


def judge(facts: Facts, now: datetime) -> Verdict:
    """Whether a message may leave now, never, or when."""
    refusal = _refusal(facts)
    if refusal:
        return suppressed(refusal)
    if facts.emergency:
        return delayed(now + ASK_AGAIN, f"Emergency stop: {facts.emergency}")
    free = max((limit.free_from(now) for limit in facts.limits), default=now)
    at = first_minute(facts, free)
    if at is None:
        return suppressed(_no_minute(facts))
    if facts.needs_window and not _in_window(facts, at):
        return suppressed("WhatsApp takes only approved templates later than 24 hours after the lead's last message.")
    return ALLOWED if at == now else delayed(at, _why_later(facts, now))


def _refusal(facts: Facts) -> str:
    """Why no later minute would help, as far as is known; "" otherwise."""
    if facts.never:
        return facts.never
    if facts.stopped:
        return facts.stopped
    if facts.consent is None:
        return "There is no consent for this channel."
    if not facts.consent:
        return "Consent for this channel was refused or taken back."
    closed = next((limit for limit in facts.limits if limit.most < 1), None)
    return f"The daily limit {closed.whom} is 0." if closed else ""


def _in_window(facts: Facts, at: datetime) -> bool:
    return facts.last_inbound is not None and at < facts.last_inbound + WHATSAPP_WINDOW


def _why_later(facts: Facts, now: datetime) -> str:
    full = next((limit for limit in facts.limits if limit.free_from(now) > now), None)
    if full:
        return f"Daily limit {full.whom}: {full.most} in 24 hours."
    return f"Quiet hours where the lead is: {_hours(facts)}"


def _no_minute(facts: Facts) -> str:
    return (
        f"The lead's time zone is not known well enough: no minute is within {_hours(facts)} "
        "Give the lead a country, a region or a time zone."
    )


def _hours(facts: Facts) -> str:
    names = sorted(str(zone) for zone in facts.zones)
    where = ", ".join(names) if len(names) <= 3 else f"all of {len(names)} time zones"
    return f"{facts.opens:%H:%M} to {facts.closes:%H:%M} in {where}."


# --- Quiet hours ---------------------------------------------------------------------------------


def first_minute(facts: Facts, after: datetime) -> datetime | None:
    """The first moment from ``after`` on at which no zone has quiet hours: ``after`` itself, or the beginning of a
    minute. None: there is none within the horizon."""
    at, limit = after.astimezone(UTC), after + HORIZON
    while wait := _longest_wait(facts, at):
        at = at.replace(second=0, microsecond=0) + wait
        if at > limit:
            return None
    return at


def _longest_wait(facts: Facts, at: datetime) -> timedelta:
    """How long, from the beginning of this minute, it certainly stays forbidden; nothing when it is allowed."""
    if facts.opens is None or facts.closes is None:
        return timedelta(0)
    return max((_wait(zone, at, facts.opens, facts.closes) for zone in facts.zones), default=timedelta(0))


def _wait(zone: tzinfo, at: datetime, opens: time, closes: time) -> timedelta:
    local = at.astimezone(zone)
    clock = local.time()
    if opens <= clock < closes:
        return timedelta(0)
    until = _since_midnight(opens) - _since_midnight(clock.replace(second=0, microsecond=0))
    wait = until if until > timedelta(0) else until + DAY
    if (at + wait).astimezone(zone).utcoffset() == local.utcoffset():
        return wait
    # The clocks change in between, so the opening may come sooner: look at each minute when it draws near.
    return max(_MINUTE, wait - _CHANGE_OF_CLOCKS)


def _since_midnight(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute)
