"""Who hears about a lead, and how: deliveries, addresses and wishes, templates, what leads wrote and forbade."""

from notifications.models.deliveries import (
    ChannelSwitch,
    ChannelWindow,
    FanOutFailure,
    Notification,
    ProviderEvent,
)
from notifications.models.leads import Call, InboundMessage, Stop
from notifications.models.people import ActionLink, ChannelChoice, ContactAddress, Preference, PushSubscription
from notifications.models.policies import GuardPolicy
from notifications.models.templates import MessageTemplate, Sequence, SequenceRun, SequenceStep

__all__ = [
    "ActionLink",
    "Call",
    "ChannelChoice",
    "ChannelSwitch",
    "ChannelWindow",
    "ContactAddress",
    "FanOutFailure",
    "GuardPolicy",
    "InboundMessage",
    "MessageTemplate",
    "Notification",
    "Preference",
    "ProviderEvent",
    "PushSubscription",
    "Sequence",
    "SequenceRun",
    "SequenceStep",
    "Stop",
]
