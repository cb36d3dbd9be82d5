"""Imports customers from a CSV file, or says what that would do."""

import argparse
import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.reading.spreadsheets import harmless
from conversations.services import importing
from conversations.services.import_files import UnreadableFile, open_file
from conversations.services.import_report import MOST_SHOWN, Report, lines
from conversations.services.import_rows import SYSTEM, Options


class Command(BaseCommand):
    """`manage.py import_customers FILE.csv --system crm --dry-run`; repeating an import changes nothing."""

    help = "Imports customers from a CSV file. Batches are committed one by one; repeat an import that was stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and how it is to be read."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--system", type=_system, default="crm", help="short name of the system that the file comes from")
        parser.add_argument("--region", default="", help="country of phone numbers without a country code, such as GB")
        parser.add_argument("--dry-run", action="store_true", help="only say what the import would do")
        parser.add_argument("--verified", action="store_true", help="the system has verified its email addresses and phone numbers")
        parser.add_argument("--take-theirs", action="store_true", help="where file and record differ, take the file's; else the record's")
        parser.add_argument("--report", type=Path, help="also write every conflict and problem into this CSV file")

    def handle(self, *args: Any, file: Path, system: str, region: str, dry_run: bool, **options: Any) -> None:
        """Imports or previews, and prints the figures and the first rows that need a look."""
        how = Options(system, region.upper(), vouched=options["verified"], take_theirs=options["take_theirs"])
        report = Report()
        try:
            opened = open_file(file.read_bytes())
            if opened.ignored:
                self.stdout.write(f"Columns that are not read: {', '.join(opened.ignored)}.")
            outcomes = importing.preview(opened.rows, how) if dry_run else importing.run(opened.rows, how)
            for each in _reported(outcomes, options["report"]):
                report.add(each)
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be opened: {error.strerror}.") from error
        except UnreadableFile as error:
            done = "" if dry_run or not report.rows else f" The {report.rows} rows before it are imported."
            raise CommandError(f"{error}{done}") from error
        self._print(report, dry_run=dry_run)

    def _print(self, report: Report, *, dry_run: bool) -> None:
        for outcome in report.troubled:
            for line, column, sentence in lines(outcome):
                self.stdout.write(f"  line {line}{f', {column}' if column else ''}: {sentence}")
        if len(report.troubled) == MOST_SHOWN:
            self.stdout.write("  … Use --report FILE.csv for all of them.")
        done = "would be" if dry_run else "were"
        self.stdout.write(
            f"{report.rows} rows: {report.created} customers {done} created, {report.linked} changed, {report.unchanged} left as they are,"
            f" {report.refused} refused; {report.conflicts} conflicts, {report.problems} cells that cannot be used."
        )


def _reported(outcomes: Iterable[importing.Outcome], path: Path | None) -> Iterator[importing.Outcome]:
    """The same outcomes; what there is to say of them goes into a file, when one is named."""
    if path is None:
        yield from outcomes
        return
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["line", "column", "what"])
        for outcome in outcomes:
            writer.writerows([harmless(cell) for cell in row] for row in lines(outcome))
            yield outcome


def _system(text: str) -> str:
    if not SYSTEM.match(text):
        raise argparse.ArgumentTypeError("use small letters, digits, dots and hyphens, such as crm")
    return text
