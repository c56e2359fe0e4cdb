"""docs/routing.md lists what the registries hold; `python -m tests.distribution.test_routing_docs` writes it."""

from pathlib import Path

import pytest

from distribution.engine.conditions import OPERATORS
from distribution.engine.eligibility import FILTERS
from distribution.engine.methods import METHODS
from distribution.engine.outcomes import OUTCOMES
from distribution.engine.targets import TARGETS
from tests.support.doctables import written

PAGE = Path(__file__).parents[2] / "docs" / "routing.md"

TABLES = {
    "operators": lambda: [(f"`{o.key}`", o.label, ", ".join(o.types)) for o in OPERATORS.values()],
    "targets": lambda: [(f"`{key}`", label) for key, label in TARGETS.items()],
    "filters": lambda: [(f"`{f.code}`", f.label, "yes" if f.soft else "") for f in FILTERS.values()],
    "methods": lambda: [(f"`{m.key}`", m.label, m.help, "yes" if m.posts else "") for m in METHODS.values()],
    "outcomes": lambda: [(f"`{o.code}`", o.label, o.fix) for o in OUTCOMES.values()],
}


@pytest.mark.parametrize("name", TABLES)
def test_every_entry_of_a_registry_is_in_the_docs(name):
    page = PAGE.read_text()
    assert written(page, name, TABLES[name]()) == page, "run python -m tests.distribution.test_routing_docs"


if __name__ == "__main__":
    text = PAGE.read_text()
    for table, rows in TABLES.items():
        text = written(text, table, rows())
    PAGE.write_text(text)
