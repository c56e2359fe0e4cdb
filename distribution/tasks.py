"""Doors through which beat runs the sweeps. Each finds what is due by itself and is safe to run twice."""

from celery import shared_task

from distribution import leavecalendars, services
from leadcrm.lib import beat


@shared_task
def sweep_unassigned() -> str:
    """Route leads that nobody routed."""
    return f"assigned {services.sweep_unassigned()}"


@shared_task
def sweep_waiting() -> str:
    """Route leads that wait and whose turn has come."""
    return f"found someone for {services.sweep_holds()}, took back {services.sweep_offers()} offers"


@shared_task
def sweep_cover() -> str:
    """Lend the leads of people on leave, and give back what was lent."""
    lent, returned = services.sweep_cover()
    return f"lent {lent}, gave back {returned}"


@shared_task
def read_leave_calendars() -> str:
    """Read the calendars on the web whose entries are leave."""
    done, failed = leavecalendars.read_calendars()
    return f"read {done} calendars, {failed} failed"


@shared_task
def read_leave_calendar(calendar_id: int) -> str:
    """Read one calendar on the web because somebody asked for it."""
    return {True: "read", False: "failed", None: "gone"}[leavecalendars.read_one(calendar_id)]


@shared_task
def preview_leave_calendar(calendar_id: int) -> str:
    """Fetch a calendar on the web to show what reading it would change."""
    return leavecalendars.keep_preview(calendar_id)


@shared_task
def escalate_due() -> str:
    """Take the steps of promises that are due."""
    return f"took steps of {services.sweep_clocks()} clocks"


beat.register("Escalate due promises", task="distribution.tasks.escalate_due", every_seconds=15)
beat.register("Route unassigned leads", task="distribution.tasks.sweep_unassigned", every_seconds=60)
beat.register("Release waiting leads", task="distribution.tasks.sweep_waiting", every_seconds=15)
beat.register("Lend and give back leads", task="distribution.tasks.sweep_cover", every_seconds=60)
beat.register("Read calendars of leave", task="distribution.tasks.read_leave_calendars", every_seconds=60)
