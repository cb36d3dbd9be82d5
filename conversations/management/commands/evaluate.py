"""Plays scripted customers against the demo company and says how many ended right."""

import json
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test.utils import override_settings

from conversations.assistant import turn
from conversations.assistant.rules import RulesBrain
from conversations.evaluation import showing
from conversations.evaluation.running import evaluate
from conversations.evaluation.scenario import CHANNELS, UnreadableScenario, scenarios
from routing.simulation.database import NoDatabase


class Command(BaseCommand):
    """`manage.py evaluate`; the company's own data is neither read nor touched."""

    help = (
        "Plays scripted customers by chat and by phone against the demo company, in a database of its own, and grades the end "
        "state, what was asked again and whether a person was called when due and only then."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which brain, channel and scenarios, and from which share on it counts as passed."""
        parser.add_argument("--brain", choices=["rules", "claude"], default="rules", help="who answers (default: rules, without network)")
        parser.add_argument("--channel", choices=[*CHANNELS, "both"], default="both")
        parser.add_argument("--scenario", action="append", default=[], metavar="NAME", help="only this one; may be given several times")
        parser.add_argument("--wanted", type=float, default=0.9, help="the share that must end right, 0 to 1 (default: 0.9)")
        parser.add_argument("--show", action="store_true", help="show what was said to each customer")
        parser.add_argument("--json", action="store_true", help="print the results as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Exits with 1 when fewer than the wanted share ended right."""
        try:
            every = scenarios()
            chosen = [each for each in every if not options["scenario"] or each.name in options["scenario"]]
            unknown = set(options["scenario"]) - {each.name for each in every}
            if unknown:
                raise CommandError(f"There is no scenario {', '.join(sorted(unknown))}.")
            channels = CHANNELS if options["channel"] == "both" else (options["channel"],)
            with override_settings(**_answered_by(options["brain"])):
                results = evaluate(chosen, channels, each=lambda graded: None if options["json"] else self._show(graded, options["show"]))
        except (NoDatabase, UnreadableScenario) as problem:
            raise CommandError(str(problem)) from problem
        if options["json"]:
            self.stdout.write(json.dumps(showing.as_json(results), indent=2))
        else:
            self.stdout.write("")
            for line in showing.totals(results):
                self.stdout.write(line)
        if showing.share_right(results) < options["wanted"]:
            sys.exit(1)

    def _show(self, graded: Any, everything: bool) -> None:
        self.stdout.write(showing.line_of(graded))
        if everything:
            for line in graded.end.history:
                self.stdout.write(f"    {line}")


def _answered_by(brain: str) -> dict[str, Any]:
    """The settings under which that brain answers. Raises CommandError when it cannot."""
    if brain == "rules":
        return {"ANTHROPIC_API_KEY": ""}
    if not settings.ANTHROPIC_API_KEY or isinstance(turn.choose_brain(), RulesBrain):
        raise CommandError("The language model answers only with ANTHROPIC_API_KEY; without it, evaluate --brain rules.")
    return {}
