"""A moment as an element that people and programs can read: ``{% moment at %}`` in full, ``{% moment at age %}``, and
``{% moment_short at %}`` where there is little room."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from leadcrm.lib.moments import in_readers_zone, moment_text, short_moment, span_text

register = template.Library()


@register.simple_tag
def moment(at: datetime, age: str = "") -> SafeString:
    """The moment in full, or, with an age such as ``5 min ago``, the age with the moment as its title."""
    if age:
        return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), moment_text(at), age)
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), moment_text(at))


@register.simple_tag
def moment_short(at: datetime) -> SafeString:
    """The time of a moment of today, else its date and time, with the moment in full as its title."""
    return moment(at, short_moment(at, timezone.now()))


register.filter("in_readers_zone", in_readers_zone)


@register.filter
def minutes(number: int) -> str:
    """So many minutes for people: ``45 min``, ``4 h``."""
    return span_text(timedelta(minutes=number))


@register.simple_tag
def clock(due: Any, amber: datetime | None = None) -> SafeString:
    """How long something is due yet, kept right by ``clocks.js``; urgent from ``amber`` on.

    due: with ``at``, ``text``, ``left`` and ``late``, such as ``pipeline.display.Due``.
    """
    now = timezone.now()
    tone = "late" if due.late else "soon" if amber and amber <= now else ""
    return format_html(
        '<time class="due {}" datetime="{}" data-due="{}" data-amber="{}" title="{}">{}</time>',
        tone,
        due.at.isoformat(),
        int(due.at.timestamp()),
        int((amber or due.at).timestamp()),
        due.text,
        due.left,
    )
