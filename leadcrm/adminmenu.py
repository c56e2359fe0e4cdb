"""The admin's menu and front page: five sections, in the order in which a company is set up."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple

from django.apps import apps
from django.contrib import admin
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from distribution.engine.outcomes import NO_RULE
from distribution.selectors import unrouted_since

LATELY: Final = timedelta(days=7)


class Entry(NamedTuple):
    """One line of the menu: a model (``app.Model``) or the name of an admin page, and what it is for.

    ``permission`` is what somebody needs to see a page that is no list of one model.
    """

    target: str
    icon: str
    purpose: str
    title: str = ""
    permission: str = "distribution.view_ruleset"


SECTIONS: dict[str, tuple[Entry, ...]] = {
    "1. People": (
        Entry("auth.User", "person", "Who may sign in."),
        Entry("auth.Group", "shield_person", "What they may see and do."),
        Entry("pipeline.Team", "groups", "Who works leads together, under which manager."),
        Entry("distribution.WorkingHours", "schedule", "When people work, in which time zone, with which holidays."),
        Entry("distribution.Rep", "badge", "Who gets leads: languages, skills, limits, away or available."),
        Entry("distribution.Leave", "beach_access", "Who is not there when, and who stands in.", "Leave"),
        Entry("distribution.LeaveCalendar", "calendar_month", "Calendars on the web that leave follows."),
        Entry("distribution.AwayReason", "coffee", "What people give as a reason, such as lunch."),
        Entry("distribution.Skill", "school", "What reps can sell."),
        Entry(
            "distribution_onboard",
            "upload_file",
            "Take all of it over from CSV files.",
            "Onboard",
            "distribution.add_rep",
        ),
    ),
    "2. Where leads come from": (
        Entry("pipeline.LeadSource", "login", "Forms, partners and files, their keys and required fields."),
        Entry("pipeline.AttributeDefinition", "help_center", "Questions of your own that sources may send."),
        Entry("pipeline.Pipeline", "view_kanban", "The stages a lead goes through."),
        Entry("pipeline.LostReason", "thumb_down", "What people choose from when a lead is lost."),
        Entry("pipeline.ExchangeRate", "currency_exchange", "To compare values in one currency."),
    ),
    "3. Who gets what": (
        Entry("pipeline.Account", "domain", "Companies you know, and who owns them."),
        Entry("distribution.Territory", "map", "Places and segments."),
        Entry("distribution.Pool", "diversity_3", "Reps who share leads, and by which method."),
        Entry("distribution.RuleSet", "rule_settings", "Drafts, the live one, and earlier ones."),
        Entry("distribution.RoutingRule", "alt_route", "When these conditions hold, go there."),
        Entry("distribution.SLAPolicy", "timer", "How soon a lead is answered, and what happens when it is not."),
        Entry("distribution_test_lead", "science", "See who would get a lead, and why.", "Test a lead"),
    ),
    "4. Leads": (
        Entry("pipeline.Lead", "contact_page", "Everyone who asked for something."),
        Entry("pipeline.Task", "task_alt", "What people are to do for which lead, by when."),
        Entry("distribution.Assignment", "assignment_ind", "Who had which lead, from when to when."),
        Entry("distribution.Decision", "psychology", "Why each lead went where it went."),
        Entry("distribution.Hold", "hourglass_top", "Leads that wait, and for what."),
        Entry("distribution.SLAClock", "alarm", "Promises that run or ran, and those that failed."),
        Entry("distribution.Loan", "swap_horiz", "Leads that somebody else has while their owner is on leave."),
        Entry("distribution.Offer", "front_hand", "Leads up for claim, and by whom."),
    ),
    "5. Messages": (
        Entry("notifications.ChannelSwitch", "cell_tower", "What can be used, the emergency stop, a test.", "Channels"),
        Entry("notifications.Notification", "outgoing_mail", "Who was told what, and what did not go out.", "Messages"),
        Entry("notifications.MessageTemplate", "edit_note", "What messages say, with a preview.", "Templates"),
        Entry("notifications.ContactAddress", "alternate_email", "Where people are reached, and what is confirmed."),
        Entry("notifications.ChannelChoice", "tune", "By which channels people are told."),
        Entry("notifications.Sequence", "forward_to_inbox", "The first answer to a lead, and what follows."),
        Entry("notifications.SequenceRun", "sync_alt", "Which lead is at which message of a sequence.", "Under way"),
        Entry("notifications.GuardPolicy", "policy", "When and how often leads are written to.", "Guard"),
        Entry("notifications.Stop", "block", "Who must not be written to.", "Stop list"),
        Entry("notifications.InboundMessage", "inbox", "What came in, and what was done with it."),
        Entry("notifications.Call", "call", "Phone calls with leads, and how they went."),
        Entry("notifications.FanOutFailure", "notification_important", "What nobody could be told of, and why."),
    ),
    "6. History and system": (
        Entry("pipeline.Event", "history", "Everything that happened to every lead."),
        Entry("pipeline.Consent", "verified_user", "What people agreed to."),
        Entry("distribution.StepTaken", "stairs", "Steps of SLA ladders that were taken."),
        Entry("distribution.CreditCorrection", "balance", "Turns given back or corrected by hand."),
        Entry("distribution.RepCounter", "counter_5", "New leads per rep and period, for the caps."),
        Entry("axes.AccessAttempt", "lock", "Mistyped passwords, and who is locked out.", "Failed sign-ins"),
        Entry("django_celery_beat.PeriodicTask", "schedule", "What runs by itself, and how often."),
    ),
}


def icon(request: HttpRequest) -> str:
    return static("leadcrm/icon.svg")


def stylesheet(request: HttpRequest) -> str:
    return static("leadcrm/admin.css")


def script(request: HttpRequest) -> str:
    return static("leadcrm/admin.js")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu as the admin theme wants it, without what the user may not see."""
    return [
        {"title": title, "separator": number > 0, "items": list(_items(request, entries))}
        for number, (title, entries) in enumerate(SECTIONS.items())
    ]


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds the sections to the context of the admin's front page, and what admins are told there."""
    sections = [section for section in navigation(request) if section["items"]]
    return {**context, "sections": sections, "unrouted": _unrouted(request)}


