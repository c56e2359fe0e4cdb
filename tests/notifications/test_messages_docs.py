"""docs/notifications.md holds the registries; `python -m tests.notifications.test_messages_docs` writes it."""

from pathlib import Path

import pytest

from tests.support.doctables import written

PAGE = Path(__file__).parents[2] / "docs" / "notifications.md"


def kinds() -> list[tuple[str, ...]]:
    from notifications.channels import CHANNELS
    from notifications.kinds import KINDS

    return [
        (
            *(f"`{k.key}`", k.label, k.urgency.label, k.to),
            ", ".join(CHANNELS[key].label for key in k.channels) or "what the lead agreed to",
        )
        for k in KINDS.values()
    ]


def channels() -> list[tuple[str, ...]]:
    from notifications.channels import CHANNELS

    return [(f"`{c.key}`", c.label, str(c.per_minute or "no limit")) for c in CHANNELS.values()]


TABLES = {"kinds": kinds, "channels": channels}


@pytest.mark.parametrize("name", TABLES)
def test_every_entry_of_a_registry_is_in_the_docs(name):
    page = PAGE.read_text()
    assert written(page, name, TABLES[name]()) == page, "run python -m tests.notifications.test_messages_docs"


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "leadcrm.settings")
    django.setup()
    text = PAGE.read_text()
    for table, rows in TABLES.items():
        text = written(text, table, rows())
    PAGE.write_text(text)
