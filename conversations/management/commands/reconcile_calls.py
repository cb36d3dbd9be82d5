"""Compare the phone platform's list of calls with ours, and take in what webhooks did not tell."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from conversations.voice.gateway import GatewayError
from conversations.voice.reconciling import reconcile


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hours", type=int, default=24, help="How far back calls may have begun (24).")

    def handle(self, *args: Any, hours: int, **options: Any) -> None:
        try:
            done = reconcile(since=timezone.now() - timedelta(hours=hours))
        except GatewayError as error:
            raise CommandError(f"The platform did not list its calls: {error}.") from error
        self.stdout.write(f"{done.looked_at:,} calls in the platform's list, {done.news:,} of them news; {done.ended:,} calls ended here.")
