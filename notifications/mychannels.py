"""The channels by which somebody is told, each with how it stands now, for the page of a rep's day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User

from notifications.channels import CHANNELS, IN_APP
from notifications.choosing import PUSH, SAME_NUMBER, Wishes, address_of, wishes_of
from notifications.models import ContactAddress, Notification
from notifications.preferences import URGENCIES, state_of_address, stop_words
from notifications.services.lifting import own_stop
from notifications.services.switches import stop_of

GOOD: Final = "good"


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """One channel: what it was chosen for, whether messages come by it now, and why or why not. ``testable``: a test
    would go somewhere."""

    key: str
    label: str
    uses: str
    works: bool
    state: str
    testable: bool


@dataclass(frozen=True, slots=True)
class MyChannels:
    """``quiet``: the quiet hours and whether they hold now, in a sentence."""

    lines: list[ChannelLine]
    quiet: str


def build_my_channels(user: User, now: datetime) -> MyChannels:
    """The channels that a user chose or has an address for, and the app, in the order of the registry."""
    wishes = wishes_of([user.pk]).get(user.pk, Wishes())
    rows = {row.channel: row for row in ContactAddress.objects.filter(user=user).exclude(address="")}
    uses = {key: _uses(wishes, key) for key in CHANNELS}
    shown = [key for key in CHANNELS if key == IN_APP or key in rows or uses[key] or _comes_along(user, key)]
    return MyChannels([_line(user, key, uses[key], rows) for key in shown], _quiet(wishes, now))


def _comes_along(user: User, channel: str) -> bool:
    """A channel that could be chosen without entering anything more."""
    return not CHANNELS[channel].unavailable() and bool(address_of(user, channel))


def _line(user: User, channel: str, uses: str, rows: Mapping[str, ContactAddress]) -> ChannelLine:
    state, tone = _state(user, channel, rows)
    works = tone == GOOD
    return ChannelLine(
        key=channel,
        label=CHANNELS[channel].label,
        uses=uses,
        works=works,
        state=state,
        testable=works and channel != IN_APP,
    )


def _state(user: User, channel: str, rows: Mapping[str, ContactAddress]) -> tuple[str, str]:
    """How a channel stands; whatever is not good keeps it off."""
    if channel == IN_APP:
        return "Always, behind the bell", GOOD
    if missing := CHANNELS[channel].unavailable():
        return f"Not in use here yet: {missing}", ""
    if stopped := stop_of(channel):
        return stopped, "warn"
    if channel == PUSH:
        return ("In a browser of yours", GOOD) if address_of(user, PUSH) else ("In no browser yet", "")
    if own := own_stop(user, channel):
        return stop_words(own), "warn"
    row = rows.get(channel) or rows.get(SAME_NUMBER.get(channel, ""))
    return state_of_address(channel, row, user)


def _uses(wishes: Wishes, channel: str) -> str:
    """For what a channel was chosen, such as ``first for urgent, second for low``."""
    choices = [(label.lower(), wishes.choice(urgency)) for urgency, label, _ in URGENCIES]
    places = {
        "first": [label for label, choice in choices if choice.first == channel],
        "second": [label for label, choice in choices if choice.backup == channel],
    }
    return ", ".join(f"{place} for {_and(labels)}" for place, labels in places.items() if labels)


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _quiet(wishes: Wishes, now: datetime) -> str:
    if wishes.quiet is None:
        return "No quiet hours."
    until = wishes.not_before(Notification.Urgency.NORMAL, now)
    if until > now:
        return f"Quiet now, until {_clock(until.astimezone(ZoneInfo(wishes.zone)).time())}: only what is urgent comes."
    start, end = wishes.quiet
    return f"Quiet from {_clock(start)} to {_clock(end)}, not now."


def _clock(at: time) -> str:
    return f"{at:%H:%M}"
