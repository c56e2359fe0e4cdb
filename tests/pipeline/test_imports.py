"""Leads from CSV files."""

import csv
from collections import Counter
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from leadcrm.lib.mapping import MappingError
from pipeline.imports.importing import ImportResult, add_attributes, import_leads, result_lines
from pipeline.imports.mapping import ImportMapping, parse_mapping, read_mapping, resolve
from pipeline.models import AttributeDefinition, Consent, Event, Lead, LeadSource, Pipeline, Stage

pytestmark = pytest.mark.django_db

LEADS = """Lead Id,First Name,Last Name,E-mail,Phone,Company,Country
1,Ann,Lee,Ann@Firm.example,+49 30 23125 111,Firm,Germany
2,Bob,Ray,bob(at)firm.example,,Firm,Germany
3,Cid,Fox,cid@firm.example,,Firm,Atlantis
4,Dee,Kay,dee@firm.example,,Firm,
"""


@pytest.fixture
def source() -> LeadSource:
    pipeline = Pipeline.objects.create(name="Sales", slug="sales", is_default=True)
    Stage.objects.create(pipeline=pipeline, name="New", slug="new")
    return LeadSource.objects.create(name="Fair", slug="fair")


def load(source, text=LEADS, mapping=None, **options):
    return import_leads(BytesIO(text.encode()), source, mapping or ImportMapping(), **options)


def told(result):
    return {(problem.row, problem.column): problem.message for problem in result.problems}


def run(*args) -> str:
    out = StringIO()
    call_command("import_leads", *args, stdout=out)
    return out.getvalue()


def test_good_rows_become_leads_as_those_of_the_api_do(source):
    result = load(source)
    assert (result.imported, len(result.refused)) == (2, 2)
    lead = Lead.objects.get(external_id="1")
    assert (lead.name, lead.email, lead.phone, lead.country) == ("Ann Lee", "ann@firm.example", "+493023125111", "DE")
    assert (lead.stage.slug, lead.time_zone) == ("new", "Europe/Berlin")
    assert list(lead.events.values_list("kind", flat=True)) == [Event.Kind.CREATED]


def test_every_bad_value_is_told_by_row_and_column_with_what_would_be_right(source):
    found = told(load(source))
    assert "bob(at)firm.example" in found[3, "E-mail"]
    assert found[4, "Country"].startswith('"Atlantis" is not a country.')


def test_a_cell_that_no_database_keeps_is_told_by_row_and_column(source):
    result = load(source, LEADS.replace("Ann,Lee", "A\x00nn,Lee"))
    assert told(result)[2, "First Name"] == "Contains a character that cannot be stored: NUL."
    assert not Lead.objects.filter(external_id="1").exists()


def test_importing_a_file_again_changes_nothing(source):
    load(source)
    before = list(Lead.objects.order_by("pk").values_list())
    again = load(source)
    assert (again.imported, again.there, len(again.refused)) == (0, 2, 2)
    assert list(Lead.objects.order_by("pk").values_list()) == before


def test_rows_without_an_id_are_known_by_all_that_is_on_them(source):
    text = "email,company\na@firm.example,One\nb@firm.example,Two\na@firm.example,One\n"
    result = load(source, text)
    assert (result.imported, told(result)) == (2, {(4, ""): "external_id: The same as row 2."})
    assert load(source, text).imported == 0


def test_an_id_that_occurs_twice_in_the_file_is_refused_the_second_time(source):
    result = load(source, "id,email\n7,a@firm.example\n7,b@firm.example\n")
    assert told(result) == {(3, "id"): "Row 2 has the same id."}
    assert Lead.objects.get().email == "a@firm.example"


def test_cells_that_mean_nothing_are_blank(source):
    mapping = parse_mapping('blank = ["Select", "-"]')
    load(source, "email,city,country\na@firm.example,Select,-\nb@firm.example,select,\n", mapping)
    assert set(Lead.objects.values_list("city", "country")) == {("", "")}


def test_a_correction_in_the_mapping_takes_the_row(source):
    result = load(source, mapping=parse_mapping('[values.country]\nAtlantis = "Portugal"\n'))
    assert result.imported == 3
    assert Lead.objects.get(external_id="3").country == "PT"


def test_a_column_may_be_a_name_a_consent_or_an_attribute(source):
    shoe = AttributeDefinition.objects.create(key="shoe_size", label="Shoe size", type="number")
    source.attributes.add(shoe)
    mapping = ImportMapping(
        columns={"Who": "name", "News": "consent.email", "No calls": "refusal.phone", "EU": "attributes.shoe_size"}
    )
    load(source, "Who,News,No calls,EU\nAnn van Lee,yes,Yes,42\nBob Ray,no,no,\n", mapping)
    ann, bob = Lead.objects.order_by("pk")
    assert (ann.first_name, ann.last_name, ann.attributes) == ("Ann", "van Lee", {"shoe_size": 42})
    assert set(Consent.objects.values_list("lead", "channel", "granted")) == {
        (ann.pk, "email", True),
        (ann.pk, "phone", False),
    }
    assert bob.attributes == {}


