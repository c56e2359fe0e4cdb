"""docs/routing.md lists what the registries hold; `python -m tests.distribution.test_routing_docs` writes it."""

import re
from pathlib import Path

import pytest

from distribution.engine.conditions import OPERATORS
from distribution.engine.eligibility import FILTERS
from distribution.engine.methods import METHODS
from distribution.engine.outcomes import OUTCOMES
from distribution.engine.targets import TARGETS

PAGE = Path(__file__).parents[2] / "docs" / "routing.md"

TABLES = {
    "operators": lambda: [(f"`{o.key}`", o.label, ", ".join(o.types)) for o in OPERATORS.values()],
    "targets": lambda: [(f"`{key}`", label) for key, label in TARGETS.items()],
    "filters": lambda: [(f"`{f.code}`", f.label, "yes" if f.soft else "") for f in FILTERS.values()],
    "methods": lambda: [(f"`{m.key}`", m.label, m.help, "yes" if m.posts else "") for m in METHODS.values()],
    "outcomes": lambda: [(f"`{o.code}`", o.label, o.fix) for o in OUTCOMES.values()],
}


def written(name: str, page: str) -> str:
    """The page with one of its tables as the registry has it."""
    rows = "".join(f"| {' | '.join(row)} |\n" for row in TABLES[name]())
    pattern = rf"(<!-- {name} -->\n\|[^\n]*\n\|[-|]*\n)(?:\|[^\n]*\n)*(<!-- end -->)"
    result, count = re.subn(pattern, lambda found: found[1] + rows + found[2], page)
    assert count == 1, f"docs/routing.md has no table of {name}"
    return result


@pytest.mark.parametrize("name", TABLES)
def test_every_entry_of_a_registry_is_in_the_docs(name):
    page = PAGE.read_text()
    assert written(name, page) == page, "run python -m tests.distribution.test_routing_docs"


if __name__ == "__main__":
    text = PAGE.read_text()
    for table in TABLES:
        text = written(table, text)
    PAGE.write_text(text)
