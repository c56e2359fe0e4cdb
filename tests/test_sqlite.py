"""What `./run` starts with: SQLite. Everything else runs on PostgreSQL, and some of it here again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Which pages of the board do not answer somebody.
ASK = """
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pipeline.cursor import Cursor

refused = []
for name in ("rep", "manager", "admin"):
    client = Client()
    client.force_login(User.objects.get(username=name))
    for page in ("", "filters/", "table/", "export/", "add/", "?q=a&overdue=1&age=7&territory=1"):
        answer = client.get(f"/board/sales/{page}", headers={"host": "localhost"})
        refused += [(name, page, answer.status_code)] if answer.status_code != 200 else []
    since = str(Cursor.starting(1, -1, timezone.now()))
    answer = client.post("/board/sales/changes/?who=team", {"since": since}, headers={"host": "localhost"})
    refused += [(name, "changes/", answer.status_code)] if answer.status_code != 200 else []
print(refused)
"""


@pytest.fixture
def manage(tmp_path: Path):
    """Run a command on a database of its own; its output."""
    outside = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "VAR_DIR")}
    environment = {**outside, "VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "leadcrm.settings"}

    def run(*arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_there_is_nothing_to_warn_of(manage):
    assert "no issues" in manage("check", "--database", "default")


def test_the_demo_comes_in_through_live_routing_and_everything_holds(manage):
    manage("migrate", "-v0")
    assert "sign in as rep" in manage("demo", "--stream", "3", "--every", "0")
    assert manage("doctor").strip().endswith("Everything holds.")
    manage("collectstatic", "--no-input", "-v0")
    assert manage("shell", "--no-imports", "-c", ASK).strip() == "[]"


# What a migration that changes the table of leads does, and how many triggers keep first tasks then.
REBUILD = """
from django.core.management.sql import emit_post_migrate_signal, emit_pre_migrate_signal
from django.db import connection
from pipeline.models import Lead

emit_pre_migrate_signal(0, False, "default")
with connection.schema_editor() as editor:
    editor._remake_table(Lead)
emit_post_migrate_signal(0, False, "default")
named = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'pipeline_task_first_%'"
print(connection.cursor().execute(named).fetchone()[0])
"""


def test_the_table_of_leads_can_be_rebuilt_although_triggers_write_into_it(manage):
    manage("migrate", "-v0")
    assert manage("shell", "--no-imports", "-c", REBUILD).strip() == "3"


AGAIN = (
    "tests/lib/test_bulk.py",
    "tests/pipeline/test_urgency.py",
    "tests/pipeline/api/test_bulk.py",
    "tests/pipeline/api/test_create.py",
    "tests/pipeline/api/test_idempotency.py",
    "tests/distribution/test_assign.py",
    "tests/distribution/test_batch.py",
)


def test_leads_are_taken_in_and_given_out_as_on_postgresql(tmp_path: Path):
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**outside, "TEST_DATABASE_URL": f"sqlite:///{tmp_path / 'again.sqlite3'}"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not few_queries", *AGAIN]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
