import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from leadcrm.lib import doctor
from leadcrm.lib.registry import UnknownName


class Command(BaseCommand):
    help = "Check that the data keeps every promise; one line per violation, exit code 1 if there is any."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("names", nargs="*", metavar="NAME", help="run only these checks")
        parser.add_argument("--json", action="store_true", help="print a JSON list instead of lines")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = list(doctor.violations(options["names"]))
        except UnknownName as unknown:
            raise CommandError(str(unknown)) from unknown
        if options["json"]:
            self.stdout.write(json.dumps([asdict(violation) for violation in found], indent=2))
        else:
            self.stdout.writelines(f"{violation}\n" for violation in found)
        if found:
            raise CommandError(f"Found {len(found)} violation(s).")
        if not options["json"]:
            self.stdout.write("Everything holds.")
