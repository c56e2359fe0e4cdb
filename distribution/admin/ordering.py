"""The order of rules as the list's form sends it."""

from django.http import QueryDict


def posted_order(data: QueryDict) -> list[int]:
    """The ids of the inputs named ``rule``, in their order; ``move`` (``12:up``, ``12:down``) shifts one by a place.

    Raises:
        ValueError: an id is not a number.
    """
    order = [_id(text) for text in data.getlist("rule")]
    moved, _, direction = data.get("move", "").partition(":")
    if moved and _id(moved) in order:
        place = order.index(_id(moved))
        other = place - 1 if direction == "up" else place + 1
        if 0 <= other < len(order):
            order[place], order[other] = order[other], order[place]
    return order


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise ValueError("The list was sent incomplete; reload the page.")
    return int(text)
