"""Takes articles in from Markdown files, web pages, or a folder or zip file of these."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from conversations.knowledge.documents import UnreadableExport, read_path
from conversations.knowledge.importing import Effect, ImportPlan, Options, apply_import, plan_import
from conversations.models.knowledge import Audience

MARK = {Effect.ADD: "new      ", Effect.CHANGE: "changed  ", Effect.LEAVE: "the same ", Effect.REFUSE: "refused  "}


class Command(BaseCommand):
    """`manage.py import_knowledge PATH --dry-run`; importing the same again changes nothing."""

    help = "Imports articles from a Markdown file, a web page, or a folder or zip file of these. What is not in it stays as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to read, and what holds where a file does not say it."""
        parser.add_argument("path", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="only say what the import would do")
        parser.add_argument("--drafts", action="store_true", help="leave the articles as drafts for somebody to publish")
        parser.add_argument("--language", default="en", help="language of new articles that do not name theirs (en)")
        parser.add_argument("--audience", choices=Audience.values, default=Audience.PUBLIC, help="whom new articles are for (public)")

    def handle(self, *args: Any, path: Path, dry_run: bool, drafts: bool, **options: Any) -> None:
        """Says for each file what is done with it; ends with an error when any was refused."""
        how = Options(options["language"], options["audience"])
        try:
            documents = read_path(path)
        except UnreadableExport as problem:
            raise CommandError(str(problem)) from problem
        plan = plan_import(documents, how) if dry_run else apply_import(documents, how, by="manage.py import_knowledge", drafts=drafts)
        self._print(plan)
        if plan.refused:
            raise CommandError(f"{plan.refused} files were left out. Put them right and run it again.")

    def _print(self, plan: ImportPlan) -> None:
        for row in plan.rows:
            told = row.problem or (f"{', '.join(row.changes)}; " if row.changes else "") + f"{row.made} of {row.passages} passages made"
            self.stdout.write(f"{MARK[row.effect]} {row.path}: {row.title or row.slug} ({told})")
        self.stdout.write(f"{plan.added} new, {plan.changed} changed, {plan.left} left as they are, {plan.refused} refused.")
