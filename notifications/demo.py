"""How the demo company answers its leads."""

from typing import Final

from leadcrm.lib.demo import demo_part
from notifications.models import GuardPolicy, Sequence, SequenceStep

# Sequence, when it starts, and its messages: which, and how many hours after the one before.
_SEQUENCES: Final = (
    ("First answer", Sequence.Start.ASSIGNED, (("first_response", 0), ("follow_up", 24), ("follow_up", 72))),
    ("While it waits", Sequence.Start.HELD, (("first_response_held", 0),)),
)

_ADDRESS: Final = "Ostrelle Automation\n12 Harbour Street\nLondon E1 6AN"


@demo_part("sequences")
def build_sequences() -> None:
    """A first answer and two follow-ups, for every source; a word to those who have to wait. All by e-mail."""
    GuardPolicy.objects.update_or_create(country="", defaults={"channels": ["email"], "postal_address": _ADDRESS})
    for name, start, messages in _SEQUENCES:
        sequence = Sequence.objects.create(name=name, start=start)
        SequenceStep.objects.bulk_create(
            SequenceStep(sequence=sequence, position=position, kind=kind, after_hours=hours)
            for position, (kind, hours) in enumerate(messages)
        )