def _unrouted(request: HttpRequest) -> dict[str, Any] | None:
    """One notice about all leads that no rule was for, however many; None when there are none."""
    if not request.user.has_perm("distribution.view_decision"):
        return None
    count = unrouted_since(timezone.now() - LATELY)
    link = f"{reverse('admin:distribution_decision_changelist')}?reason__exact={NO_RULE}"
    return {"count": count, "link": link} if count else None


def _items(request: HttpRequest, entries: tuple[Entry, ...]) -> Iterator[dict[str, Any]]:
    for entry in entries:
        item = _model_item(request, entry) if "." in entry.target else _page_item(request, entry)
        if item:
            yield {**item, "icon": entry.icon, "purpose": entry.purpose}


def _model_item(request: HttpRequest, entry: Entry) -> dict[str, Any] | None:
    model = apps.get_model(entry.target)
    model_admin = admin.site._registry.get(model)
    if model_admin is None or not model_admin.has_view_permission(request):
        return None
    meta = model._meta
    link = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    add = reverse(f"admin:{meta.app_label}_{meta.model_name}_add") if model_admin.has_add_permission(request) else ""
    title = entry.title or str(meta.verbose_name_plural)
    return {"title": title[:1].upper() + title[1:], "link": link, "add": add}


def _page_item(request: HttpRequest, entry: Entry) -> dict[str, Any] | None:
    """A page that is no list of one model."""
    try:
        link = reverse(f"admin:{entry.target}")
    except NoReverseMatch:
        return None
    user = request.user
    return {"title": entry.title, "link": link} if user.has_perm(entry.permission) else None
