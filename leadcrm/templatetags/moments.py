"""``{% moment at %}`` and ``{% moment at age %}``: a moment as an element that people and programs can read."""

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from leadcrm.lib.moments import moment_text

register = template.Library()


@register.simple_tag
def moment(at: datetime, age: str = "") -> SafeString:
    """The moment in full, or, with an age such as ``5 min ago``, the age with the moment as its title."""
    if age:
        return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), moment_text(at), age)
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), moment_text(at))
