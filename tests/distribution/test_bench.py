"""The measurements run, on a database of their own, and what they compare with does its job."""

from collections import Counter

import pytest
from django.db import connection

from distribution.bench import assigning, boarding, deciding, promising, requesting, searching
from distribution.bench.baseline import baseline
from distribution.bench.scratch import make_company, sample_fields, scratch_database
from distribution.bench.timing import percentile
from distribution.engine.routing import route
from distribution.models import Assignment, PoolMember, Rep, SLAClock, StepTaken
from leadcrm.lib.bench import benches
from leadcrm.lib.doctor import violations
from pipeline.models import Lead
from pipeline.search import search_leads
from pipeline.services.leads import create_lead


@pytest.fixture(scope="module")
def scratch(django_db_setup, django_db_blocker):
    """A scratch database, and the configured one that it stands beside."""
    with django_db_blocker.unblock():
        before = connection.settings_dict["NAME"]
        with scratch_database():
            yield before
        assert connection.settings_dict["NAME"] == before


@pytest.fixture(scope="module")
def source(scratch):
    return make_company()


@pytest.fixture
def served(source, monkeypatch):
    """The environment of the tests, made fit for a server process."""
    monkeypatch.setenv("ALLOWED_HOSTS", "testserver,crm.example.com")
    return source


