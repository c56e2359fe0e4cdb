from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from distribution.demo.company import NAME
from distribution.demo.making import Demo, NotEmpty, count_rows, empty_demo, is_demo, make_demo, stream_more
from pipeline.models import Lead


class Command(BaseCommand):
    help = "Fill an empty database with a company of our own invention and a year of its history."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=7, help="Another number makes another company.")
        parser.add_argument("--fresh", action="store_true", help="Empty the database first, if only the demo is in it.")
        parser.add_argument("--stream", type=int, default=0, metavar="N", help="Let N new leads come in to the demo.")
        parser.add_argument("--every", type=float, default=0.0, metavar="SECONDS", help="Pause between two of them.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._handle(options)
        except NotEmpty as error:
            raise CommandError(str(error)) from None

    def _handle(self, options: dict[str, Any]) -> None:
        if options["fresh"]:
            empty_demo()
        if is_demo():
            if not options["stream"]:
                self.stdout.write(f"{NAME} is here already ({_counted(count_rows())}); nothing was added.")
        else:
            self._tell(make_demo(options["seed"]))
        if options["stream"]:
            stream_more(options["stream"], self._tell_lead, options["every"])

    def _tell(self, demo: Demo) -> None:
        self.stdout.write(f"{NAME}, made in {demo.seconds:.0f} s: {_counted(demo.counts)}.")
        self.stdout.write(f"Its last year: {_counted(demo.history)}.")
        self.stdout.write(f"New leads, routed as they came in: {_counted(demo.arrived)}.")
        for name, password in demo.passwords.items():
            self.stdout.write(f"  sign in as {name:<8} password {password}")
        self.stdout.write(f"  API key of the source website (shown only now): {demo.api_key}")

    def _tell_lead(self, lead: Lead) -> None:
        self.stdout.write(f"{lead} ({lead.company}): {lead.routing_sentence}")
        self.stdout.flush()


def _counted(counts: Any) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
