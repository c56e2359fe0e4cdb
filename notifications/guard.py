"""The guard: asked before every message to a lead, right before it is sent. The rules are in ``verdicts``."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.db.models import Q, QuerySet

from leadcrm.lib.places import time_zones_of, world_zones
from leadcrm.lib.postal import region_of_postal
from leadcrm.lib.text import Unreadable
from leadcrm.lib.transactions import retried
from notifications.channels import SendError
from notifications.models import ChannelSwitch, GuardPolicy, InboundMessage, Notification, SequenceRun, Stop
from notifications.verdicts import DAY, Facts, Limit, Verdict, judge
from pipeline.models import Event, Lead
from pipeline.normalise import parse_phone

WHATSAPP: Final = "whatsapp"
# What leads are sent step by step.
SEQUENCE_KINDS: Final = ("first_response", "first_response_held", "follow_up")
# How a run ends without anybody who wants its messages not to go.
_ENDED_BY_ITSELF: Final = ("", "done", "unreachable")
_UNSENT: Final = (Notification.State.FAILED, Notification.State.SUPPRESSED)


@retried
def let_pass(notification: Notification, address: str, now: datetime, *, approved_template: bool) -> Verdict:
    """What the guard says of a notification to a lead that is about to be sent; one that may go counts from now on.

    One message is looked at at a time, so that the daily limits hold whatever the number of workers. Asking again for
    the same notification does not count it twice, and one that failed or was suppressed does not count.

    Args:
        address: where it goes, as leads carry it.
        approved_template: WhatsApp itself approved the text.
    """
    with transaction.atomic():
        _one_at_a_time()
        verdict = check(
            Lead.objects.get(notifications=notification),  # as it is now, not as it was when the work began
            notification.channel,
            address,
            now,
            approved_template=approved_template,
            own=notification,
        )
        if verdict.allowed:
            place = normal_address(notification.channel, address)
            Notification.objects.filter(pk=notification.pk).update(passed_at=now, address=place)
    return verdict


def _one_at_a_time() -> None:
    GuardPolicy.objects.get_or_create(country="")
    list(GuardPolicy.objects.select_for_update(no_key=True).filter(country="").values_list("pk"))


def check(
    lead: Lead, channel: str, address: str, now: datetime, *, approved_template: bool, own: Notification | None = None
) -> Verdict:
    """What the guard would say of a message to this lead, over a channel, at a moment. Changes nothing.

    Args:
        address: where it would go, as leads carry it.
        approved_template: WhatsApp itself approved the text.
        own: the notification that asks, which does not count itself.
    """
    address = normal_address(channel, address)
    policy = policy_of(lead)
    facts = Facts(
        never=_never(lead, own),
        consent=consent_of(lead, channel),
        stopped=why_stopped(channel, address),
        emergency=_emergency(channel),
        zones=zones_of(lead, policy),
        opens=policy.opens,
        closes=policy.closes,
        limits=tuple(_limits(policy, lead, channel, address, now, own)),
        needs_window=channel == WHATSAPP and not approved_template,
        last_inbound=_last_inbound(address) if channel == WHATSAPP else None,
    )
    return judge(facts, now)


def normal_address(channel: str, address: str) -> str:
    """An address as leads, the stop list and the history carry it."""
    return address.strip().lower() if channel == "email" else address.strip().removeprefix(f"{WHATSAPP}:")


def address_of(lead: Lead, channel: str) -> str:
    """Where a lead is reached over a channel, as it is now; "" when nowhere."""
    return lead.email if channel == "email" else lead.phone


def stop_of(channel: str, address: str) -> Stop | None:
    """What keeps an address from being written to over this channel, if anything does."""
    return Stop.objects.filter(channel=channel, address=normal_address(channel, address), lifted_at=None).first()


def stops_of(lead: Lead) -> list[Stop]:
    """What keeps a lead from being written to, over any channel."""
    email, phone = normal_address("email", lead.email), lead.phone
    at_phone = Q(address=phone) & ~Q(channel="email") if phone else Q(pk=None)
    at_email = Q(address=email, channel="email") if email else Q(pk=None)
    return list(Stop.objects.filter(at_phone | at_email, lifted_at=None).order_by("channel"))


def why_stopped(channel: str, address: str) -> str:
    """Why an address is on the stop list of a channel; "" when it is not."""
    stop = stop_of(channel, address)
    return f"{stop.get_reason_display()}." if stop else ""


def refuse_stopped(channel: str, address: str) -> None:
    """For what goes to no lead: to colleagues, tests and codes. Who said STOP gets none of it either.

    Raises:
        SendError: the address is on the stop list.
    """
    if why := why_stopped(channel, address):
        raise SendError(f"It is on the stop list: {why}", "stopped", permanent=True)


def consent_of(lead: Lead, channel: str) -> bool | None:
    """What the latest consent record of a channel says; None without one."""
    return lead.consents.filter(channel=channel).order_by("-at", "-pk").values_list("granted", flat=True).first()


def policy_of(lead: Lead) -> GuardPolicy:
    """The policy for the lead's country, or the one for all others."""
    found = GuardPolicy.objects.filter(country__in=("", _country_of(lead))).order_by("-country").first()
    return found or GuardPolicy()


