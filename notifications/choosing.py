"""How a user is told: by which channels, where, and when. Pages for it belong elsewhere; this reads what they store."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User

from distribution.models import Rep
from notifications.channels import CHANNELS, EMAIL
from notifications.channels.webhook import secret_of
from notifications.models import ChannelChoice, ContactAddress, Notification, Preference, PushSubscription

BACKUP_MINUTES: Final = 5
PUSH: Final = "push"
WEBHOOK: Final = "webhook"
# A number that was verified for text messages is the same person on WhatsApp.
SAME_NUMBER: Final = {"whatsapp": "sms"}


@dataclass(frozen=True, slots=True)
class Choice:
    """``backup`` is used when the first fails, or when a lead is not accepted; empty for none."""

    first: str
    backup: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How one user wants to be told. Quiet hours are times of day in ``zone``."""

    choices: Mapping[str, Choice] = field(default_factory=dict)
    backup_after: timedelta = timedelta(minutes=BACKUP_MINUTES)
    quiet: tuple[time, time] | None = None
    zone: str = "UTC"
    language: str = ""

    def choice(self, urgency: str, default: str = EMAIL) -> Choice:
        """The channels for an urgency. Who chose nothing has ``default``, and e-mail is everyone's last resort."""
        wanted = self.choices.get(urgency) or Choice(default)
        if wanted.first not in CHANNELS:
            return Choice(default)
        backup = wanted.backup if wanted.backup in CHANNELS else EMAIL
        return Choice(wanted.first, "" if backup == wanted.first else backup)

    def not_before(self, urgency: str, now: datetime) -> datetime:
        """When it may be said: now, or at the end of the quiet hours for what is not urgent."""
        if urgency == Notification.Urgency.URGENT or self.quiet is None:
            return now
        return end_of_quiet(now, self.quiet, ZoneInfo(self.zone))


def end_of_quiet(now: datetime, quiet: tuple[time, time], zone: ZoneInfo) -> datetime:
    """The end of the quiet hours that ``now`` lies in, else ``now``. Hours such as 22:00 to 07:00 run over midnight."""
    start, end = quiet
    local = now.astimezone(zone)
    clock = local.time()
    inside = start <= clock < end if start < end else clock >= start or clock < end
    if not inside or start == end:
        return now
    day = local.date() + timedelta(days=1) if clock >= end else local.date()
    # Through UTC: a time that the clock skips in spring becomes one that exists.
    return max(now, datetime.combine(day, end, zone).astimezone(now.tzinfo))


def channels_for(user: User, urgency: str) -> Choice:
    """The first and the backup channel of one user for an urgency."""
    return wishes_of([user.pk]).get(user.pk, Wishes()).choice(urgency)


def wishes_of(user_ids: Iterable[int]) -> dict[int, Wishes]:
    """The wishes of active users among these, in four queries; nobody else is in the answer."""
    active = list(User.objects.filter(pk__in=set(user_ids), is_active=True).values_list("pk", flat=True))
    choices: dict[int, dict[str, Choice]] = {}
    for row in ChannelChoice.objects.filter(user__in=active):
        choices.setdefault(row.user_id, {})[row.urgency] = Choice(row.first, row.backup)
    preferences = {row.user_id: row for row in Preference.objects.filter(user__in=active)}
    zones = dict(Rep.objects.filter(user__in=active).values_list("user", "time_zone"))
    return {pk: _wishes(choices.get(pk, {}), preferences.get(pk), zones.get(pk)) for pk in active}


def _wishes(choices: Mapping[str, Choice], preference: Preference | None, zone: str | None) -> Wishes:
    zone = zone or settings.TIME_ZONE
    if preference is None:
        return Wishes(choices, zone=zone)
    hours = (preference.quiet_from, preference.quiet_to)
    quiet = (hours[0], hours[1]) if hours[0] is not None and hours[1] is not None else None
    return Wishes(choices, timedelta(minutes=preference.backup_minutes), quiet, zone, preference.language)


def address_of(user: User, channel: str) -> str:
    """Where a user is reached over a channel; empty when nowhere. For push, a JSON list of the user's browsers."""
    if channel == PUSH:
        return _browsers(user)
    verified = ContactAddress.objects.filter(user=user, verified_at__isnull=False)
    by_channel = dict(verified.values_list("channel", "address"))
    found: str = by_channel.get(channel) or by_channel.get(SAME_NUMBER.get(channel, "")) or ""
    return found or (user.email if channel == EMAIL else "")


def secret_for(user: User, channel: str) -> str:
    """The secret by which a user's own webhook knows us; empty for every other channel, and without one."""
    own = ContactAddress.objects.filter(user=user, channel=channel).first() if channel == WEBHOOK else None
    return secret_of(own.address, own.signing_salt) if own and own.address else ""


def _browsers(user: User) -> str:
    rows = PushSubscription.objects.filter(user=user, failed_at=None).order_by("pk")
    found = [{"endpoint": row.endpoint, "keys": {"p256dh": row.p256dh, "auth": row.auth}} for row in rows]
    return json.dumps(found) if found else ""
