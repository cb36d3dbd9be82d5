"""Looks now for records that may be one person, and prints them."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.services import linkage, suggestions


class Command(BaseCommand):
    """`manage.py suggest_matches`; what a worker does each night. Joins nothing, and is harmless to repeat."""

    help = "Finds customer records that may be one person and notes them for people to look at."

    def add_arguments(self, parser: CommandParser) -> None:
        """How sure the model has to be of a pair."""
        parser.add_argument("--threshold", type=float, default=linkage.THRESHOLD, help="from which probability on a pair is noted (0.95)")

    def handle(self, *args: Any, threshold: float, **options: Any) -> None:
        """One line a pair: how sure, the records, what speaks for it and what against."""
        if not 0 < threshold < 1:
            raise CommandError("The threshold is a probability: give a number between 0 and 1, such as 0.95.")
        count = new = 0
        try:
            for each in suggestions.suggest(threshold=threshold):
                count, new = count + 1, new + each.is_new
                mark = "new" if each.is_new else "   "
                self.stdout.write(f"{mark}  {each.pair.probability:.4f}  customer {each.customer.pk} ~ {each.other.pk}  {_said(each.pair)}")
        except linkage.NotInstalled as error:
            raise CommandError(str(error)) from error
        except linkage.TooFew as error:
            self.stdout.write(f"There is too little to learn from yet, so nothing is suggested. {error}")
            return
        self.stdout.write(f"{count} pairs may be one person, {new} of them new. People settle them in the admin, under match candidates.")


def _said(pair: linkage.Pair) -> str:
    told = (each for each in pair.evidence if each.level != "missing")
    return ", ".join(f"{each.comparison} {each.level} {each.weight:+.1f}" for each in told)
