"""Call the running product as many customers at once would, through its real webhooks, and say what became of every turn."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.models import EntryPoint
from conversations.voice.simulator import faults, load

SHIPPED = Path(settings.BASE_DIR) / "conversations" / "demo" / "content" / "calls"


class Command(BaseCommand):
    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        names = ", ".join(sorted(path.stem for path in SHIPPED.glob("*.txt")))
        parser.add_argument("--calls", type=int, default=50, help="How many calls (50).")
        parser.add_argument("--at-once", type=int, default=10, help="How many of them at the same time (10).")
        parser.add_argument("--script", default="opening-hours", help=f"A file, or one of those that come along: {names}.")
        parser.add_argument("--turns", type=int, help="Only so many of the things that are said or keyed; then everybody hangs up.")
        parser.add_argument("--to", help="The number to call; otherwise the first phone number of the company.")
        parser.add_argument("--fault", action="append", default=[], choices=sorted(faults.NAMED), help="What goes wrong; may be repeated.")
        parser.add_argument("--speed", type=float, default=10.0, help="How many seconds of a call pass in one (10).")
        parser.add_argument("--patience", type=float, default=30.0, help="After how many seconds a turn without an answer is lost (30).")
        parser.add_argument("--json", action="store_true", help="Print the summary as JSON.")

    def handle(self, *args: Any, calls: int, at_once: int, script: str, fault: list[str], speed: float, **options: Any) -> None:
        if settings.VONAGE_GATEWAY != "simulator":
            raise CommandError("Calls are simulated only with VONAGE_GATEWAY=simulator, as the running product must have it.")
        if calls < 1 or at_once < 1:
            raise CommandError("--calls and --at-once are 1 or more.")
        path = Path(script) if Path(script).is_file() else SHIPPED / f"{script}.txt"
        try:
            steps = load.read_script(path.read_text(encoding="utf-8"))
            chosen = faults.read({"faults": fault, "speed": speed})
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"The script {script} cannot be read: {error}.") from error
        except load.UnreadableScript as error:
            raise CommandError(f"The script {script} says what no caller can do: {error}") from error
        number = options["to"] or EntryPoint.objects.filter(channel="voice").values_list("address", flat=True).first()
        if not number:
            raise CommandError("The company has no phone number yet.")
        summary = asyncio.run(
            load.play(
                steps,
                to=number.removeprefix("+"),
                calls=calls,
                at_once=at_once,
                turns=options["turns"],
                patience=options["patience"],
                options=chosen,
            )
        )
        self.stdout.write(json.dumps(summary.as_json(), indent=2) if options["json"] else summary.as_text())
        if not summary.answers:
            raise CommandError(f"Nothing answered at {settings.PUBLIC_URL}: PORT and PUBLIC_URL must be those of the running product.")
        if summary.webhooks_failed == summary.webhooks and not fault:
            raise CommandError(f"{settings.PUBLIC_URL} refused every webhook: the running product must have the same settings.")
        if summary.turns_lost and not fault:
            sys.exit(1)
