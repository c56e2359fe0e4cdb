"""The bell on every page. The row is the message."""

from notifications.channels.base import Message, Receipt


class InApp:
    key = "in_app"
    label = "In the app"
    per_minute: int | None = None
    bundles = False

    def unavailable(self) -> str:
        return ""

    def send(self, message: Message) -> Receipt:
        return Receipt(delivered=True)