def test_an_attribute_column_is_recognised_by_its_label(source):
    source.attributes.add(AttributeDefinition.objects.create(key="shoe_size", label="Shoe size", type="number"))
    load(source, "email,Shoe Size\na@firm.example,42\n")
    assert Lead.objects.get().attributes == {"shoe_size": 42}


def test_a_source_can_be_given_the_attributes_that_the_mapping_names(source):
    mapping = ImportMapping(columns={"Hat Size": "attributes.hat"})
    assert [definition.label for definition in add_attributes(source, mapping)] == ["Hat Size"]
    assert add_attributes(source, mapping) == []
    load(source, "email,Hat Size\na@firm.example,L\n", mapping)
    assert Lead.objects.get().attributes == {"hat": "L"}


def test_a_lead_may_have_come_in_earlier_but_not_in_the_future(source):
    result = load(
        source, "email,created at\na@firm.example,2025-03-01 10:00\nb@firm.example,2999-01-01\nc@firm.example,soon\n"
    )
    assert Lead.objects.get().created_at.isoformat() == "2025-03-01T10:00:00+00:00"
    assert set(told(result)) == {(3, "created at"), (4, "created at")}


def test_what_a_source_must_send_is_asked_for_in_files_too(source):
    LeadSource.objects.update(required_fields=["company"])
    result = load(source, "email,company\na@firm.example,\n")
    assert told(result) == {(2, "company"): "This source must send this field."}


def test_bad_values_can_be_dropped_instead_of_their_rows(source):
    result = load(source, drop_bad=True)
    assert (result.imported, len(result.refused)) == (4, 0)
    assert (Lead.objects.get(external_id="2").email, Lead.objects.get(external_id="3").country) == ("", "")
    assert not any(problem.is_error for problem in result.problems)


def test_a_required_value_that_is_bad_is_not_dropped(source):
    LeadSource.objects.update(required_fields=["email"])
    result = load(source, "email\nnot an address\n", drop_bad=True)
    assert result.imported == 0


def test_a_dry_run_tells_the_same_and_stores_nothing(source):
    tried = load(source, dry_run=True)
    assert not Lead.objects.exists()
    done = load(source)
    assert (tried.imported, told(tried)) == (done.imported, told(done))
    assert load(source, dry_run=True).there == done.imported


def test_imported_leads_are_routed_after_the_commit(source, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        load(source)
    assert {lead.decisions.count() for lead in Lead.objects.all()} == {1}


def test_a_row_that_was_wrapped_in_quotes_as_a_whole_is_read_and_told(source):
    result = load(source, 'email,city,country\n"a@firm.example,""Berlin, Mitte"",DE"\n')
    assert Lead.objects.get().city == "Berlin, Mitte"
    assert "in one pair of quotes" in told(result)[2, ""]


def test_a_broken_row_is_refused_and_the_others_are_imported(source):
    result = load(source, "email,city,country\na@firm.example,Berlin\nb@firm.example,Berlin,DE\n")
    assert (result.imported, [read.row.number for read in result.refused]) == (1, [2])


def test_storing_costs_the_same_number_of_queries_for_more_leads(source, django_assert_max_num_queries):
    rows = "".join(f"{number},p{number}@firm.example\n" for number in range(400))
    with django_assert_max_num_queries(20):
        load(source, "id,email\n" + rows)


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"Frist Name": "first_name"}, "The file has no column Frist Name. Did you mean First Name?"),
        ({"First Name": "frist_name"}, "First Name=frist_name: there is no such field. Did you mean first_name?"),
        ({"First Name": "attributes.hat"}, "the source has no such attribute"),
        ({"First Name": "email", "Last Name": "email"}, "First Name and Last Name are both email"),
    ],
)
def test_a_mapping_that_cannot_be_used_stops_the_import(source, columns, sentence):
    with pytest.raises(MappingError, match=sentence):
        load(source, mapping=ImportMapping(columns=columns))
    assert not Lead.objects.exists()


def test_what_the_mapping_says_goes_before_what_names_suggest():
    mapping = ImportMapping(columns={"Id": "", "Phone": "company"})
    assert resolve(mapping, ["Id", "Phone", "E-Mail", "Colour"], []) == {"Phone": "company", "E-Mail": "email"}