def zones_of(lead: Lead, policy: GuardPolicy) -> tuple[ZoneInfo, ...]:
    """Every time zone the lead may be in: a message must be allowed in all of them."""
    own = _zone(lead.time_zone)
    if own is not None:
        return (own,)
    region = lead.region or region_of_postal(lead.country, lead.postal_code)
    known = time_zones_of(lead.country, region, lead.phone) or tuple(_assumed(policy)) or world_zones()
    return tuple(ZoneInfo(name) for name in known)


def _assumed(policy: GuardPolicy) -> Iterator[str]:
    for country in policy.assumed_countries:
        yield from time_zones_of(str(country))


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _country_of(lead: Lead) -> str:
    if lead.country or not lead.phone:
        return lead.country
    try:
        return parse_phone(lead.phone).country
    except Unreadable:
        return ""


def _never(lead: Lead, own: Notification | None) -> str:
    if lead.archived_at is not None:
        return "The lead is archived."
    if lead.closed_at is not None:
        return "The lead is closed."
    run = SequenceRun.objects.select_related("lead").filter(messages=own).first() if own else None
    over = why_over(run) if run else ""
    return f"The sequence ended: {over}." if over else ""


def why_over(run: SequenceRun) -> str:
    """Why nothing more of a sequence must go to its lead, whatever was begun; "" when it may."""
    lead = run.lead
    if run.end not in _ENDED_BY_ITSELF:
        return run.end
    if lead.closed_at or lead.archived_at:
        return "closed"
    if lead.first_contacted_at:
        return "contacted"
    replied = lead.events.filter(kind=Event.Kind.REPLIED, at__gte=run.started_at).exists()
    return "replied" if replied else ""


def _emergency(channel: str) -> str:
    """Why nothing may leave over this channel for now; "" when it may."""
    stopped = ChannelSwitch.objects.filter(channel__in=(channel, ChannelSwitch.ALL), stopped=True).first()
    return (stopped.reason or f"{stopped.channel} is switched off.") if stopped else ""


def _last_inbound(address: str) -> datetime | None:
    latest = InboundMessage.objects.filter(channel=WHATSAPP, sender=address).order_by("-at")
    return latest.values_list("at", flat=True).first()


def _limits(
    policy: GuardPolicy, lead: Lead, channel: str, address: str, now: datetime, own: Notification | None
) -> Iterator[Limit]:
    passed = Notification.objects.filter(user=None, passed_at__gt=now - DAY).exclude(state__in=_UNSENT)
    passed = passed.exclude(pk=own.pk) if own else passed
    yield _limit("for one lead", policy.per_lead, passed.filter(lead=lead))
    yield _limit("for one address", policy.per_address, passed.filter(channel=channel, address=address))
    if policy.per_channel is not None:
        yield _limit("of our own number", policy.per_channel, passed.filter(channel=channel))


def _limit(whom: str, most: int, passed: QuerySet[Notification]) -> Limit:
    """Of more than the limit, the newest are enough to know when the next may go."""
    newest = passed.order_by("-passed_at").values_list("passed_at", flat=True)[:most]
    return Limit(whom, most, tuple(moment for moment in reversed(newest) if moment is not None))
