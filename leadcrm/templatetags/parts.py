"""Words of several people beside each other: ``{{ parts|apart:" · " }}``."""

from collections.abc import Iterable

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def apart(parts: Iterable[str], between: str) -> SafeString:
    """The parts in this order, whatever the direction in which each is written."""
    lines = [part for part in parts if part]
    return format_html_join(
        "", "{}<bdi>{}</bdi>", ((between if place else "", part) for place, part in enumerate(lines))
    )
