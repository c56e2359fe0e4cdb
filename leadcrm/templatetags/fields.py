"""What a form says about its fields, beside their labels."""

from django import template
from django.forms import BoundField

register = template.Library()


@register.filter
def must_be_filled(field: BoundField) -> bool:
    """Whether a field is marked: it begins empty and must not stay so, while others of its form may.

    ``aria-required`` of its widget marks one that is needed only sometimes, and is hidden otherwise.
    """
    needed = "required" in field.build_widget_attrs({}) or "aria-required" in field.field.widget.attrs
    return needed and not all(other.field.required for other in field.form.visible_fields())
