"""Slack, Microsoft Teams, Discord and others, by an address in the notation of the library Apprise.

Only services whose servers are known: an address that names a server of its own could lead into our network. For those
there is the webhook.
"""

import logging
import re
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from notifications.channels.base import Message, Receipt, SendError

# The scheme of the address, and what its host must end with where the address names one.
SERVICES: Final[dict[str, str]] = {
    "slack": "",
    "workflow": ".logic.azure.com",
    "discord": "",
    "gchat": "",
    "tgram": "",
    "wxteams": "",
    "pover": "",
}
# Of the options that an address may carry, these belong to Teams; others could read files or make a worker wait.
KEPT_OPTIONS: Final = frozenset({"api-version", "sp", "sv", "sig"})
HELP: Final = "Paste the address of a Slack, Teams, Discord or Google Chat webhook, or one such as tgram://token/chat."
PASSING: Final = frozenset({408, 425, 429})
SECONDS: Final = 10.0
_STATUS: Final = re.compile(r"error[=: ]+(\d{3})\b")


class Apprise:
    key = "apprise"
    label = "Slack, Teams and others"
    per_minute: int | None = 60
    bundles = True

    def unavailable(self) -> str:
        return ""

    def send(self, message: Message) -> Receipt:
        import apprise  # 300 ms, and few processes send anything

        service = service_of(message.to)
        text = f"{message.text}\n{message.link}" if message.link and message.link not in message.text else message.text
        capture: Any = apprise.LogCapture
        with capture(level=logging.WARNING, fmt="%(message)s") as said:
            sent = service.notify(body=text, title=message.subject)
            log = said.getvalue()
        if not sent:
            raise read_log(str(service.service_name), log)
        return Receipt()


def service_of(address: str) -> Any:
    """The service behind an address.

    Raises:
        SendError: there is none, or it is none of ours.
    """
    import apprise

    try:
        found = apprise.Apprise.instantiate(_without_options(address), suppress_exceptions=True)
    except ValueError:  # not even an address to the standard library
        found = None
    if found is None:
        raise SendError(f"This is no address of a service. {HELP}", "bad-address", permanent=True)
    ending = SERVICES.get(str(found.schema))
    if ending is None or not str(found.host or "").lower().endswith(ending):
        raise SendError(f"{found.service_name} cannot be used. {HELP}", "refused", permanent=True)
    found.socket_connect_timeout = found.socket_read_timeout = SECONDS
    found.redirects = False
    return found


def _without_options(address: str) -> str:
    parts = urlsplit(address.strip())
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name.lower() in KEPT_OPTIONS]
    return parts._replace(query=urlencode(kept), fragment="").geturl()


def read_log(service: str, said: str) -> SendError:
    """What the library wrote about a failure, which is all that it tells. Nothing of it is shown: it may hold a key."""
    found = _STATUS.search(said)
    status = int(found[1]) if found else 0
    if not status:
        return SendError(f"{service} did not answer.", "unreachable", permanent=False, unsure=True)
    permanent = 400 <= status < 500 and status not in PASSING
    return SendError(f"{service} answered {status}.", str(status), permanent=permanent)
