"""`manage.py apply_retention`: what the retention rules take away, tonight's work done now or only counted."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from conversations.models import RetentionRule
from conversations.services import retention


class Command(BaseCommand):
    """Counts or applies, and says how many rows of each kind."""

    help = "Empty or remove what the retention rules do not let be kept any longer. It runs by itself every night."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Count what would go, and change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = retention.would_go() if options["dry_run"] else retention.apply().counts
        said = "{kind}: {count} would go" if options["dry_run"] else "{kind}: {count} gone"
        for kind, count in counts.items():
            self.stdout.write(said.format(kind=RetentionRule.Kind(kind).label, count=count))
        if not counts:
            self.stdout.write("No rule says how long anything is kept. Set the days in the admin, under Retention rules.")
