"""Tables of the documentation that are written from registries."""

import re
from collections.abc import Iterable, Sequence


def written(page: str, name: str, rows: Iterable[Sequence[str]]) -> str:
    """The page with one of its tables, between ``<!-- name -->`` and ``<!-- end -->``, as it should be."""
    lines = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    pattern = rf"(<!-- {name} -->\n\|[^\n]*\n\|[-|]*\n)(?:\|[^\n]*\n)*(<!-- end -->)"
    result, count = re.subn(pattern, lambda found: found[1] + lines + found[2], page)
    assert count == 1, f"the page has no table of {name}"
    return result
