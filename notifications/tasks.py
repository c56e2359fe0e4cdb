"""Doors through which messages are made and sent. Each finds what is due by itself and is safe to run twice."""

from typing import Final

from celery import shared_task

from leadcrm.lib import beat
from leadcrm.lib.wake import wake
from notifications import services
from notifications.services import callsweep, dialling, sequences

EVERY_SECONDS: Final = 10


@shared_task
def fan_out() -> str:
    """Tell what happened and nobody was told yet."""
    return f"told {services.fan_out()}"


@shared_task
def deliver(channel: str) -> str:
    """Send what is due over a channel."""
    sent, more = services.deliver(channel)
    if more:
        wake(deliver, channel)
    return f"sent {sent}"


@shared_task
def sweep_deliveries() -> str:
    """Take up what a lost worker left, and have every channel send what is due."""
    rescued = services.rescue()
    for channel in services.channels_with_work():
        wake(deliver, channel)
    return f"rescued {rescued}"


@shared_task
def sweep_sequences() -> str:
    """Write to the leads whose next message is due."""
    return f"sent {sequences.sweep_sequences()}"


@shared_task
def place_call(call_id: int) -> str:
    """Ring the rep who asked for a call. Never done twice."""
    return dialling.place(call_id)


@shared_task
def sweep_calls() -> str:
    """End the calls of which nobody said how they went."""
    return f"ended {callsweep.sweep_calls()}"


@shared_task
def prune_messages() -> str:
    """Forget old messages."""
    return f"forgot {services.prune()}"


beat.register("Forget old messages", task="notifications.tasks.prune_messages", every_seconds=3600)
beat.register("End calls without a report", task="notifications.tasks.sweep_calls", every_seconds=300)
beat.register("Write to leads", task="notifications.tasks.sweep_sequences", every_seconds=60)
beat.register("Tell what happened", task="notifications.tasks.fan_out", every_seconds=EVERY_SECONDS)
beat.register("Send messages", task="notifications.tasks.sweep_deliveries", every_seconds=EVERY_SECONDS)
