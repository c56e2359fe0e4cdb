from pathlib import Path
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from leadcrm.lib.mapping import MappingError
from pipeline.errors import PipelineError
from pipeline.imports.importing import ImportResult, add_attributes, import_leads, result_lines, write_refused
from pipeline.imports.mapping import read_mapping
from pipeline.models import LeadSource


class Command(BaseCommand):
    help = "Import leads from a CSV file and route them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True, help="Slug of the source that the leads belong to.")
        parser.add_argument(
            "--map", action="append", default=[], metavar="COLUMN=FIELD|FILE", help="One column, or a TOML file."
        )
        parser.add_argument("--dry-run", action="store_true", help="Read everything, store nothing.")
        parser.add_argument("--strict", action="store_true", help="Store nothing when a row would be refused.")
        parser.add_argument("--drop-bad-values", action="store_true", help="Take rows without their bad values.")
        parser.add_argument("--add-attributes", action="store_true", help="Give the source the attributes it lacks.")
        parser.add_argument("--refused", type=Path, help="Write refused rows to this CSV file.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open("rb") as stream:
                result = _run(stream, options)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from None
        except (MappingError, PipelineError) as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write("\n".join(result_lines(result, dry_run=options["dry_run"])))
        _finish(result, options)


def _run(stream: BinaryIO, options: dict[str, Any]) -> ImportResult:
    source = LeadSource.objects.filter(slug=options["source"]).first()
    if source is None:
        known = ", ".join(LeadSource.objects.values_list("slug", flat=True)) or "none yet"
        raise MappingError(f"There is no source {options['source']}. The sources are: {known}.")
    if not source.active:
        raise MappingError(f"The source {source} is switched off.")
    mapping = read_mapping(options["map"])
    if options["add_attributes"] and not options["dry_run"]:
        add_attributes(source, mapping)
    lenient = options["drop_bad_values"]
    if options["strict"] and not options["dry_run"]:
        checked = import_leads(stream, source, mapping, dry_run=True, drop_bad=lenient)
        if checked.refused:
            options["dry_run"] = True
            return checked
    return import_leads(stream, source, mapping, dry_run=options["dry_run"], drop_bad=lenient)


def _finish(result: ImportResult, options: dict[str, Any]) -> None:
    if options["refused"]:
        with options["refused"].open("w", encoding="utf-8", newline="") as stream:
            write_refused(result, stream)
    if options["strict"] and result.refused:
        raise CommandError(f"{len(result.refused)} rows are refused, so nothing was imported.")
    if result.rows and len(result.refused) == result.rows:
        raise CommandError("No row could be imported.")
