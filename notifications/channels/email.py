"""E-mail, through whatever Django's e-mail backend is: SMTP, or a provider's API (django-anymail)."""

import smtplib
from email.utils import parseaddr
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from notifications.channels.base import Message, Receipt, SendError

# RFC 5321: an answer of 5xx is final, of 4xx is not. These say that the server, not the message, is at fault.
OUR_FAULT: Final = frozenset({502, 503, 504, 530, 534, 535, 538})


class Email:
    key = "email"
    label = "E-mail"
    per_minute: int | None = None
    bundles = True

    def unavailable(self) -> str:
        if settings.PRODUCTION and "console" in settings.EMAIL_BACKEND:
            return "EMAIL_URL is not set."
        return ""

    def send(self, message: Message) -> Receipt:
        mail = EmailMultiAlternatives(
            subject=" ".join(message.subject.split()),
            body=message.text,
            to=[message.to],
            reply_to=[message.reply_to] if message.reply_to else None,
            headers=headers_of(message),
        )
        if message.html:
            mail.attach_alternative(message.html, "text/html")
        try:
            mail.send()
        except smtplib.SMTPException as error:
            raise read_smtp_error(error) from error
        except OSError as error:
            raise SendError(f"The mail server did not answer: {error}", "unreachable", permanent=False) from error
        except ValueError as error:
            raise SendError(f"This is no message that can be sent: {error}", "bad-message", permanent=True) from error
        return Receipt(str(getattr(getattr(mail, "anymail_status", None), "message_id", None) or ""))


def headers_of(message: Message) -> dict[str, str]:
    """The name of the message, the thread of its lead, and how to leave.

    Mail programs put messages that answer the same one together (RFC 5322, 3.6.4): here one that was never sent.
    """
    host = urlsplit(settings.SITE_URL).hostname or parseaddr(settings.DEFAULT_FROM_EMAIL)[1].partition("@")[2]
    headers = {"Message-ID": f"<{message.token}@{host}>", "Auto-Submitted": "auto-generated"}
    if message.thread:
        root = f"<lead.{message.thread}@{host}>"
        headers |= {"In-Reply-To": root, "References": root}
    if message.unsubscribe_url:  # RFC 8058
        headers |= {
            "List-Unsubscribe": f"<{message.unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    if message.urgent:
        headers["X-Priority"] = "1"
    return headers


def read_smtp_error(error: smtplib.SMTPException) -> SendError:
    """What a refusal means for the next try."""
    code, said = _answer(error)
    permanent = 500 <= code < 600 and code not in OUR_FAULT
    unsure = isinstance(error, smtplib.SMTPServerDisconnected)
    return SendError(f"The mail server said: {said}", f"smtp-{code or 'broken'}", permanent=permanent, unsure=unsure)


def _answer(error: smtplib.SMTPException) -> tuple[int, str]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers: list[tuple[int, bytes | str]] = list(error.recipients.values())
        code, text = answers[0]
        return code, _text(text)
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code, _text(error.smtp_error)
    return 0, str(error)


def _text(said: bytes | str) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else said
