"""Onboard: upload the exports of another system, read the plan, confirm. The command does the same."""

from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.widgets import INPUT_CLASSES, TEXTAREA_CLASSES

from distribution.onboarding import uploads
from distribution.onboarding.applying import Overtaken, apply_plan, done_lines
from distribution.onboarding.fields import KINDS
from distribution.onboarding.files import read_uploads
from distribution.onboarding.mapping import FILE_NAME
from distribution.onboarding.plan import Plan
from distribution.onboarding.planning import build_plan
from distribution.onboarding.report import counted, group_problems
from leadcrm.lib.mapping import MappingError
from leadcrm.lib.rows import rows_text

NAME: Final = "distribution_onboard"
PERMISSIONS: Final = ("auth.add_user", "distribution.add_rep", "pipeline.add_team", "pipeline.add_account")
MOST_BYTES: Final = 50 * 1024 * 1024
# What one request can carry out before the person who asked gives up waiting.
MOST_STEPS: Final = 20_000
_MOST_PROBLEMS: Final = 200


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One or more files."""

    widget = FilesInput({"class": " ".join(INPUT_CLASSES)})

    def clean(self, data: Any, initial: Any = None) -> Any:
        one: Callable[..., Any] = super().clean
        return [one(item, initial) for item in data] if data else [one(None, initial)]


class UploadForm(forms.Form):
    exports = FilesField(
        label="CSV files",
        help_text=f"Exports of: {', '.join(KINDS)}. Or one zip of them. With {FILE_NAME}, if you have one.",
    )
    mapping = forms.CharField(
        required=False,
        strip=False,
        label="Mapping",
        widget=forms.Textarea({"rows": 8, "class": " ".join(TEXTAREA_CLASSES), "spellcheck": "false"}),
        help_text=f"How to read the files, where their names do not tell. Goes before an uploaded {FILE_NAME}.",
    )

    def clean_exports(self) -> list[Any]:
        files: list[Any] = self.cleaned_data["exports"]
        if sum(file.size or 0 for file in files) > MOST_BYTES:
            raise forms.ValidationError(
                f"At most {MOST_BYTES >> 20} MB together. Use “manage.py onboard” on the server for more."
            )
        return files

    def contents(self) -> dict[str, bytes]:
        """The files by name, the typed mapping among them.

        Raises:
            MappingError: a file that is no CSV file or zip.
        """
        files = read_uploads((str(file.name), file.read()) for file in self.cleaned_data["exports"])
        if self.cleaned_data["mapping"].strip():
            files[FILE_NAME] = self.cleaned_data["mapping"].encode()
        return files


def onboard_urls(model_admin: Any) -> list[URLPattern]:
    """The page's address, below the model admin's own."""

    def view(request: HttpRequest) -> HttpResponse:
        return onboard_view(model_admin, request)

    return [path("onboard/", model_admin.admin_site.admin_view(view), name=NAME)]


def onboard_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The form; with files the plan; with a confirmed plan what was done."""
    if not request.user.has_perms(PERMISSIONS):
        raise PermissionDenied
    if request.method == "POST" and "ticket" in request.POST:
        return _confirmed(model_admin, request)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            files = form.contents()
            plan = build_plan(files)
        except MappingError as error:
            form.add_error(None, str(error))
        else:
            return _page(model_admin, request, plan=plan, ticket=uploads.keep(files, request.user.pk))
    return _page(model_admin, request, form=form)


def _confirmed(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """Plan again, since the world may have changed, and carry it out."""
    ticket = request.POST["ticket"]
    try:
        plan = build_plan(uploads.fetch(ticket, request.user.pk))
        if plan.size > MOST_STEPS:
            messages.error(request, _too_much(plan))
            return _page(model_admin, request, plan=plan, ticket=ticket)
        done = apply_plan(plan)
    except (uploads.Gone, MappingError) as error:
        messages.error(request, str(error))
    except Overtaken as error:
        messages.error(request, str(error))
        return _page(model_admin, request, plan=build_plan(uploads.fetch(ticket, request.user.pk)), ticket=ticket)
    else:
        uploads.forget(ticket, request.user.pk)
        messages.success(request, f"Done. {'; '.join(done_lines(done))}.")
    return HttpResponseRedirect(reverse(f"admin:{NAME}"))


def _page(
    model_admin: Any,
    request: HttpRequest,
    *,
    form: UploadForm | None = None,
    plan: Plan | None = None,
    ticket: str = "",
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Onboard",
        "form": form,
        "plan": plan,
        "ticket": ticket,
        "too_much": _too_much(plan) if plan and plan.size > MOST_STEPS else "",
        "counts": counted(plan) if plan else [],
        "changes": [(step.name, step.changes) for _, steps in plan.sections() for step in steps if step.changes]
        if plan
        else [],
        "problems": _problems(plan) if plan else {},
    }
    return TemplateResponse(request, "admin/distribution/onboard.html", context)


def _problems(plan: Plan) -> dict[str, list[dict[str, str]]]:
    """Equal problems on one line, the refused rows first."""
    shown: dict[str, list[dict[str, str]]] = {"Rows that are left out": [], "Rows that are taken, with a note": []}
    for problem, rows in group_problems(plan.problems)[:_MOST_PROBLEMS]:
        title = "Rows that are left out" if problem.refused else "Rows that are taken, with a note"
        shown[title].append(
            {
                "file": problem.file,
                "rows": rows_text(rows),
                "column": problem.column,
                "wrong": problem.wrong,
                "right": problem.right,
            }
        )
    return {title: lines for title, lines in shown.items() if lines}


def _too_much(plan: Plan) -> str:
    return (
        f"These are {plan.size:,} rows to write, more than the {MOST_STEPS:,} that fit into one request. "
        "Run “manage.py onboard” on the server."
    )
