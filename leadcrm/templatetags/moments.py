"""A moment as an element that people and programs can read: ``{% moment at %}`` in full, ``{% moment at age %}``, and
``{% moment_short at %}`` where there is little room."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from leadcrm.lib.moments import moment_text, short_moment

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
