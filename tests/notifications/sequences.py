"""Sequences to try."""

from typing import Any

from notifications.models import Sequence, SequenceStep


def make_sequence(*hours: int, name: str = "Welcome", kind: str = "", **more: Any) -> Sequence:
    """A sequence whose messages come so many hours after each other."""
    sequence = Sequence.objects.create(name=name, **more)
    first = "first_response_held" if sequence.start == Sequence.Start.HELD else "first_response"
    for position, after in enumerate(hours):
        step = kind or (first if position == 0 else "follow_up")
        SequenceStep.objects.create(sequence=sequence, position=position, after_hours=after, kind=step)
    return sequence
