"""What a rep begins the day with: what waits, whether new leads come, and whether all of it is fair."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from distribution.availabilityforms import AwayForm
from distribution.fairnesspage import build_fairness, pool_lines
from distribution.models import Rep
from distribution.mystatus import build_status
from distribution.selectors import concerned_since, manageable_reps, open_offers, rep_of
from distribution.teampage import broken_today, manages
from leadcrm.lib.pages import NEWEST_EVENT, UNATTENDED, PageRequest, number_of
from pipeline.cursor import Cursor, latest, look
from pipeline.models import Task
from pipeline.selectors import workable_leads
from pipeline.tasklines import soon
from pipeline.workday import build_workday


@login_required
@require_safe
def my_day(request: PageRequest) -> HttpResponse:
    """Everything that waits for the reader, and the reader's own standing; ``?done`` asks what comes next."""
    return render(request, "distribution/my_day.html", _day(request, latest(timezone.now())) | _after(request))


@login_required
@require_safe
def changes(request: PageRequest) -> HttpResponse:
    """The day again if something happened since an event (``since``), else nothing; without one, always. Open pages ask
    every few seconds."""
    setattr(request, UNATTENDED, True)
    asked, now = Cursor.read(request.GET.get("since", "")), timezone.now()
    cursor, since = look(asked, now) if asked else (latest(now), None)
    if asked and (since is None or not concerned_since(request.user, since)):
        response = HttpResponse(status=204)
    else:
        response = render(request, "distribution/_day.html", _day(request, cursor))
    response.headers[NEWEST_EVENT] = str(cursor)
    return response


def _day(request: PageRequest, cursor: Cursor) -> dict[str, object]:
    """``cursor``: was read before all else, so that what comes after it is told later."""
    now, rep = timezone.now(), rep_of(request.user)
    return {
        "section": "my-day",
        "cursor": cursor,
        "day": build_workday(request.user, now),
        "home": reverse("my-day"),
        "rep": rep,
        "status": build_status(rep, now) if rep else None,
        "forms": {"away": AwayForm(auto_id="away_%s")},
        "offers": open_offers(request.user).values("lead").distinct().count(),
        "pools": pool_lines(rep) if rep else [],
        "broken": None if rep or not manages(request.user) else broken_today(request.user, now),
    }


def _after(request: PageRequest) -> dict[str, object]:
    """The lead whose task was just done, and what may come next for it."""
    number = number_of(request.GET.get("done", ""))
    done = Task.objects.filter(pk=number, end=Task.End.DONE, lead__in=workable_leads(request.user)) if number else None
    task = done.select_related("lead").first() if done is not None else None
    return {"after": task.lead, "soon": soon(timezone.now())} if task else {}


@login_required
@require_safe
def fairness(request: PageRequest) -> HttpResponse:
    """What each of the reader's pools gave and owes."""
    rep = rep_of(request.user)
    if rep is None:
        return render(request, "distribution/no_rep.html", {"section": "my-day"})
    return _fairness(request, rep)


@login_required
@require_safe
def fairness_of(request: PageRequest, pk: int) -> HttpResponse:
    """The same of somebody whom the reader looks after."""
    return _fairness(request, get_object_or_404(manageable_reps(request.user), pk=pk))


def _fairness(request: PageRequest, rep: Rep) -> HttpResponse:
    pool, days = number_of(request.GET.get("pool", "")), number_of(request.GET.get("days", ""))
    page = build_fairness(rep, request.user, pool, days, timezone.now())
    return render(request, "distribution/fairness.html", {"section": "my-day" if page.own else "team", "page": page})
