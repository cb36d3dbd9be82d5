"""Plays a day through the real distributor in compressed time, and prints how long everybody waited."""

import json
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError

from routing.simulation.database import NoDatabase
from routing.simulation.problems import UnusableInput
from routing.simulation.run import simulate
from routing.simulation.showing import as_json, as_table, write_pieces


class Command(BaseCommand):
    """`manage.py simulate_routing TRACE.csv STAFF.csv`; see docs/recipes/plan-a-day.md."""

    help = "Plays what came in and who was there through the real distributor, with the company's policy, and prints how long all waited."

    def add_arguments(self, parser: CommandParser) -> None:
        """The two files, and how to read them."""
        parser.add_argument("trace", type=Path, help="CSV of what came in: arrived_at, patience_s, handling_s, priority, skill, kind")
        parser.add_argument("staffing", type=Path, help="CSV of who was there: agent, from, to, skills")
        parser.add_argument("--queue", nargs="+", default=[], metavar="CODE", help="only these queues; one alone is that of lines without")
        parser.add_argument("--time-zone", default=settings.TIME_ZONE, metavar="NAME", help="of times without an offset")
        parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
        parser.add_argument("--pieces", type=Path, help="also write what became of each piece into this CSV file")

    def handle(self, *args: Any, trace: Path, staffing: Path, **options: Any) -> None:
        """Simulates and prints."""
        try:
            result = simulate(trace, staffing, queues=options["queue"], zone=_zone(options["time_zone"]))
            if options["pieces"]:
                write_pieces(options["pieces"], result.pieces)
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be written: {error.strerror}.") from error
        except OperationalError as error:
            raise CommandError(f"The database does not answer ({error}). Start it, with make run when it is the embedded one.") from error
        except (UnusableInput, NoDatabase) as error:
            raise CommandError(str(error)) from error
        lines = [json.dumps(as_json(result), indent=2)] if options["json"] else as_table(result)
        for line in lines:
            self.stdout.write(line)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise CommandError(f"There is no time zone {name}. Write one such as Europe/London.") from error
