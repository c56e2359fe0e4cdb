"""The page behind *Unsubscribe* in an e-mail to a lead. Looking at it changes nothing: programs that check links do."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications.channels import EMAIL
from notifications.leaving import WORDS, Way, read_token
from notifications.models import Stop
from notifications.services import optouts


@csrf_exempt  # mail programs post without a session (RFC 8058); who has the link may
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether to write no more, and do so when the button is pressed, here or in the mail program."""
    way = read_token(token)
    if way is not None and request.method == "POST":
        origin, words = "unsubscribe link", way.words.label
        optouts.stop(EMAIL, way.address, reason=Stop.Reason.LINK, words=words, origin=origin, now=timezone.now())
    response = render(request, "notifications/leave.html", _context(way), status=200 if way else 404)
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response


def _context(way: Way | None) -> dict[str, object]:
    if way is None:
        return {"language": "en", "label": WORDS["en"].label}
    left = Stop.objects.filter(channel=EMAIL, address=way.address, lifted_at=None).exists()
    words = way.words
    said = words.done if left else words.ask
    language = way.language if way.language in WORDS else "en"
    return {"language": language, "label": words.label, "said": said.format(way.address), "left": left}
