"""Migrations that fill data, on rows that were there before them, and while others write; all of the way back and
again."""

import json
from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from distribution.models import Decision, DecisionTrace
from tests.concurrency.threads import at_once, errors
from tests.distribution.world import make_lead

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
    decision = of("distribution", "Decision").create(lead=leads[0], outcome="held", trigger="created", duration_us=1)
    of("distribution", "DecisionTrace").create(decision=decision, schema_version=1, data={"rules": ["A"]})
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
        "traces": list(of("distribution", "DecisionTrace").values_list("data", flat=True)),
    }


def test_rows_of_before_are_filled_and_the_way_back_is_open(before):
    run = old_rows(before)
    expected = {
        "since": [(MOVED, CAME_IN), (CAME_IN, CAME_IN)],
        "runs": [run, None],
        "calls": 2,
        "reasons": ["word", "link", "asked"],
        "relax": [{"demand": "hours", "after": 0}, {"demand": "language", "after": 0}],
        "traces": [{"rules": ["A"]}],
    }
    assert filled(migrate(latest())) == expected
    assert migrate(BEFORE).get_model("distribution", "Pool").objects.get().relax == ["hours", "language"]
    assert filled(migrate(latest())) == expected


# --- Traces become text, in parts ------------------------------------------------------------------

ROUTED = {"rules": ["Größe", 1, None]}
retyping = import_module("distribution.migrations.0011_traces_are_text")


@pytest.fixture
def traces(transactional_db, monkeypatch):
    """Five traces as they were; two are changed at a time."""
    monkeypatch.setattr(retyping, "ROWS_AT_ONCE", 2)
    try:
        retyping.retype("jsonb")
        yield [add_trace() for _ in range(5)]
    finally:
        retyping.retype("text")


def add_trace():
    decision = Decision.objects.create(lead=make_lead(), outcome="held", trigger="created", duration_us=1)
    return DecisionTrace.objects.create(decision=decision, schema_version=1, data=ROUTED).pk


def column():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT data_type, is_nullable FROM information_schema.columns "
            "WHERE table_name = 'distribution_decisiontrace' AND column_name = 'data'"
        )
        return cursor.fetchone()


def kept():
    with connection.cursor() as cursor:
        cursor.execute("SELECT decision_id, data::text FROM distribution_decisiontrace")
        return {pk: json.loads(text) for pk, text in cursor.fetchall()}


def test_traces_change_their_type_and_back(traces):
    for type in ("text", "jsonb"):
        retyping.retype(type)
        assert column() == (type, "NO")
        assert kept() == dict.fromkeys(traces, ROUTED)


def test_leads_are_routed_while_traces_change_their_type(traces, monkeypatch):
    """After each part another process reads and adds traces, and waits for nobody."""
    fill_part, seen = retyping.fill_part, []

    def read_and_write():
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = 1")
        seen.append(len(kept()))
        add_trace()

    def fill(type, after):
        last = fill_part(type, after)
        if len(seen) < 3:
            assert not errors(at_once([read_and_write]))
        return last

    monkeypatch.setattr(retyping, "fill_part", fill)
    retyping.retype("text")
    assert seen == [5, 6, 7]
    assert list(kept().values()) == [ROUTED] * 8


def test_a_trace_that_was_written_after_the_last_part_is_taken_along(traces, monkeypatch):
    fill_part = retyping.fill_part

    def fill(type, after):
        last = fill_part(type, after)
        if last is None:
            assert not errors(at_once([add_trace]))
        return last

    monkeypatch.setattr(retyping, "fill_part", fill)
    retyping.retype("text")
    assert list(kept().values()) == [ROUTED] * 6


def test_a_change_of_type_that_was_broken_off_is_taken_up(traces, monkeypatch):
    fill_part = retyping.fill_part

    def broken(type, after):
        if after:
            raise KeyboardInterrupt
        return fill_part(type, after)

    monkeypatch.setattr(retyping, "fill_part", broken)
    with pytest.raises(KeyboardInterrupt):
        retyping.retype("text")
    monkeypatch.setattr(retyping, "fill_part", fill_part)
    assert column() == ("jsonb", "NO")
    retyping.retype("text")
    assert kept() == dict.fromkeys(traces, ROUTED)