def test_mappings_can_be_given_one_by_one_and_as_files_and_later_ones_win(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text('blank = ["none"]\n[columns]\nA = "email"\nB = "phone"\n')
    mapping = read_mapping([str(path), "A=website", "C = 1=city"])
    assert mapping.columns == {"A": "website", "B": "phone", "C = 1": "city"}
    assert mapping.cell("city", "None") == ""


def test_the_command_says_what_was_done_and_where_the_leads_went(source, tmp_path):
    path = tmp_path / "leads.csv"
    path.write_text(LEADS)
    said = run(path, "--source", "fair", "--refused", tmp_path / "refused.csv")
    assert "Refused: row 4, column Country:" in said
    assert "4 rows: 2 imported, 0 were here already, 2 refused." in said
    rows = list(csv.DictReader((tmp_path / "refused.csv").read_text().splitlines()))
    assert [row["Lead Id"] for row in rows] == ["2", "3"]
    assert list(rows[1])[:3] == ["refused: row", "refused: column", "refused: reason"]
    assert (rows[1]["refused: row"], rows[1]["refused: column"]) == ("4", "Country")
    assert rows[1]["refused: reason"].startswith('"Atlantis" is not a country.')


def test_a_file_of_refused_rows_that_is_refused_again_says_why_now(source, tmp_path):
    path, again = tmp_path / "leads.csv", tmp_path / "again.csv"
    path.write_text("email,city\ngood@firm.example,\nno address,Bonn\n")
    run(path, "--source", "fair", "--refused", again)
    with pytest.raises(CommandError, match="No row could be imported"):
        run(again, "--source", "fair", "--refused", path)
    head, row = csv.reader(path.read_text().splitlines())
    assert head == ["refused: row", "refused: column", "refused: reason", "email", "city"]
    assert (row[:2], row[3:]) == (["2", "email"], ["no address", "Bonn"])


def test_the_refused_rows_are_written_so_that_no_spreadsheet_runs_them(source, tmp_path):
    path = tmp_path / "leads.csv"
    path.write_text("email,city,=2+2\nno address,=1+1,\ngood@firm.example,,\n")
    run(path, "--source", "fair", "--refused", tmp_path / "refused.csv")
    head, row = csv.reader((tmp_path / "refused.csv").read_text().splitlines())
    assert (head[3:], row[3:]) == (["email", "city", "'=2+2"], ["no address", "'=1+1", ""])


def test_the_command_with_strict_imports_nothing_when_a_row_is_refused(source, tmp_path):
    path = tmp_path / "leads.csv"
    path.write_text(LEADS)
    with pytest.raises(CommandError, match="2 rows are refused, so nothing was imported"):
        run(path, "--source", "fair", "--strict")
    assert not Lead.objects.exists()


@pytest.mark.parametrize(
    ("text", "arguments", "sentence"),
    [
        (LEADS, ["--source", "web"], "There is no source web. The sources are: fair."),
        ("", ["--source", "fair"], "The file is empty"),
        ("email\nno\n", ["--source", "fair"], "No row could be imported."),
        (LEADS, ["--source", "fair", "--map", "nowhere.toml"], "is no mapping file that can be read"),
    ],
)
def test_the_command_fails_in_one_line(source, tmp_path, text, arguments, sentence):
    path = tmp_path / "leads.csv"
    path.write_text(text)
    with pytest.raises(CommandError, match=sentence):
        run(path, *arguments)


def test_the_command_names_a_file_that_is_not_there(source):
    with pytest.raises(CommandError, match="nowhere.csv cannot be read: No such file"):
        run(Path("nowhere.csv"), "--source", "fair")


def test_a_source_that_is_switched_off_takes_no_files(source, tmp_path):
    LeadSource.objects.update(active=False)
    path = tmp_path / "leads.csv"
    path.write_text(LEADS)
    with pytest.raises(CommandError, match="switched off"):
        run(path, "--source", "fair")


def test_the_mapping_on_the_page_can_be_used(source):
    page = (Path(__file__).parents[2] / "docs" / "importing.md").read_text()
    mapping = parse_mapping(page.split("```toml\n")[1].split("```")[0])
    add_attributes(source, mapping)
    targets = resolve(mapping, list(mapping.columns), source.attributes.all())
    assert targets["Contact"] == "name"
    assert "Internal" not in targets
    assert mapping.cell("country", "Eire") == "Ireland"


@pytest.mark.parametrize(
    ("states", "told"),
    [
        (
            {"assigned": 2, "unassigned": 1, "new": 2},
            "3 of them have no owner yet; they are tried again by themselves.",
        ),
        ({"assigned": 2, "held": 1}, "Routed: 2 assigned, 1 held"),
    ],
)
def test_what_is_left_to_be_tried_again_is_told(states, told):
    assert [*result_lines(ImportResult(states=Counter(states)), dry_run=False)][-1] == told
