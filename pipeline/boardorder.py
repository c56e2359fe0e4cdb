"""In which order cards lie in a column, and how a card says its place: a text that compares as the cards do.

The place is where the next cards begin (``after``), and where a browser puts a card that it is told of.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import and_, or_
from typing import Any, Final

from django.db.models import F, Q
from django.db.models.expressions import OrderBy

from pipeline.models import Lead, Stage

_DIGITS: Final = 17
_LAST: Final = 10**_DIGITS - 1
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Order:
    """Columns of a lead and whether the larger comes first. What has no value comes last."""

    fields: tuple[tuple[str, bool], ...]

    def by(self) -> list[OrderBy]:
        """For ``order_by``."""
        return [
            F(name).desc() if falls else F(name).asc(nulls_last=name in _MAY_BE_EMPTY) for name, falls in self.fields
        ]

    def place_of(self, lead: Lead) -> str:
        """Where a lead lies, as a text."""
        return "-".join(f"{_number(getattr(lead, name), falls):0{_DIGITS}d}" for name, falls in self.fields)

    def after(self, place: str) -> Q | None:
        """The leads that come after a place; None for a text that is none."""
        parts = place.split("-")
        if len(parts) != len(self.fields) or not all(len(part) == _DIGITS and part.isdecimal() for part in parts):
            return None
        try:
            values = [_value(name, int(part), falls) for part, (name, falls) in zip(parts, self.fields, strict=True)]
        except (OverflowError, ValueError):
            return None
        same = [Q(**{name: value}) for (name, _), value in zip(self.fields, values, strict=True)]
        further = [_beyond(name, value, falls) for (name, falls), value in zip(self.fields, values, strict=True)]
        return reduce(or_, (reduce(and_, same[:index], step) for index, step in enumerate(further)))


_MAY_BE_EMPTY: Final = ("due_at",)
URGENCY: Final = Order((("due_at", False), ("created_at", True), ("pk", True)))
BY_HAND: Final = Order((("board_at", True), ("pk", True)))
CLOSED: Final = Order((("closed_at", True), ("pk", True)))


# A lead that stands by the end of its rest shows no clock, and is neither late nor soon to be.
NOT_RESTING: Final = Q(snoozed_until=None) | Q(due_at__lt=F("snoozed_until"))


def order_of(stage: Stage, *, by_hand: bool) -> Order:
    """How the cards of a stage are ordered; closed ones always by when they were closed."""
    if stage.kind != Stage.Kind.OPEN:
        return CLOSED
    return BY_HAND if by_hand else URGENCY


def _number(value: datetime | int | None, falls: bool) -> int:
    if value is None:
        return _LAST
    number = (value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else value
    return _LAST - number if falls else number


def _value(name: str, number: int, falls: bool) -> datetime | int | None:
    if number == _LAST and not falls:
        return None
    plain = _LAST - number if falls else number
    return plain if name == "pk" else _EPOCH + plain * _MICROSECOND


def _beyond(name: str, value: Any, falls: bool) -> Q:
    if value is None:
        return Q(pk__in=())
    beyond = Q(**{f"{name}__{'lt' if falls else 'gt'}": value})
    return beyond | Q(**{name: None}) if name in _MAY_BE_EMPTY else beyond
