"""Make the state of every call anew from the raw webhooks, and show where it differs."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from conversations.voice.rebuilding import rebuild

MOST_LINES = 50


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--repair", action="store_true", help="Put right what differs; without it, nothing is changed.")

    def handle(self, *args: Any, repair: bool, **options: Any) -> None:
        looked_at = differing = shown = 0
        for count, differences in rebuild(repair=repair):
            looked_at += count
            differing += len({difference.leg_id for difference in differences})
            for difference in differences[: MOST_LINES - shown]:
                shown += 1
                self.stdout.write(f"{difference.leg_id}  {difference.sentence}")
        done = "put right" if repair else "differ; --repair puts them right"
        self.stdout.write(f"{looked_at:,} legs looked at, {differing:,} {done if differing else 'differ'}.")
        if differing and not repair:
            sys.exit(1)
