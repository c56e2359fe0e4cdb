"""What admins see of messages."""

from notifications.admin.channels import ChannelSwitchAdmin
from notifications.admin.deliveries import FanOutFailureAdmin, NotificationAdmin

__all__ = ["ChannelSwitchAdmin", "FanOutFailureAdmin", "NotificationAdmin"]
