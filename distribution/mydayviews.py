"""What a rep begins the day with: what waits, whether new leads come, and whether all of it is fair."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from distribution.availabilityforms import AwayForm
from distribution.fairnesspage import build_fairness, pool_lines
from distribution.mystatus import build_status
from distribution.selectors import open_offers, rep_of
from leadcrm.lib.pages import PageRequest, number_of
from pipeline.models import Task
from pipeline.selectors import workable_leads
from pipeline.tasklines import soon
from pipeline.workday import build_workday


@login_required
@require_safe
def my_day(request: PageRequest) -> HttpResponse:
    """Everything that waits for the reader, and the reader's own standing; ``?done`` asks what comes next."""
    now, rep = timezone.now(), rep_of(request.user)
    context = {
        "section": "my-day",
        "day": build_workday(request.user, now),
        "home": request.path,
        "rep": rep,
        "status": build_status(rep, now) if rep else None,
        "forms": {"away": AwayForm(auto_id="away_%s")},
        "offers": len(open_offers(rep)) if rep else 0,
        "pools": pool_lines(rep) if rep else [],
    }
    return render(request, "distribution/my_day.html", context | _after(request))


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
    pool, days = number_of(request.GET.get("pool", "")), number_of(request.GET.get("days", ""))
    page = build_fairness(rep, pool, days, timezone.now())
    return render(request, "distribution/fairness.html", {"section": "my-day", "page": page, "rep": rep})
