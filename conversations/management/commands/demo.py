"""Creates the demo company and prints how to sign in."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from conversations.demo.load import load, sign_ins, texts_to_ship
from conversations.demo.policy import PASSWORD
from conversations.understanding.vectors import write_shipped


class Command(BaseCommand):
    """`manage.py demo`; harmless to repeat."""

    help = "Creates what is missing of the demo company, Harbor Home Services, and prints its sign-ins."

    def add_arguments(self, parser: CommandParser) -> None:
        """For developers who changed the demo's texts: the embeddings that ship with the product are made anew."""
        parser.add_argument("--write-vectors", action="store_true", help="only compute the shipped embeddings anew, for developers")

    def handle(self, *args: Any, write_vectors: bool, **options: Any) -> None:
        """Loads, then prints; a password changed since is not known and not printed as if it were."""
        if write_vectors:
            self.stdout.write(f"{write_shipped(texts_to_ship())} embeddings written.")
            return
        loaded = load()
        self.stdout.write(
            "Harbor Home Services is ready." if loaded.new_people else "Harbor Home Services is ready (it was there already)."
        )
        self.stdout.write("")
        self.stdout.write(f"  {'role':<9}{'sign in as':<12}{'name':<18}where")
        for each in sign_ins():
            self.stdout.write(f"  {each.role:<9}{each.username:<12}{each.name:<18}{each.note}")
        self.stdout.write("")
        self.stdout.write(f"  Password of each, unless you changed it: {PASSWORD}")
