"""Says how well reasons are recognised from example texts in one file, asked about texts in another."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.understanding.classify import THRESHOLD
from conversations.understanding.embed import embed
from conversations.understanding.evaluate import UNKNOWN, Evaluation, Example, Tally, evaluate

EXPLAINED = (
    ("accuracy", "of the texts that belong to a reason, the likeliest reason is right"),
    ("recognised", "of these, the right reason is taken, at the threshold"),
    ("mistaken", "of these, a wrong reason is taken"),
    ("asked_back", "of these, no reason is taken, and the AI agent asks"),
    ("rejection", "of the texts that belong to no reason, none is taken"),
    ("false_acceptance", "of these, a reason is taken all the same"),
)


class Command(BaseCommand):
    """`manage.py evaluate_understanding TRAIN.csv TEST.csv`; changes nothing and asks no database."""

    help = (
        "Trains the classifier of reasons from the texts of TRAIN and asks it about those of TEST. Columns of both: text, category; "
        f"“{UNKNOWN}” is the category of texts that belong to no reason, and so are categories that TRAIN does not have."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The two files, and how sure the classifier must be."""
        parser.add_argument("train", type=Path)
        parser.add_argument("test", type=Path)
        parser.add_argument("--threshold", type=float, default=THRESHOLD, help=f"below this probability no reason is taken ({THRESHOLD})")
        parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")

    def handle(self, *args: Any, train: Path, test: Path, threshold: float, **options: Any) -> None:
        """Prints accuracy, rejection and false acceptance, overall and by reason."""
        if not 0 <= threshold <= 1:
            raise CommandError("The threshold is a probability: give a number between 0 and 1, such as 0.4.")
        trained, asked = _examples(train), _examples(test)
        if not any(category != UNKNOWN for _, category in trained):
            raise CommandError(f"{train} has no text that belongs to a reason.")
        found = evaluate(trained, asked, embed, threshold=threshold)
        self.stdout.write(json.dumps(_as_json(found)) if options["json"] else _as_table(found))


def _as_json(found: Evaluation) -> dict[str, Any]:
    overall = {name: round(getattr(found, name), 4) for name, _ in EXPLAINED}
    reasons = {
        category: {
            "texts": tally.texts, "likeliest": tally.first, "recognised": tally.right, "mistaken": tally.wrong,
            "asked_back": tally.rejected, "falsely_accepted": found.taken_for[category],
        }
        for category, tally in _rows(found)
    }  # fmt: skip
    counts = {"threshold": found.threshold, "texts": found.known.texts, "oos_texts": found.unknown.texts}
    return {**overall, **counts, "reasons": reasons}


def _rows(found: Evaluation) -> list[tuple[str, Tally]]:
    """Every reason that was asked about, or that a text of no reason was taken for."""
    return [(category, found.by_reason.get(category, Tally())) for category in sorted({*found.by_reason, *found.taken_for})]


def _as_table(found: Evaluation) -> str:
    lines = [f"{found.known.texts} texts that belong to a reason, {found.unknown.texts} that belong to none; threshold {found.threshold}"]
    for name, meant in EXPLAINED:
        has_any = found.unknown.texts if name in ("rejection", "false_acceptance") else found.known.texts
        lines.append(f"{name.replace('_', ' '):<17}{f'{getattr(found, name):.3f}' if has_any else '–':<7}{meant}")
    widest = max([len("reason"), *(len(category) for category, _ in _rows(found))])
    lines += ["", f"{'reason':<{widest}}  texts  accuracy  recognised  mistaken  asked back  falsely accepted"]
    for category, tally in _rows(found):
        shares = [part / max(tally.texts, 1) for part in (tally.first, tally.right, tally.wrong, tally.rejected)]
        lines.append(
            f"{category:<{widest}}  {tally.texts:>5}  {shares[0]:>8.3f}  {shares[1]:>10.3f}  {shares[2]:>8.3f}  {shares[3]:>10.3f}"
            f"  {found.taken_for[category]:>16}"
        )
    return "\n".join(lines)


def _examples(path: Path) -> list[Example]:
    """The texts of a file with their categories; rows without a text are left out. Raises CommandError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"text", "category"} <= set(reader.fieldnames or ()):
                raise CommandError(f"{path} needs the columns “text” and “category” in its first line.")
            return [(row["text"], (row["category"] or UNKNOWN).strip()) for row in reader if (row["text"] or "").strip()]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise CommandError(f"{path} cannot be read as a CSV file in UTF-8: {problem}") from problem
