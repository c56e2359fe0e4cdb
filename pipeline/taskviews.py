"""What people do with the tasks of a lead: add, change, finish, drop them, and say what comes next."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from leadcrm.lib.pages import PageRequest, back, go
from pipeline.errors import BadWish
from pipeline.forms import TaskForm
from pipeline.leadviews import lead_page
from pipeline.models import Task
from pipeline.selectors import work_lead, work_task
from pipeline.services.tasks import add_task, change_task, drop_task, finish_task

ENDED = "This task has ended already."


@login_required
@require_POST
def add(request: PageRequest, uid: UUID) -> HttpResponse:
    """Something is to be done for the lead."""
    lead = work_lead(request.user, uid)
    form = TaskForm(lead, request.POST, auto_id="task_%s")
    try:
        if form.is_valid():
            add_task(lead, form.terms(), actor=request.user)
            messages.success(request, "The task was noted.")
            return go(request, back(request, reverse("lead", args=[uid])).url)
    except BadWish as error:
        form.add_error(error.field, str(error))
    return lead_page(request, lead, {"task": form})


@login_required
@require_POST
def done(request: PageRequest, pk: int) -> HttpResponse:
    """A task is done; the page that comes asks what is next."""
    task = work_task(request.user, pk)
    if not finish_task(task, actor=request.user):
        messages.info(request, ENDED)
        return _home(request, task)
    messages.success(request, f"Done: {task}.")
    page = _home(request, task).url
    return HttpResponseRedirect(f"{page.partition('?')[0].partition('#')[0]}?done={task.pk}#next")


@login_required
@require_POST
def drop(request: PageRequest, pk: int) -> HttpResponse:
    """A task need not be done any more."""
    task = work_task(request.user, pk)
    if drop_task(task, actor=request.user):
        messages.success(request, f"Dropped: {task}.")
    else:
        messages.info(request, ENDED)
    return _home(request, task)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def change(request: PageRequest, pk: int) -> HttpResponse:
    """Another text, another time, another person."""
    task = work_task(request.user, pk)
    form = TaskForm(task.lead, request.POST or None, auto_id="task_%s", initial=_initial(task))
    try:
        if form.is_valid():
            changed = change_task(task, form.terms(), actor=request.user)
            messages.success(request, "The task was changed.") if changed else messages.info(request, ENDED)
            return _home(request, task)
    except BadWish as error:
        form.add_error(error.field, str(error))
    context = {"section": "board", "task": task, "form": form}
    return render(request, "lead/task.html", context, status=422 if form.is_bound else 200)


def _initial(task: Task) -> dict[str, object]:
    """What the form of a task shows at first; a reminder that was sent is offered again."""
    early = (task.due_at - task.remind_at).total_seconds() // 60 if task.remind_at else 0
    remind = str(min((0, 15, 60), key=lambda minutes: abs(minutes - early)))
    waits = task.remind_at or task.due_at <= timezone.now()
    return {"text": task.text, "due_at": task.due_at, "who": task.assignee_id, "remind": remind if waits else ""}


def _home(request: PageRequest, task: Task) -> HttpResponseRedirect:
    return back(request, redirect("lead", uid=task.lead.uid).url)
