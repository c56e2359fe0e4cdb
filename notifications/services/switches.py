"""What holds messages back: the emergency stop, and the limit of a channel, over all workers."""

from datetime import datetime, timedelta

from django.db.models import F

from notifications.channels import CHANNELS, IN_APP
from notifications.models import ChannelSwitch, ChannelWindow

FULL = "The channel's limit for this minute is reached."


def stop_of(channel: str) -> str:
    """Why nothing may leave over a channel now; empty when it may. What is only shown in the app leaves nowhere, so the
    stop of all channels does not hold it."""
    names = (channel,) if channel == IN_APP else (ChannelSwitch.ALL, channel)
    found = ChannelSwitch.objects.filter(channel__in=names, stopped=True).first()
    if found is None:
        return ""
    return f"Emergency stop: {found.reason}" if found.reason else "Emergency stop."


def take_place(channel: str, now: datetime) -> datetime | None:
    """Count one message that leaves now. None when it may; else, and nothing is counted, when to try again."""
    limit = limit_of(channel)
    if limit is None:
        return None
    minute = now.replace(second=0, microsecond=0)
    ChannelWindow.objects.get_or_create(channel=channel, minute=minute)
    window = ChannelWindow.objects.filter(channel=channel, minute=minute, count__lt=limit)
    return None if window.update(count=F("count") + 1) else minute + timedelta(minutes=1)


def limit_of(channel: str) -> int | None:
    """Messages per minute at most: what the admins say, else what the channel can do."""
    wanted = ChannelSwitch.objects.filter(channel=channel).values_list("per_minute", flat=True).first()
    return CHANNELS[channel].per_minute if wanted is None else wanted
