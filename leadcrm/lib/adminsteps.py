"""A page between an action and its effect: says what will happen, asks what it needs, and posts back."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.template.response import TemplateResponse

CONFIRMED = "confirmed"


def ask(
    model_admin: Any,
    request: HttpRequest,
    *,
    title: str,
    intro: str,
    button: str,
    form: forms.Form | None = None,
    subjects: Iterable[Any] = (),
    post_to: str = "",
    hidden: Iterable[tuple[str, str]] = (),
) -> TemplateResponse:
    """The page of one step.

    Args:
        intro: what will happen, in a sentence or two.
        subjects: what it will happen to, listed by name.
        post_to: where the answer goes; the same address when empty.
        hidden: names and values to be sent along.
    """
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "media": model_admin.media + (form.media if form else forms.Media()),
        "title": title,
        "intro": intro,
        "button": button,
        "form": form,
        "subjects": list(subjects),
        "post_to": post_to,
        "hidden": list(hidden),
    }
    return TemplateResponse(request, "admin/step.html", context)


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the request comes from the page of the step, not from the list of actions."""
    return CONFIRMED in request.POST


def chosen_again(request: HttpRequest) -> list[tuple[str, str]]:
    """The hidden fields with which the step's page repeats an action and its selection."""
    again = [("action", request.POST.get("action", "")), ("select_across", request.POST.get("select_across", "0"))]
    return [
        *again,
        (CONFIRMED, "1"),
        *((ACTION_CHECKBOX_NAME, pk) for pk in request.POST.getlist(ACTION_CHECKBOX_NAME)),
    ]
