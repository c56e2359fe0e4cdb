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
from notifications.admin.people import ChannelChoiceAdmin, ContactAddressAdmin
from notifications.admin.templates import MessageTemplateAdmin

__all__ = [
    "CallAdmin",
    "ChannelChoiceAdmin",
    "ChannelSwitchAdmin",
    "ContactAddressAdmin",
    "FanOutFailureAdmin",
    "GuardPolicyAdmin",
    "InboundMessageAdmin",
    "MessageTemplateAdmin",
    "NotificationAdmin",
    "SequenceAdmin",
    "SequenceRunAdmin",
    "StopAdmin",
]
