import json
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from leadcrm.lib.bench import Figure, benches
from leadcrm.lib.doctor import Violation, checks

pytestmark = pytest.mark.django_db


def one_broken_promise() -> Iterator[Violation]:
    """Nothing is ever broken."""
    yield Violation("broken-promise", "lead 17", "Has two owners.")


def two_numbers() -> Iterator[Figure]:
    """How long nothing takes."""
    yield Figure("with the engine", 3.0, "ms", baseline=1.5, limit=10)
    yield Figure("alone", 1.5, "ms")


@pytest.fixture
def _broken():
    with checks.temporarily("broken-promise", one_broken_promise):
        yield


@pytest.fixture
def _measured():
    with benches.temporarily("nothing", two_numbers):
        yield


@pytest.mark.usefixtures("_broken")
def test_the_doctor_prints_a_line_for_each_violation_and_fails(capsys):
    with pytest.raises(CommandError) as failure:
        call_command("doctor", "broken-promise")
    assert failure.value.returncode == 1
    assert capsys.readouterr().out == "broken-promise: lead 17: Has two owners.\n"


@pytest.mark.usefixtures("_broken")
def test_the_doctor_speaks_json(capsys):
    with pytest.raises(CommandError):
        call_command("doctor", "broken-promise", "--json")
    expected = [{"code": "broken-promise", "subject": "lead 17", "sentence": "Has two owners."}]
    assert json.loads(capsys.readouterr().out) == expected


def test_the_doctor_is_content_with_an_empty_database(capsys):
    call_command("doctor")
    assert capsys.readouterr().out == "Everything holds.\n"


def test_the_doctor_says_nothing_but_an_empty_list_in_json(capsys):
    call_command("doctor", "--json")
    assert json.loads(capsys.readouterr().out) == []


@pytest.mark.usefixtures("_broken", "_measured")
@pytest.mark.parametrize(("command", "known"), [("doctor", "broken-promise"), ("bench", "nothing")])
def test_an_unknown_name_is_refused_with_the_known_ones(command, known):
    with pytest.raises(CommandError, match=rf"There is no \w+ 'other'. Known are: .*{known}"):
        call_command(command, "other")


@pytest.mark.usefixtures("_measured")
def test_the_bench_shows_figures_with_their_ratio_to_the_baseline_and_their_limit(capsys):
    call_command("bench", "nothing")
    first, second = capsys.readouterr().out.splitlines()
    assert "with the engine" in first
    assert "3 ms  2.00 x baseline (1.5 ms)  limit 10 ms" in first
    assert "alone" in second
    assert "baseline" not in second


@pytest.mark.usefixtures("_measured")
def test_the_bench_speaks_json(capsys):
    call_command("bench", "nothing", "--json")
    first, second = json.loads(capsys.readouterr().out)
    assert (first["bench"], first["label"], first["value"], first["ratio"]) == ("nothing", "with the engine", 3.0, 2.0)
    assert second["ratio"] is None


@pytest.mark.usefixtures("_measured")
def test_the_bench_lists_what_it_can_measure(capsys):
    call_command("bench", "--list")
    assert "nothing              How long nothing takes.\n" in capsys.readouterr().out
