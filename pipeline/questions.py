"""The form fields for an installation's own questions. What is typed there is read by ``pipeline.attributes``."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django import forms

from pipeline.intake import LONGEST_ATTRIBUTE
from pipeline.models import AttributeDefinition

ATTRIBUTE_PREFIX: Final = "attributes."
_Type = AttributeDefinition.Type
_YES_NO: Final = (("yes", "Yes"), ("no", "No"))

Widgets = Mapping[str, Callable[[], forms.Widget]]

PLAIN: Final[Widgets] = {
    _Type.TEXT: forms.TextInput,
    _Type.NUMBER: forms.NumberInput,
    _Type.BOOLEAN: forms.Select,
    _Type.DATE: lambda: forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    _Type.CHOICE: forms.Select,
}


def question_field(
    definition: AttributeDefinition, *, widgets: Widgets = PLAIN, blank: str = "Not asked", required: bool = False
) -> forms.Field:
    """A form field in which one question is answered.

    Args:
        widgets: what it is typed or chosen in, by the type of the question.
        blank: what is to be chosen where there is no answer.
    """
    about: dict[str, Any] = {"label": definition.label, "help_text": definition.help_text, "required": required}
    about |= {"widget": widgets[definition.type](), "error_messages": {"required": "Answer this, too."}}
    if definition.type == _Type.NUMBER:
        return forms.DecimalField(**about)
    if definition.type == _Type.DATE:
        return forms.DateField(**about)
    if definition.type == _Type.TEXT:
        return forms.CharField(max_length=LONGEST_ATTRIBUTE, **about)
    known = (
        _YES_NO if definition.type == _Type.BOOLEAN else [(str(choice), str(choice)) for choice in definition.choices]
    )
    return forms.ChoiceField(choices=[("", blank), *known], **about)
