import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from distribution.onboarding.applying import Overtaken, apply_plan, done_lines
from distribution.onboarding.files import read_directory
from distribution.onboarding.mapping import OnboardMapping, parse_mapping
from distribution.onboarding.plan import Plan
from distribution.onboarding.planning import build_plan
from distribution.onboarding.report import plan_data, plan_lines, write_problems
from leadcrm.lib.mapping import MappingError


class Command(BaseCommand):
    help = "Take over a team, accounts, products and opportunities from the CSV exports in a directory."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, help="Where the CSV files are, and onboard.toml if you have one.")
        parser.add_argument("--map", type=Path, dest="mapping", help="A mapping file in another place.")
        parser.add_argument("--dry-run", action="store_true", help="Show the plan and change nothing.")
        parser.add_argument("--problems", type=Path, help="Write every bad value to this CSV file.")
        parser.add_argument("--strict", action="store_true", help="Change nothing when a row would be refused.")
        parser.add_argument("--json", action="store_true", help="Print the plan as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            plan = build_plan(read_directory(options["directory"]), _mapping(options["mapping"]))
        except MappingError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps(plan_data(plan), indent=2) if options["json"] else "\n".join(plan_lines(plan)))
        if options["problems"]:
            _save_problems(plan, options["problems"])
        if options["strict"] and plan.refused_rows:
            raise CommandError(f"{plan.refused_rows} rows would be refused, so nothing was changed.")
        if not options["dry_run"]:
            self._apply(plan)

    def _apply(self, plan: Plan) -> None:
        try:
            done = done_lines(apply_plan(plan))
        except Overtaken as error:
            raise CommandError(str(error)) from None
        self.stderr.write("Done\n" + "\n".join(f"  {line}" for line in done))


def _mapping(path: Path | None) -> OnboardMapping | None:
    if path is None:
        return None
    try:
        return parse_mapping(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{path} cannot be read: {error}.") from None


def _save_problems(plan: Plan, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_problems(plan.problems, stream)
