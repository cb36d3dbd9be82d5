"""Ask past decisions again, each of its own versions of the tables, and say how many come out the same. All must."""

import argparse
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _

from routing.services.replaying import AskedAgain, ask_all_again

MOST_SHOWN = 20


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=_days, default=7, help="How many days back; 7 when nothing is said.")

    def handle(self, *args: Any, days: int, **options: Any) -> None:
        asked = different = 0
        for each in ask_all_again(timezone.now() - timedelta(days=days)):
            asked += 1
            if not each.same:
                different += 1
                if different <= MOST_SHOWN:
                    self.stdout.write(_told(each))
        self.stdout.write(_("%(same)d of %(asked)d decisions come out the same.") % {"same": asked - different, "asked": asked})
        if different:
            raise CommandError(_("%(different)d do not.") % {"different": different})


def _told(each: AskedAgain) -> str:
    changes = "; ".join(f"{name}: {then} → {now}" for name, then, now in each.differences)
    return _("Decision %(number)d: %(what)s") % {"number": each.decision.pk, "what": each.why_not or changes}


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 3660:
        raise argparse.ArgumentTypeError(f"“{text}” is not a number of days from 1 to 3660.")
    return int(text)
