"""The pages behind links in messages. Looking at one changes nothing: programs that check links look at all of them."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from notifications import links
from notifications.actpage import build_act_page
from notifications.forms import SnoozeForm, action_form
from notifications.models import ActionLink
from notifications.readerwords import zone_of
from notifications.services.pressing import press

NOT_OURS: Final = "This link is not complete, or not one of ours. Open the message again and press the link in it."


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, token: str) -> HttpResponse:
    """Show what a link does, and do it when its button is pressed."""
    link = links.read_token(token)
    if link is None:
        return _page(request, 404, {"said": NOT_OURS})
    now = timezone.now()
    page = build_act_page(link, now)
    if page.spent:
        return _page(request, 410, {"act": page, "said": page.spent})
    form = action_form(link.action, request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _page(request, 200, {"act": page, "form": form})
    if not form.is_valid():
        return _page(request, 422, {"act": page, "form": form})
    until = form.moment(now, zone_of(link.user_id)) if isinstance(form, SnoozeForm) else None
    done, said = press(link, now, reason=form.cleaned_data.get("reason", ""), until=until)
    after = build_act_page(_again(link), now, done=done)
    return _page(request, 200 if done else 409, {"act": after, "said": said, "done": done})


def _again(link: ActionLink) -> ActionLink:
    link.lead.refresh_from_db()
    return link


def _page(request: HttpRequest, status: int, context: dict[str, Any]) -> HttpResponse:
    response = render(request, "notifications/act.html", context, status=status)
    response["X-Robots-Tag"] = "noindex, nofollow"
    # No other site learns the address. "no-referrer" would hide it from our own check of forms too.
    response["Referrer-Policy"] = "same-origin"
    return response
