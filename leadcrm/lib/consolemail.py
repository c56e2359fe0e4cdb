"""E-mail where no server is configured: a line in the log for each, and the whole of it in a file to open."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

logger = logging.getLogger(__name__)

KEPT: Final = 200


def folder() -> Path:
    """Where the newest messages are, as files that a mail program opens."""
    return Path(settings.VAR_DIR) / "mail"


class EmailBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        for message in email_messages:
            path = folder() / f"{timezone.now():%Y%m%dT%H%M%S%f}-{uuid4().hex[:6]}.eml"
            path.write_bytes(message.message().as_bytes())
            logger.info("not sent, to %s: %s (%s)", ", ".join(message.recipients()), message.subject, path)
        _forget_old()
        return len(email_messages)


def _forget_old() -> None:
    for path in sorted(folder().glob("*.eml"))[:-KEPT]:
        path.unlink(missing_ok=True)  # another process may be quicker
