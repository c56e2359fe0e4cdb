"""Tell people in which rows of a file something stands."""

from collections.abc import Sequence
from typing import Final

_MOST_ROWS: Final = 12


def rows_text(rows: Sequence[int]) -> str:
    """``row 5``, or ``14 rows: 5, 9, 12 …``; 0 alone is the file as a whole."""
    if list(rows) == [0]:
        return "the whole file"
    shown = ", ".join(map(str, rows[:_MOST_ROWS]))
    more = f" and {len(rows) - _MOST_ROWS} more" if len(rows) > _MOST_ROWS else ""
    return f"row {shown}" if len(rows) == 1 else f"{len(rows)} rows: {shown}{more}"
