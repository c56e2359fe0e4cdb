"""Taking over a company from the exports of another system."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone

from distribution import services
from distribution.models import Assignment, PoolWake, Rep, Skill, SLAClock
from distribution.onboarding.applying import Overtaken, apply_plan
from distribution.onboarding.fields import KINDS
from distribution.onboarding.history import apply_deals
from distribution.onboarding.mapping import parse_mapping
from distribution.onboarding.planning import build_plan
from leadcrm.lib.doctor import violations
from leadcrm.lib.mapping import MappingError
from pipeline.models import Account, Event, Lead, LeadSource, Stage, Team
from tests.distribution.promises import make_hours, make_policy
from tests.distribution.world import world

pytestmark = pytest.mark.django_db

TEAM = """rep,manager,office
Ann Lee,Mia Boss,Oslo
Bob Ray,Mia Boss,Oslo
Cid Fox,Tom Head,North
"""
PRODUCTS = "product,price\nZephyr X,10\nZephyr Mini,5\n"
ACCOUNTS = """account,sector,employees,office_location,subsidiary_of,owner
Alpha Works,retail,120,Norway,,Ann Lee
Beta Works,retial,30,Sweden,Alpha Works,
"""
DEALS = """opportunity_id,sales_agent,product,account,deal_stage,engage_date,close_date,close_value
O1,Ann Lee,Zephyr X,Alpha Works,Won,2025-01-10,2025-03-01,1200
O2,Ann Lee,ZephyrX,Alpha Works,Lost,2025-01-11,2025-02-01,0
O3,Bob Ray,Zephyr Mini,,Engaging,2025-05-01,,
O4,Cid Fox,Zephyr Mini,Beta Works,Prospecting,,,
O5,Cid Fox,Zephyr Mini,Beta Works,Prospecting,,,
O6,Nobody Known,Zephyr Mini,Beta Works,Won,2025-01-10,2025-01-20,7
O7,Bob Ray,Zephyr Mini,Beta Works,Won,2025-01-10,,7
O8,Bob Ray,Zephyr Mini,Beta Works,Won,2025-01-10,2025-01-05,7
O1,Bob Ray,Zephyr Mini,Beta Works,Won,2025-01-10,2025-01-12,8
"""
FILES = {
    "sales_teams.csv": TEAM,
    "products.csv": PRODUCTS,
    "accounts.csv": ACCOUNTS,
    "sales_pipeline.csv": DEALS,
    "notes.csv": "a,b\n1,2\n",
}


def plan_of(files=FILES, **changed):
    files = {**files, **{name.replace("_csv", ".csv"): text for name, text in changed.items()}}
    mapping = files.pop("mapping", "")
    return build_plan({name: text.encode() for name, text in files.items()}, parse_mapping(mapping))


def problems(plan, file="sales_pipeline.csv"):
    return {
        (problem.row, problem.column): (problem.wrong, problem.right, problem.refused)
        for problem in plan.problems
        if problem.file == file
    }


def written(folder: Path, files=FILES) -> Path:
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


def run(*args) -> str:
    out = StringIO()
    call_command("onboard", *args, stdout=out, stderr=out)
    return out.getvalue()


def test_the_plan_says_which_file_and_column_is_taken_for_what():
    told = "\n".join(plan_of().read)
    assert "team: sales_teams.csv, 3 rows (name = rep, manager = manager, office = office)" in told
    assert "opportunities: sales_pipeline.csv, 9 rows (external_id = opportunity_id, owner = sales_agent" in told
    assert "products.csv: columns not used: price" in told
    assert "notes.csv: not used" in told


def test_making_the_plan_changes_nothing():
    plan = plan_of()
    assert plan.has_work
    assert not User.objects.exists()
    assert not Lead.objects.exists()


def test_a_misspelt_product_is_refused_with_the_closest_one_and_how_to_correct_it():
    wrong, right, refused = problems(plan_of())[3, "product"]
    assert wrong == '"ZephyrX" is not a product'
    assert right == ('Did you mean Zephyr X? Correct the file, or add "ZephyrX" = "Zephyr X" under [values.product]')
    assert refused


def test_the_suggested_entry_of_the_mapping_takes_the_row():
    plan = plan_of(mapping='[values.product]\n"ZephyrX" = "Zephyr X"\n')
    assert (3, "product") not in problems(plan)
    assert "O2" in {step.wanted.external_id for step in plan.opportunities}


def test_a_blank_account_is_told_and_the_opportunity_taken():
    plan = plan_of()
    right = "Fill it in, or leave it: the lead has no account then"
    assert problems(plan)[4, "account"] == ("is empty", right, False)
    apply_plan(plan)
    assert Lead.objects.get(external_id="O3").account is None


def test_opportunities_that_are_the_same_apart_from_the_id_are_told_and_both_taken():
    plan = plan_of()
    wrong, _, refused = problems(plan)[6, "opportunity_id"]
    assert wrong == "says the same as an earlier row, apart from the id"
    assert not refused
    assert {"O4", "O5"} <= {step.wanted.external_id for step in plan.opportunities}


@pytest.mark.parametrize(
    ("row", "column", "wrong"),
    [
        (7, "sales_agent", '"Nobody Known" is not a rep'),
        (8, "close_date", "is empty"),
        (9, "close_date", '"2025-01-05" is before "2025-01-10"'),
        (10, "opportunity_id", '"O1" is on row 2 already'),
    ],
)
def test_a_row_that_cannot_be_right_is_refused(row, column, wrong):
    assert problems(plan_of())[row, column][0] == wrong
    assert problems(plan_of())[row, column][2]


@pytest.mark.parametrize(
    ("kind", "rows", "faults"),
    [
        (
            "sales_pipeline.csv",
            "O9,Nobody,ZephyrY,Gamma,Won,soon,2999-01-01,much\nO9,Nobody,,,,2999-01-01,,\n",
            {
                *((11, column, True) for column in ("sales_agent", "product", "account", "engage_date", "close_date")),
                (11, "close_value", False),
                *((12, column, True) for column in ("opportunity_id", "sales_agent", "deal_stage", "engage_date")),
                (12, "account", False),
            },
        ),
        (
            "sales_teams.csv",
            ",not an address,Ufo,,many,xx,Broom\nAnn Lee,ann@,Ufo,Mars/City,,,\n",
            {
                *((3, column, True) for column in ("name", "email")),
                *((3, column, False) for column in ("capacity", "languages", "skills")),
                (4, "email", True),
                (4, "time_zone", False),
            },
        ),
        (
            "accounts.csv",
            ",retail,-1,Nowhere,Nobody Inc,Nobody\n",
            {
                (4, "account", True),
                *((4, column, False) for column in ("employees", "office_location", "subsidiary_of", "owner")),
            },
        ),
    ],
)
def test_all_faults_of_a_row_are_told_at_once(kind, rows, faults):
    heads = {"sales_teams.csv": "name,email,team,time_zone,capacity,languages,skills\nBo Ek,bo@x.example,Ufo,,,,\n"}
    plan = plan_of({**FILES, kind: heads.get(kind, FILES[kind]) + rows})
    last = max(row for row, _, _ in faults) - rows.count("\n")
    found = [problem for problem in plan.problems if problem.file == kind and problem.row > last]
    assert {(problem.row, problem.column, problem.refused) for problem in found} == faults
    assert all(problem.wrong and problem.right for problem in found)


def test_a_refused_row_makes_no_stage_team_or_manager():
    plan = plan_of(
        sales_teams_csv=TEAM + "Ann Lee,Odd Boss,Moon\n",
        sales_pipeline_csv=DEALS + "O9,Nobody,Zephyr X,Alpha Works,Dreaming,,,\n",
    )
    names = [step.name for _, steps in plan.sections() for step in steps]
    assert not {"Odd Boss", "Moon (Odd Boss)", "Dreaming"} & set(names)


def test_a_run_makes_people_products_companies_and_their_history():
    apply_plan(plan_of(mapping='[offices]\nNorth = "Europe/Oslo"\n[values.industry]\nretial = "retail"\n'))
    assert set(Team.objects.values_list("name", "manager__username")) == {
        ("Oslo (Mia Boss)", "mia.boss"),
        ("North (Tom Head)", "tom.head"),
    }
    ann = Rep.objects.get(name="Ann Lee")
    assert ann.time_zone == "Europe/Oslo"
    assert list(ann.user.lead_teams.values_list("name", flat=True)) == ["Oslo (Mia Boss)"]
    assert not ann.user.has_usable_password()
    assert set(Skill.objects.values_list("name", "kind")) == {("Zephyr X", "product"), ("Zephyr Mini", "product")}
    beta = Account.objects.get(name="Beta Works")
    assert (beta.parent.name, beta.industry, beta.country, beta.employees) == ("Alpha Works", "retail", "SE", 30)
    assert Account.objects.get(name="Alpha Works").owner == ann.user
    assert set(Stage.objects.values_list("name", "kind")) == {
        ("Won", "won"),
        ("Engaging", "open"),
        ("Prospecting", "open"),
    }


def test_a_closed_opportunity_is_a_closed_lead_whose_assignment_has_ended():
    apply_plan(plan_of())
    lead = Lead.objects.get(external_id="O1")
    assert (lead.owner.username, lead.stage.kind, str(lead.value)) == ("ann.lee", "won", "1200.00")
    assert (f"{lead.created_at:%Y-%m-%d}", f"{lead.closed_at:%Y-%m-%d}") == ("2025-01-10", "2025-03-01")
    held = Assignment.objects.get(lead=lead)
    assert (held.end, held.trigger, held.ended_at, held.rep.open_leads) == ("closed", "intake", lead.closed_at, 0)
    assert list(lead.events.values_list("kind", flat=True)) == ["lead.created", "lead.assigned", "lead.closed"]


def test_an_open_opportunity_is_an_open_lead_that_counts_for_its_owner():
    apply_plan(plan_of())
    assert Rep.objects.get(name="Bob Ray").open_leads == 1
    assert Rep.objects.get(name="Cid Fox").open_leads == 2
    assert Assignment.objects.filter(ended_at=None).count() == 3


def test_nobody_is_told_about_old_news():
    apply_plan(plan_of())
    assert not Event.objects.filter(fanned_out_at=None).exists()


def test_after_a_run_everything_that_must_hold_holds():
    apply_plan(plan_of())
    assert list(violations()) == []


def test_a_second_run_changes_nothing():
    apply_plan(plan_of())
    before = [*Rep.objects.values_list(), *Account.objects.values_list(), *Lead.objects.values_list()]
    plan = plan_of()
    assert not plan.has_work
    apply_plan(plan)
    assert before == [*Rep.objects.values_list(), *Account.objects.values_list(), *Lead.objects.values_list()]


def test_two_plans_made_before_either_was_carried_out_store_every_opportunity_once():
    first, second = plan_of(), plan_of()
    apply_plan(first)
    before = Lead.objects.count()
    assert apply_deals(second, LeadSource.objects.get(), timezone.now()) == 0
    assert Lead.objects.count() == before


def test_a_rep_who_is_with_another_manager_now_moves_to_that_team():
    apply_plan(plan_of())
    plan = plan_of(sales_teams_csv=TEAM.replace("Bob Ray,Mia Boss,Oslo", "Bob Ray,Tom Head,North"))
    assert [step.changes for step in plan.reps if step.changes] == [("joins North (Tom Head)",)]
    apply_plan(plan)
    bob = User.objects.get(rep__name="Bob Ray")
    assert list(bob.lead_teams.values_list("name", flat=True)) == ["North (Tom Head)"]


def test_a_team_that_the_files_do_not_name_keeps_its_members():
    apply_plan(plan_of())
    bob = User.objects.get(rep__name="Bob Ray")
    Team.objects.create(name="Fire brigade").members.add(bob)
    apply_plan(plan_of())
    assert bob.lead_teams.filter(name="Fire brigade").exists()


def test_a_changed_account_is_shown_in_the_plan_and_changed():
    apply_plan(plan_of())
    plan = plan_of(accounts_csv=ACCOUNTS.replace("120,Norway", "150,Norway"))
    assert [step.changes for step in plan.accounts if step.changes] == [("employees: 120 → 150",)]
    apply_plan(plan)
    assert Account.objects.get(name="Alpha Works").employees == 150


def test_two_companies_of_one_name_are_told_apart_by_their_ids():
    apply_plan(plan_of({"accounts.csv": "account,account id\nAcme,1\n"}))
    apply_plan(plan_of({"accounts.csv": "account,account id\nAcme,2\n"}))
    assert set(Account.objects.values_list("name", "external_id")) == {("Acme", "1"), ("Acme", "2")}


def test_a_plan_that_somebody_else_carried_out_meanwhile_is_refused_and_nothing_is_made_twice():
    files = {"accounts.csv": ACCOUNTS.replace("Ann Lee", "")}
    first, second = plan_of(files), plan_of(files)
    apply_plan(first)
    with pytest.raises(Overtaken, match="Look at the plan again"):
        apply_plan(second)
    assert Account.objects.count() == 2


def test_what_the_file_leaves_empty_is_not_emptied_here():
    apply_plan(plan_of())
    Account.objects.filter(name="Beta Works").update(owner=User.objects.get(username="bob.ray"))
    apply_plan(plan_of(accounts_csv=ACCOUNTS.replace("retial,30", ",")))
    beta = Account.objects.get(name="Beta Works")
    assert (beta.owner.username, beta.employees) == ("bob.ray", 30)


def test_an_opportunity_that_is_here_already_is_left_alone_and_the_difference_told():
    apply_plan(plan_of())
    moved = DEALS.replace(
        "O3,Bob Ray,Zephyr Mini,,Engaging,2025-05-01,,", "O3,Bob Ray,Zephyr Mini,,Won,2025-05-01,2025-06-01,9"
    )
    plan = plan_of(sales_pipeline_csv=moved)
    assert problems(plan)[4, "deal_stage"][0] == '"Won" here, "Engaging" in LeadCRM'
    apply_plan(plan)
    assert Lead.objects.get(external_id="O3").stage.name == "Engaging"


def test_an_existing_user_of_that_address_becomes_the_rep():
    user = User.objects.create_user("annie", "ann@firm.example", "x")
    team = "name,email,team\nAnn Lee,Ann@Firm.example,Sales\n"
    plan = plan_of({"team.csv": team})
    assert [step.changes for step in plan.reps] == [("becomes a rep", "joins Sales")]
    apply_plan(plan)
    assert Rep.objects.get().user == user


def test_two_users_of_one_name_are_not_guessed_between():
    for name in ("a", "b"):
        User.objects.create_user(name, first_name="Ann", last_name="Lee")
    found = problems(plan_of({"team.csv": "name,team\nAnn Lee,Sales\n"}), "team.csv")
    assert found[2, "name"] == ('"Ann Lee" is the name of 2 users', "Add a column with their e-mail addresses", True)


def test_an_office_without_a_known_time_zone_is_told():
    assert problems(plan_of(), "sales_teams.csv")[4, "office"][0] == 'the time zone of "North" is not known'


def test_values_in_a_currency_without_a_rate_are_told():
    plan = plan_of(mapping='[opportunities]\ncurrency = "USD"\n')
    assert problems(plan)[0, "close_value"][0] == "there is no exchange rate for USD"


def test_an_open_opportunity_without_an_owner_waits_for_routing(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        apply_plan(plan_of(sales_pipeline_csv="id,stage\nO1,Open\n"))
    lead = Lead.objects.get()
    assert lead.owner is None
    assert lead.decisions.exists(), "the rules were asked"


@pytest.mark.parametrize(
    ("mapping", "sentence"),
    [
        ("[team", "is not TOML"),
        ("[teams]", "teams is not an entry of the mapping. Did you mean team?"),
        ("[team.columns]\nnmae = 'x'", "team.columns.nmae is not an entry of the mapping. Did you mean name?"),
        ("[team.columns]\nname = 'Whoever'", "sales_teams.csv has no column Whoever"),
        ("[team]\nfile = 'gone.csv'", "there is no gone.csv"),
        ("[offices]\nNorth = 'Norway'", "'Norway' is not an IANA time zone"),
        ("[stages]\nWon = 'yes'", "'yes' is not open, won or lost"),
        ("[values.colour]\na = 'b'", "values.colour is not an entry"),
        ("blank = 'Select'", "blank must be a list of texts"),
        ("[opportunities]\ncurrency = 'Euro'", "'Euro' is not an ISO 4217 code"),
        ("[accounts]\nrevenue_unit = 'm'", "is not a whole number"),
    ],
)
def test_a_mapping_that_cannot_be_used_says_what_is_wrong_with_it(mapping, sentence):
    with pytest.raises(MappingError, match=sentence):
        plan_of(mapping=mapping)


def test_two_files_that_look_alike_are_not_guessed_between():
    with pytest.raises(MappingError, match="both look like products"):
        plan_of({"products.csv": PRODUCTS, "products_old.csv": PRODUCTS})


def test_a_spreadsheet_is_refused_with_what_to_do():
    with pytest.raises(MappingError, match="Save it as CSV"):
        build_plan({"team.csv": b"PK\x03\x04rest"})


def test_a_broken_row_of_a_file_is_told_and_the_others_are_taken():
    plan = plan_of({"products.csv": 'product,price\nZephyr X,1\n"Zep"hyr Y,2\nZephyr Z\n'})
    assert [step.wanted for step in plan.products] == ["Zephyr X"]
    assert [(problem.row, problem.refused) for problem in plan.problems] == [(3, True), (4, True)]


def test_the_number_of_queries_does_not_grow_with_the_files(django_assert_max_num_queries):
    rows = "".join(
        f"O{number},Ann Lee,Zephyr X,Alpha Works,Won,2025-01-10,2025-03-01,1\n" for number in range(1000, 1400)
    )
    plan = plan_of(sales_pipeline_csv=DEALS.splitlines()[0] + "\n" + rows)
    with django_assert_max_num_queries(80):
        apply_plan(plan)


def test_the_command_with_dry_run_shows_the_plan_and_changes_nothing(tmp_path):
    told = run(written(tmp_path), "--dry-run")
    assert "reps: 3 to create" in told
    assert "sales_pipeline.csv, row 3, column product:" in told
    assert not User.objects.exists()


def test_the_command_carries_the_plan_out_and_says_so(tmp_path):
    told = run(written(tmp_path))
    assert "opportunities: 4 created" in told
    assert "opportunities: 4 unchanged" in run(tmp_path)


def test_the_command_with_strict_changes_nothing_when_a_row_would_be_refused(tmp_path):
    with pytest.raises(CommandError, match="5 rows would be refused, so nothing was changed"):
        run(written(tmp_path), "--strict")
    assert not User.objects.exists()


def test_the_command_writes_every_problem_to_a_file_that_no_spreadsheet_runs(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    team = "=rep(),manager\nAnn Lee,Mia Boss\nAnn Lee,Mia Boss\n"
    files = {"team.csv": team, "onboard.toml": "[team.columns]\nname = '=rep()'\n"}
    run(written(folder, files), "--dry-run", "--problems", tmp_path / "problems.csv")
    lines = (tmp_path / "problems.csv").read_text().splitlines()
    assert lines[1].startswith("team.csv,3,'=rep(),")


def test_the_command_prints_the_plan_for_programs(tmp_path):
    data = json.loads(run(written(tmp_path), "--dry-run", "--json"))
    assert data["plan"]["reps"] == {"create": 3}
    assert data["refused_rows"] == 5


@pytest.mark.parametrize(("folder", "sentence"), [("nowhere", "is not a directory"), (".", "No file of a team")])
def test_the_command_says_what_is_wrong_with_a_directory(tmp_path, folder, sentence):
    with pytest.raises(CommandError, match=sentence):
        run(tmp_path / folder)


def test_the_mapping_may_lie_elsewhere(tmp_path):
    mapping = tmp_path / "mine.toml"
    mapping.write_text('[values.product]\nZephyrX = "Zephyr X"\n')
    folder = tmp_path / "in"
    folder.mkdir()
    assert "opportunities: 5 to create" in run(written(folder), "--map", mapping, "--dry-run")


# --- The page -----------------------------------------------------------------------------------

PAGE = Path(__file__).parents[2] / "docs" / "onboarding.md"


def fields_table() -> str:
    lines = ["| kind | columns |", "|---|---|"]
    for kind in KINDS.values():
        names = ", ".join(f"**{field.name}**" if field.needed else field.name for field in kind.fields)
        lines.append(f"| {kind.name} | {names} |")
    return "\n".join(lines)


def test_the_page_lists_the_columns_that_there_are():
    assert f"<!-- fields -->\n{fields_table()}\n<!-- end -->" in PAGE.read_text()


def test_the_mapping_on_the_page_can_be_used():
    example = PAGE.read_text().split("```toml\n")[1].split("```")[0]
    mapping = parse_mapping(example)
    assert mapping.corrected("product", "zephyrx") == "Zephyr X"
    assert mapping.parts["team"].columns == {"name": "Full name", "office": "Where"}


@time_machine.travel(datetime(2026, 11, 25, 12, tzinfo=UTC), tick=False)
def test_people_who_are_changed_have_their_leads_and_promises_looked_at_again():
    apply_plan(plan_of())
    ann = Rep.objects.order_by("pk").first()
    make_hours(is_default=True)
    make_policy(accept_minutes=60, time="working")
    world(ann)
    place = {"stage": Stage.objects.filter(kind="open").first(), "source": LeadSource.objects.first()}
    services.assign_lead(Lead.objects.create(**place).pk)
    SLAClock.objects.update(stale=False)
    later = timezone.now() + timedelta(hours=1)
    unplaced = Lead.objects.create(**place, routing_state="unassigned", next_attempt_at=later)
    PoolWake.objects.all().delete()
    apply_plan(plan_of())
    unplaced.refresh_from_db()
    assert unplaced.next_attempt_at < later
    assert PoolWake.objects.exists()
    assert SLAClock.objects.get().stale
