"""Who is told, and the sending of it."""

from notifications.services.delivering import channels_with_work, deliver, rescue
from notifications.services.fanout import fan_out
from notifications.services.pruning import prune
from notifications.services.telling import tell

__all__ = ["channels_with_work", "deliver", "fan_out", "prune", "rescue", "tell"]
