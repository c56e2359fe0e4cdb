"""What holds for every form that people fill in: what must be filled in is marked, and says so in words of its own."""

import pytest
from django import forms
from django.template.loader import render_to_string
from django.urls import get_resolver

from pipeline.boardforms import MoveForm
from pipeline.forms import NoteForm
from pipeline.models import LostReason
from tests.distribution.world import make_lead

OURS = ("pipeline.", "distribution.", "notifications.")


def our_forms():
    """Every form that the pages of people show; the admin has its own ways."""
    assert get_resolver().url_patterns  # all views, and so all forms, are read
    found, waiting = set(), [forms.Form]
    while waiting:
        kinds = waiting.pop().__subclasses__()
        waiting += kinds
        found |= {kind for kind in kinds if kind.__module__.startswith(OURS) and ".admin." not in kind.__module__}
    return sorted(found, key=lambda kind: (kind.__module__, kind.__name__))


def must_be_typed(field):
    return field.required and not field.widget.is_hidden and field.widget.use_required_attribute(field.initial)


def shown(field):
    return render_to_string("_field.html", {"field": field})


class Mixed(forms.Form):
    must = forms.CharField()
    may = forms.CharField(required=False)
    chosen = forms.ChoiceField(choices={"a": "A", "b": "B"})


class AllOfIt(forms.Form):
    must = forms.CharField()


def test_what_must_be_filled_in_is_marked_where_others_may_stay_empty():
    form = Mixed()
    assert [name for name in form.fields if "required</span>" in shown(form[name])] == ["must"]
    assert "required</span>" not in shown(AllOfIt()["must"])
    assert "required</span>" not in shown(NoteForm()["text"])


@pytest.mark.django_db
@pytest.mark.parametrize("listed", [True, False])
def test_why_a_lead_was_lost_is_not_called_optional(listed):
    if listed:
        LostReason.objects.create(name="Too dear")
    field = shown(MoveForm(make_lead())["lost_reason"])
    assert "required</span>" in field
    assert 'aria-required="true"' in field
    assert " required>" not in field  # a browser would ask for it of every move


def test_every_field_that_must_be_filled_in_says_what_is_missing():
    dull = str(forms.Field.default_error_messages["required"])
    missing = [
        f"{kind.__module__}.{kind.__name__}.{name}"
        for kind in our_forms()
        for name, field in kind.base_fields.items()
        if must_be_typed(field) and str(field.error_messages["required"]) == dull
    ]
    assert len(our_forms()) > 8
    assert missing == []
