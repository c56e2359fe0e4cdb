"""Migrations that fill data, on rows that were there before them; all of the way back and again."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

BEFORE = [
    ("pipeline", "0005_sources_may_leave_owners_to_the_rules"),
    ("distribution", "0004_calendars_read_again"),
    ("notifications", "0005_guard_policies"),
]
OURS = {app for app, _ in BEFORE}
CAME_IN, MOVED = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 2, 5, tzinfo=UTC)


def migrate(targets):
    """The models as they are then."""
    executor = MigrationExecutor(connection)
    executor.migrate(targets)
    return MigrationExecutor(connection).loader.project_state(targets).apps


def latest():
    return [key for key in MigrationExecutor(connection).loader.graph.leaf_nodes() if key[0] in OURS]


@pytest.fixture
def before(transactional_db):
    """The tables as they were, for other rows than those of today."""
    try:
        yield migrate(BEFORE)
    finally:
        migrate(latest())


def old_rows(apps):
    """A lead that moved and one that did not, a run with its message, two calls, two stops and a pool."""

    def of(app, name):
        return apps.get_model(app, name).objects

    stage = of("pipeline", "Stage").create(
        pipeline=of("pipeline", "Pipeline").create(name="Sales", slug="sales"), name="New", slug="new", kind="open"
    )
    source = of("pipeline", "LeadSource").create(name="Web", slug="web", kind="form")
    leads = [
        of("pipeline", "Lead").create(stage=stage, source=source, last_name=name, created_at=CAME_IN) for name in "AB"
    ]
    of("pipeline", "Event").create(lead=leads[0], kind="lead.stage_changed", at=MOVED)
    of("distribution", "Pool").create(name="Sales", relax=["hours", "language"])
    sequence = of("notifications", "Sequence").create(name="Welcome", start="assigned")
    run = of("notifications", "SequenceRun").create(sequence=sequence, lead=leads[0], started_at=CAME_IN)
    for key in (f"sequence:{run.pk}:0", f"sequence:{run.pk + 1}:0:sms"):
        of("notifications", "Notification").create(
            lead=leads[0], kind="follow_up", channel="email", state="sent", key=key
        )
    for number in "12":
        of("notifications", "Call").create(lead=leads[0], direction="in", provider_id=number)
    of("notifications", "Stop").create(channel="sms", address="+49301", origin="Stopp")
    of("notifications", "Stop").create(channel="email", address="a@b.example", origin="Abmelden")
    of("notifications", "Stop").create(channel="email", address="c@b.example", origin="entered by boss")
    return run.pk


def filled(apps):

    def of(app, name):
        return apps.get_model(app, name).objects.order_by("pk")

    return {
        "since": list(of("pipeline", "Lead").values_list("stage_since", "board_at")),
        "runs": list(of("notifications", "Notification").values_list("run", flat=True)),
        "calls": len(set(of("notifications", "Call").values_list("uid", flat=True))),
        "reasons": list(of("notifications", "Stop").values_list("reason", flat=True)),
        "relax": of("distribution", "Pool").get().relax,
    }


def test_rows_of_before_are_filled_and_the_way_back_is_open(before):
    run = old_rows(before)
    expected = {
        "since": [(MOVED, CAME_IN), (CAME_IN, CAME_IN)],
        "runs": [run, None],
        "calls": 2,
        "reasons": ["word", "link", "asked"],
        "relax": [{"demand": "hours", "after": 0}, {"demand": "language", "after": 0}],
    }
    assert filled(migrate(latest())) == expected
    assert migrate(BEFORE).get_model("distribution", "Pool").objects.get().relax == ["hours", "language"]
    assert filled(migrate(latest())) == expected
