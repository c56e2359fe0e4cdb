"""What admins see of messages."""

from notifications.admin.channels import ChannelSwitchAdmin
from notifications.admin.deliveries import FanOutFailureAdmin, NotificationAdmin
from notifications.admin.leads import (
    CallAdmin,
    GuardPolicyAdmin,
    InboundMessageAdmin,
    SequenceAdmin,
    SequenceRunAdmin,
    StopAdmin,
)

__all__ = [
    "CallAdmin",
    "ChannelSwitchAdmin",
    "FanOutFailureAdmin",
    "GuardPolicyAdmin",
    "InboundMessageAdmin",
    "NotificationAdmin",
    "SequenceAdmin",
    "SequenceRunAdmin",
    "StopAdmin",
]