def run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def read(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_the_configured_database_is_not_the_one_that_is_filled(scratch):
    assert connection.settings_dict["NAME"] != scratch
    assert "bench" in connection.settings_dict["NAME"]


def test_the_sample_leads_are_routed_by_the_last_rule_and_shared_by_weight(source):
    for number in range(20):
        create_lead(source=source, fields=sample_fields(number))
    assert set(Assignment.objects.values_list("decision__rule__name", flat=True)) == {"From DE"}
    assert Rep.objects.filter(open_leads__gt=0).count() == 10
    assert sum(PoolMember.objects.values_list("credit", flat=True)) == 0


def test_the_searches_find_the_one_who_is_meant_among_the_others(source, monkeypatch):
    monkeypatch.setattr(searching, "LEADS", 200)
    admin, rep = searching.fill(source)
    *others, nobody = searching.TYPED.values()
    for user in (admin, rep):
        for text in set(others) - {"Pumps"}:
            assert (text, [str(lead) for lead in search_leads(user, text, 1)]) == (text, ["Zaphod Beeblebrox"])
        assert search_leads(user, nobody, 1) == []
    assert len(search_leads(admin, "Pumps", 100)) > len(search_leads(rep, "Pumps", 100)) > 0
    Lead.objects.filter(team__name__startswith="Team ").delete()  # nobody was to route them


def test_the_baseline_stores_leads_and_shares_them(source):
    with baseline() as plain:
        for number in range(20):
            plain.give_out(sample_fields(number))
    assert read("SELECT count(*), count(owner) FROM baseline_lead") == [(20, 20)]
    assert read("SELECT count(*), count(DISTINCT lead) FROM baseline_assignment") == [(20, 20)]
    assert read("SELECT DISTINCT open_leads FROM baseline_rep") == [(2,)]


def test_what_is_measured_leaves_no_broken_promise(source):
    stored = assigning._stored(source, 30)
    assigning.assign_leads(stored)
    assert not Lead.objects.exclude(routing_state="assigned").exists()
    assert list(violations()) == []


def test_the_api_is_asked_over_the_network(served, monkeypatch):
    monkeypatch.setattr(requesting, "SECONDS", 0.5)
    _, key = requesting.issue_key(served)
    before = Lead.objects.count()
    with requesting.server() as port:
        figures = list(requesting._figures(port, key, iter(range(5000, 9000)), 4))
    assert [figure.unit for figure in figures] == ["requests/s", "ms", "ms"]
    assert figures[0].value > 0
    assert Lead.objects.count() > before
    assert figures[0].limit == pytest.approx(figures[0].baseline / 5)


def test_a_request_that_fails_stops_the_measurement(served):
    with requesting.server() as port, pytest.raises(RuntimeError, match=r"failed, the first with 401"):
        requesting.Load(port, "lead_wrong", False, iter(())).run(1, 0.2)


def test_the_measured_decision_is_the_one_it_says():
    decision = route(deciding.LeadFacts({"country": "DE", "employees": 20}), deciding.snapshot(7, 5))
    assert [look.result for look in decision.looks] == ["passed"] * 6 + ["matched"]
    assert len(decision.final.screening.eligible) == 5


def test_the_measured_postal_code_is_one_of_many():
    index = deciding.postal_codes(500)
    found = index.locate(deciding.LeadFacts({"country": "DE", "postal_code": "10042"}))
    assert (len(index.territories), found.best and found.best.id) == (500, 1)


@pytest.mark.parametrize(("times", "rank", "value"), [([5.0], 95, 5.0), ([1, 2, 3], 50, 2), (list(range(101)), 95, 95)])
def test_percentiles(times, rank, value):
    assert percentile(times, rank) == value


@pytest.fixture
def few_clocks(monkeypatch):
    for name, number in {"FEW": 150, "MANY": 300, "REMINDERS": 12, "REASSIGNMENTS": 8, "RUNS": 2}.items():
        monkeypatch.setattr(promising, name, number)


def test_the_sweep_is_measured_with_nothing_due_reminders_and_reassignments(
    django_db_setup, django_db_blocker, few_clocks, monkeypatch
):
    left, measured = [], promising._measured

    def looked_at(lead, count):
        figures = measured(lead, count)
        steps = Counter(StepTaken.objects.values_list("action", flat=True))
        left.append((SLAClock.objects.count() >= count, steps["remind"], steps["reassign"]))
        assert Assignment.objects.filter(trigger="escalated").count() == steps["reassign"]
        return figures

    monkeypatch.setattr(promising, "_measured", looked_at)
    with django_db_blocker.unblock():
        idle, remind, reassign = promising.sla()
    assert left == [(True, 12, 8), (True, 24, 16)]
    assert idle.label.startswith("nothing due: ")
    assert [figure.unit for figure in (idle, remind, reassign)] == ["ms of database", "clocks/s", "clocks/s"]
    assert [figure.limit for figure in (idle, remind, reassign)] == [10, 200, 50]
    assert all(figure.value > 0 and figure.baseline for figure in (idle, remind, reassign))


def test_the_board_is_measured_for_everybody_with_the_same_page_at_both_sizes(
    django_db_setup, django_db_blocker, monkeypatch
):
    for name, number in {"FEW": 60, "MANY": 90, "OWN": 40, "RUNS": 2}.items():
        monkeypatch.setattr(boarding, name, number)
    left, measured, counted, scans = [], boarding._measured, [], boarding.sequential_scans

    def looked_at(source, viewers, leads):
        found = measured(source, viewers, leads)
        left.append((Lead.objects.count(), Lead.objects.filter(owner=viewers["rep"]).count()))
        return found

    def planned(user):
        run("SET enable_seqscan TO off")  # so few leads are quicker read one by one
        by_index = scans(user)
        run("RESET enable_seqscan; SET enable_indexscan TO off; SET enable_bitmapscan TO off")
        counted.append((by_index, scans(user) > 0))
        run("RESET enable_indexscan; RESET enable_bitmapscan")
        return by_index

    monkeypatch.setattr(boarding, "_measured", looked_at)
    monkeypatch.setattr(boarding, "sequential_scans", planned)
    with django_db_blocker.unblock():
        figures = {figure.label: figure for figure in boarding.board()}
    assert left == [(60, 40), (90, 40)]
    assert counted == [(0, True)] * 3
    for who in ("rep", "manager", "who sees all"):
        time, ratio = figures[f"{who}: server time, p50"], figures[f"{who}: the same beside 10,000 leads"]
        assert ratio.value == pytest.approx(time.ratio)
        assert figures[f"{who}: queries"].value == figures[f"{who}: queries"].baseline <= boarding.LIMIT_QUERIES
        assert 0 < figures[f"{who}: page with styles and scripts"].value < boarding.LIMIT_KB


def test_every_promised_measurement_can_be_asked_for_by_name():
    assert {"engine", "assign", "batch", "api", "fairness", "sla"} <= set(benches.all())
