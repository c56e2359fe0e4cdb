import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from leadcrm.lib import bench
from leadcrm.lib.registry import UnknownName


class Command(BaseCommand):
    help = "Measure this installation, on the configured database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="run only these measurements")
        parser.add_argument("--json", action="store_true", help="print a JSON list at the end instead of lines")
        parser.add_argument("--list", action="store_true", help="list the measurements instead of running them")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            benches = bench.benches.pick(options["names"])
        except UnknownName as unknown:
            raise CommandError(str(unknown)) from unknown
        if options["list"]:
            self.list(benches)
        elif options["json"]:
            found = [{"bench": name, **figure.as_dict()} for name, figure in bench.figures(benches)]
            self.stdout.write(json.dumps(found, indent=2))
        else:
            self.show(benches)

    def list(self, benches: dict[str, bench.Bench]) -> None:
        for name, function in benches.items():
            summary = (function.__doc__ or "").strip().partition("\n")[0]
            self.stdout.write(f"{name:<20} {summary}")

    def show(self, benches: dict[str, bench.Bench]) -> None:
        for name, figure in bench.figures(benches):
            self.stdout.write(f"{name:<12} {figure}")
            self.stdout.flush()
