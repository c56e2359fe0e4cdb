"""How long to wait before something that did not work is tried again."""

from datetime import timedelta
from typing import Final

_MOST_DOUBLINGS: Final = 20  # beyond that no span of ours is the longest, and numbers stay small


def doubled(first: timedelta, times: int, longest: timedelta) -> timedelta:
    """``first``, doubled as many times as it was in vain before, but never more than ``longest``."""
    factor: int = 2 ** min(times, _MOST_DOUBLINGS)
    return min(first * factor, longest)
