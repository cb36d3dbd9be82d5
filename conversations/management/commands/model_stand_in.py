"""`manage.py model_stand_in`: a stand-in for the model provider on this machine, to try the product with a model that is none."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from conversations.assistant.stand_in.answering import answer
from conversations.assistant.stand_in.scenes import FAULTS
from conversations.assistant.stand_in.server import StandIn

HOW_TO = """The stand-in answers at {url}. Start CX Hub with
  ANTHROPIC_BASE_URL={url} ANTHROPIC_API_KEY=stand-in
and it is asked in place of Claude. End it with Ctrl+C."""


class Command(BaseCommand):
    """Serves until it is interrupted."""

    help = "Runs a stand-in for the model provider. It answers from the tools by a few rules, or fails as it is told."

    def add_arguments(self, parser: CommandParser) -> None:
        """The port, and a way to fail."""
        parser.add_argument("--port", type=int, default=8090)
        parser.add_argument("--fault", choices=sorted(FAULTS), help="Fail each request in this way.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """See the class."""
        fault = options["fault"]
        stand_in = StandIn(port=options["port"], answering=(lambda _body: FAULTS[fault]()) if fault else answer)
        self.stdout.write(HOW_TO.format(url=stand_in.url))
        try:
            stand_in.serve()
        except KeyboardInterrupt:
            self.stdout.write("Ended.")
