"""Takes a do-not-contact list in: numbers and addresses that are never contacted, whoever they belong to."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.services import suppression


class Command(BaseCommand):
    """`manage.py suppress FILE.csv`; taking the same file in again changes nothing."""

    help = "Puts the numbers and addresses of a CSV file on the do-not-contact list. Columns: value, and kind (phone or email) if you like."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, why it is taken in, and where numbers without a country code are from."""
        parser.add_argument("file", help="a CSV file with the column value, and the column kind if you like")
        parser.add_argument("--reason", default="From a do-not-contact list.", help="why these must not be contacted, as the list will say")
        parser.add_argument("--region", default="", help="the country of numbers without a country code, in two letters such as GB")

    def handle(self, *args: Any, file: str, reason: str, region: str, **options: Any) -> None:
        """Bad rows are named by their line and keep no other out; the command then ends with an error."""
        try:
            rows = list(_rows(Path(file)))
        except (OSError, UnicodeDecodeError, csv.Error) as problem:
            raise CommandError(f"{file} cannot be read as a CSV file in UTF-8: {problem}") from problem
        done = suppression.take_in(rows, reason=reason, added_by="manage.py suppress", region=region.upper())
        self.stdout.write(f"{done.added} added, {done.known} known already.")
        for bad in done.bad:
            self.stderr.write(f"{file}, line {bad.number}: {bad.problem}")
        if done.bad:
            raise CommandError(f"{len(done.bad)} lines were left out. Put them right and run it again; nothing is added twice.")


def _rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """(line number, kind, value) of each row that is not empty. Raises CommandError without the column `value`."""
    with path.open(encoding="utf-8-sig", newline="") as opened:
        reader = csv.DictReader(opened)
        if "value" not in (reader.fieldnames or ()):
            raise CommandError(f"{path} has no column “value” in its first line.")
        for row in reader:
            value = (row["value"] or "").strip()
            if value:
                yield reader.line_num, row.get("kind") or "", value
