"""Set up the phone platform: the application with our webhooks, and the numbers linked to it. Prints the plan; --apply does it."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.voice import setting_up
from conversations.voice.gateway import GatewayError
from conversations.voice.setting_up import Plan


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--apply", action="store_true", help="Do what the plan says. Without it nothing is changed.")

    def handle(self, *args: Any, apply: bool, **options: Any) -> None:
        try:
            planned = setting_up.plan()
            self._print(planned)
            if planned.is_empty:
                self.stdout.write("Nothing to change.")
            elif not apply:
                self.stdout.write("Nothing was changed. Run it with --apply to do this.")
            else:
                done = setting_up.carry_out(planned, self.stdout.write)
                if not planned.application_id:
                    self.stdout.write(f"Set VONAGE_APPLICATION_ID={done} and VONAGE_PRIVATE_KEY to that file, then VONAGE_GATEWAY=vonage.")
        except GatewayError as error:
            hint = " Check VONAGE_API_KEY and VONAGE_API_SECRET." if "401" in str(error) else ""
            raise CommandError(f"The phone platform did not do it: {error}.{hint}") from error

    def _print(self, planned: Plan) -> None:
        if planned.application_id:
            self.stdout.write(f"Application “{planned.name}” ({planned.application_id}):")
        else:
            self.stdout.write(f"Application “{planned.name}”: is created, with")
        for change in planned.changes:
            self.stdout.write(f"  {change}")
        if not planned.changes:
            self.stdout.write("  is as it should be")
        for each in planned.numbers:
            self.stdout.write(f"Number {each.number} {each.sentence}.")
        for problem in planned.problems:
            self.stdout.write(self.style.WARNING(f"To do by hand: {problem}"))
