"""How somebody wants to be told: channels, quiet hours, language, addresses and browsers."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from leadcrm.lib.pages import PageRequest, back, page_or_part
from notifications.channels import CHANNELS, SendError
from notifications.channels.push import application_server_key
from notifications.choosing import address_of, secret_for
from notifications.models import ContactAddress, PushSubscription
from notifications.mychannels import build_my_channels
from notifications.preferences import (
    WITH_ADDRESS,
    AddressForm,
    CodeForm,
    PreferenceForm,
    build_preference_page,
    channels_to_test,
)
from notifications.services import lifting, verifying
from notifications.services.resending import send_test

TEST_EVERY: Final = 30  # seconds
MOST_BROWSERS: Final = 10
LONGEST_BODY: Final = 4000


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def preferences(request: PageRequest) -> HttpResponse:
    """The page, and saving what stands in its first form."""
    if request.method != "POST":
        return _page(request)
    form = PreferenceForm(request.user, request.POST)
    if not form.is_valid():
        return _page(request, {"form": form}, status=422)
    form.save()
    messages.success(request, "Saved.")
    return redirect("preferences")


def _page(
    request: PageRequest, forms: Mapping[str, Any] | None = None, *, status: int = 200, secret: str = ""
) -> HttpResponse:
    context = {
        "secret": secret,
        "section": "preferences",
        "page": build_preference_page(request.user, **(forms or {})),
        "to_test": channels_to_test(request.user),
        "push_key": application_server_key(),
    }
    return render(request, "notifications/preferences.html", context, status=status)


@login_required
@never_cache
@require_POST
def save_address(request: PageRequest, channel: str) -> HttpResponse:
    """Keep an address, and send there what confirms it. The secret of a new webhook is shown here, once."""
    form, before = AddressForm(_with_address(channel), request.POST), secret_for(request.user, channel)
    if not form.is_valid():
        return _page(request, {channel: form}, status=422)
    try:
        row = verifying.set_address(request.user, channel, form.cleaned_data["address"], timezone.now())
    except verifying.VerifyError as error:
        form.add_error("address", str(error))
        return _page(request, {channel: form}, status=422, secret=_new(request, channel, before))
    if secret := _new(request, channel, before):
        return _page(request, secret=secret)
    messages.success(request, f"{row.address} is confirmed." if row.verified_at else f"Sent to {row.address}.")
    return redirect("preferences")


def _new(request: PageRequest, channel: str, before: str) -> str:
    """The secret of a webhook if it is another one than before; it is shown to nobody twice."""
    now = secret_for(request.user, channel)
    return now if now != before else ""


@login_required
@never_cache
@require_POST
def new_secret(request: PageRequest) -> HttpResponse:
    """Make the secret of the webhook anew, and show it, once."""
    return _page(request, secret=verifying.new_secret(request.user))


@login_required
@require_POST
def enter_code(request: PageRequest, channel: str) -> HttpResponse:
    """Confirm an address with the code that went there."""
    mine = ContactAddress.objects.filter(user=request.user).exclude(address="")
    row = get_object_or_404(mine, channel=_with_address(channel))
    form = CodeForm(channel, request.POST)
    if form.is_valid():
        try:
            verifying.verify_by_code(row, form.cleaned_data["code"], timezone.now())
            lifting.lift_own(row, timezone.now())
        except verifying.VerifyError as error:
            form.add_error("code", str(error))
    if form.errors:
        return _page(request, {f"{channel}_code": form}, status=422)
    messages.success(request, f"{row.address} is confirmed.")
    return redirect("preferences")


@login_required
@never_cache
@require_POST
def ask_code(request: PageRequest, channel: str) -> HttpResponse:
    """Send a code to an own address on the stop list; entering it takes the address off."""
    try:
        row = lifting.ask_code(request.user, _with_address(channel), timezone.now())
    except verifying.VerifyError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"A code went to {row.address}.")
    return redirect("preferences")


@login_required
@require_POST
def forget_address(request: PageRequest, channel: str) -> HttpResponse:
    """Remove an address."""
    verifying.forget_address(request.user, _with_address(channel))
    messages.success(request, "Removed.")
    return redirect("preferences")


def _with_address(channel: str) -> str:
    if channel not in WITH_ADDRESS:
        raise Http404("There is no such channel.")
    return channel


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind the link in an e-mail. Only its button confirms: programs that check links open them too."""
    row = verifying.read_token(token)
    if row is not None and request.method == "POST":
        verifying.verify_by_link(row, timezone.now())
        row.refresh_from_db()
    response = render(request, "notifications/verify.html", {"row": row}, status=200 if row else 404)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response


@login_required
@require_safe
def my_channels(request: PageRequest) -> HttpResponse:
    """The reader's channels and how they stand now: a part of My day, and a page of its own."""
    context = {"section": "my-day", "page": build_my_channels(request.user, timezone.now()), "home": reverse("my-day")}
    return page_or_part(request, "notifications/channels.html", "notifications/_channels.html", context)


@login_required
@require_POST
def try_channel(request: PageRequest, channel: str) -> HttpResponse:
    """Send the user a message that only says that the channel works."""
    if channel not in dict(channels_to_test(request.user)):
        raise Http404("There is nothing to test.")
    if not cache.add(f"test:{request.user.pk}:{channel}", True, TEST_EVERY):
        messages.error(request, f"A test went out a moment ago. Wait {TEST_EVERY} seconds.")
        return back(request, reverse("preferences"))
    try:
        send_test(channel, address_of(request.user, channel), secret_for(request.user, channel))
    except SendError as error:
        messages.error(request, f"The test did not go out: {error.text}")
    else:
        messages.success(request, f"A test by {CHANNELS[channel].label} is on its way.")
    return back(request, reverse("preferences"))


# --- Browsers ------------------------------------------------------------------------------------


@login_required
@require_POST
def subscribe(request: PageRequest) -> HttpResponse:
    """Keep a browser that shows messages, as the browser describes itself."""
    found = _subscription(request.body)
    if found is None:
        return JsonResponse({"detail": "This is no browser that can be reached."}, status=422)
    mine = PushSubscription.objects.filter(user=request.user)
    if mine.exclude(endpoint=found["endpoint"]).count() >= MOST_BROWSERS:
        return JsonResponse({"detail": f"{MOST_BROWSERS} browsers are enough. Remove them all first."}, status=422)
    values = {"user": request.user, "p256dh": found["p256dh"], "auth": found["auth"], "failed_at": None}
    PushSubscription.objects.update_or_create(endpoint=found["endpoint"], defaults=values)
    return HttpResponse(status=204)


def _subscription(body: bytes) -> dict[str, str] | None:
    """The subscription in a request (Push API, 10: PushSubscriptionJSON); None when it is none."""
    try:
        sent: Any = json.loads(body) if len(body) <= LONGEST_BODY else None
        found = {"endpoint": sent["endpoint"], "p256dh": sent["keys"]["p256dh"], "auth": sent["keys"]["auth"]}
        address = urlsplit(found["endpoint"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    fits = all(isinstance(text, str) and text.isascii() and text.isprintable() for text in found.values())
    short = len(str(found["endpoint"])) <= 500 and len(str(found["p256dh"])) <= 200 and len(str(found["auth"])) <= 100
    return found if fits and short and address.scheme == "https" and address.hostname else None


@login_required
@require_POST
def unsubscribe(request: PageRequest) -> HttpResponseRedirect:
    """Forget the user's browsers."""
    PushSubscription.objects.filter(user=request.user).delete()
    messages.success(request, "No browser shows your messages any more.")
    return redirect("preferences")
